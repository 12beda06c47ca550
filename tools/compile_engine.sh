#!/bin/sh
# Compiles the engine in C, as setup.py does it, with other flags: tools/compile_engine.sh OUTPUT FLAGS…
# CC and PYTHON name the compiler and the interpreter it is for.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
output=$1
shift
headers=$(${PYTHON:-python3} -c 'import sysconfig; print(sysconfig.get_path("include"))')
sources=$here/src/arietta/media/native/c
mkdir -p "$(dirname "$output")"
exec ${CC:-cc} -std=c11 -fPIC -shared -fvisibility=hidden -D_GNU_SOURCE -DPy_LIMITED_API=0x030B0000 "-I$headers" \
    -Wall -Wextra -Wno-unused-parameter "-I$sources" "-I$sources/codecs" "-I$sources/rtp" "-I$sources/sound" "-I$sources/engine" \
    "-I$sources/module" "$@" "$sources"/*/*.c -o "$output" -lm -lpthread -ldl
