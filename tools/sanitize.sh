#!/bin/sh
# Runs the tests of the media engine in C under the sanitizers of gcc: tools/sanitize.sh [address|thread] [PYTEST ARGUMENTS].
# Both without the first argument. The engine is built beside a tree of links, so that nothing of the checkout changes.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=$(command -v "${PYTHON:-python3}")
case $PYTHON in /*) ;; *) PYTHON=$here/$PYTHON ;; esac
export PYTHON CC=gcc
cd "$here"

runtime() { # the library that has to be there before the interpreter
    file=$(gcc -print-file-name="$1" 2>/dev/null || true)
    case $file in /*) printf '%s' "$file" ;; *) return 1 ;; esac
}

prepare() { # FOLDER FLAGS…: a tree of links, and the engine in it
    folder=$here/build/sanitize/$1
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    cp -rs "$here/src" "$here/tests" "$folder"
    cp pyproject.toml "$folder"
    rm -f "$folder"/src/arietta/media/native/_engine*.so
    tools/compile_engine.sh "$folder/src/arietta/media/native/_engine.abi3.so" -O1 -g -fno-omit-frame-pointer \
        -include tests/media/native/preempted.h "$@"
}

check() { # FOLDER LIBRARIES ARGUMENTS…: the interpreter's own allocator would hide what is ours
    folder=$here/build/sanitize/$1
    libraries=$2
    shift 2
    (cd "$folder" && LD_PRELOAD=$libraries PYTHONPATH=$folder/src PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 \
        ARIETTA_SANITIZED=1 "$PYTHON" -m pytest -q -p no:cacheprovider --capture=sys --timeout 600 "$@")
}

# Overflow, bounds, use after free, undefined behaviour. What CPython leaves to the end of the process is not ours to
# count: leaks are looked for by tests/media/native/test_engine_leaks.py instead.
address() {
    asan=$(runtime libasan.so) && ubsan=$(runtime libubsan.so) || { echo "no address sanitizer: left out" >&2; return; }
    prepare address -fsanitize=address,undefined -fno-sanitize-recover=undefined
    export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
    [ $# -gt 0 ] || set -- tests/media -k native
    check address "$asan $ubsan" "$@"
}

# Races between the loop's thread and the shards.
thread() {
    tsan=$(runtime libtsan.so) || { echo "no thread sanitizer: left out" >&2; return; }
    prepare thread -fsanitize=thread
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
    [ $# -gt 0 ] || set -- tests/media/test_real_engine.py tests/media/native/test_engine_*.py
    check thread "$tsan" "$@"
}

case ${1:-all} in
all)
    address
    thread
    ;;
address | thread) "$@" ;;
*) echo "address or thread" >&2; exit 2 ;;
esac
