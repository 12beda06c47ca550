#!/bin/sh
# Installs what `make test` talks to and is not there yet: sipp, baresip and
# Chromium from the distribution, the clients from npm.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

missing=
command -v sipp >/dev/null 2>&1 || missing="$missing sip-tester"
command -v baresip >/dev/null 2>&1 || missing="$missing baresip"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="$missing chromium"

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "please install:$missing" >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        command -v sudo >/dev/null 2>&1 || { echo "please install as root:$missing" >&2; exit 1; }
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
fi

if [ ! -d "$here/tests/real/node/node_modules/awry" ]; then
    (cd "$here/tests/real/node" && npm ci --no-audit --no-fund --loglevel=error)
fi
