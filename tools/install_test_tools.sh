#!/bin/sh
# Installs what `make test` talks to and is not there yet: sipp, baresip,
# Chromium and clang with its sanitizers from the distribution, the clients from npm.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

# Whether clang is there, and what its fuzzers are linked with.
can_fuzz() {
    command -v clang >/dev/null 2>&1 || return 1
    folder=$(mktemp -d)
    echo 'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return 0; }' >"$folder/fuzz.c"
    fuzzes=0
    clang -fsanitize=fuzzer,address,undefined "$folder/fuzz.c" -o "$folder/fuzz" >/dev/null 2>&1 || fuzzes=1
    rm -rf "$folder"
    return $fuzzes
}

# The packages of clang that are missing; older distributions have the runtime in what clang depends on.
clang_packages() {
    version=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    if command -v clang >/dev/null 2>&1; then
        version=$(clang -dumpversion | cut -d. -f1)
    else
        echo clang
    fi
    runtime=libclang-rt-$version-dev
    if apt-cache show "$runtime" >/dev/null 2>&1; then echo "$runtime"; fi
}

missing=
command -v sipp >/dev/null 2>&1 || missing="$missing sip-tester"
command -v baresip >/dev/null 2>&1 || missing="$missing baresip"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="$missing chromium"
fuzzer= # without it the fuzzers run as a loop of ours with what gcc has: nothing to fail for
can_fuzz || ! command -v apt-get >/dev/null 2>&1 || fuzzer=wanted

if [ -n "$missing$fuzzer" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "please install:$missing" >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        command -v sudo >/dev/null 2>&1 || { echo "please install as root:$missing${fuzzer:+ clang}" >&2; exit 1; }
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    [ -z "$fuzzer" ] || missing="$missing $(clang_packages)"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
fi

if [ ! -d "$here/tests/real/node/node_modules/awry" ]; then
    (cd "$here/tests/real/node" && npm ci --no-audit --no-fund --loglevel=error)
fi
