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

# Overflow, bounds, use after free, undefined behaviour, and leaks of the engine (CPython leaves some of its own).
address() {
    asan=$(runtime libasan.so) && ubsan=$(runtime libubsan.so) || { echo "no address sanitizer: left out" >&2; return; }
    prepare address -fsanitize=address,undefined -fno-sanitize-recover=undefined
    [ $# -gt 0 ] || set -- tests/media -k native --ignore tests/media/native/test_fuzz.py # which has sanitizers of its own
    said=$here/build/sanitize/address/said
    echo 'leak:build/leaves' >"$said.suppressed" # parts that tests call through ctypes, and do not free
    export UBSAN_OPTIONS="print_stacktrace=1:log_path=$said" LSAN_OPTIONS="exitcode=0:suppressions=$said.suppressed"
    leaks=1 # where a process may not be traced they cannot be looked for
    LD_PRELOAD="$asan $ubsan" ASAN_OPTIONS=detect_leaks=1 "$PYTHON" -c pass >/dev/null 2>&1 || leaks=0
    export ASAN_OPTIONS="detect_leaks=$leaks:abort_on_error=1:log_path=$said"
    check address "$asan $ubsan" "$@" || { cat "$said".[0-9]* >&2; return 1; }
    if grep -qs native/c/ "$said".[0-9]*; then
        cat "$said".[0-9]* >&2
        return 1
    fi
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
