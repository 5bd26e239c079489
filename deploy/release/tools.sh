#!/bin/sh
# Installs what `make release` builds with into .tools, once, and prints the folders for the PATH.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
venv=$root/.tools/release
requirements=$root/deploy/release/requirements.txt

if ! { [ -x "$venv/bin/cargo-zigbuild" ] && cmp -s "$requirements" "$venv/installed.txt"; }; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --require-hashes --requirement "$requirements" >&2
    cp "$requirements" "$venv/installed.txt"
fi
for tool in cargo-auditable@0.7.7 cargo-cyclonedx@0.5.9; do
    [ -x "$root/.tools/bin/${tool%@*}" ] && continue
    echo "tools.sh: installing $tool into .tools (some minutes, once)" >&2
    cargo install --quiet --locked --root "$root/.tools" "$tool" >&2
done
printf '%s\n' "$venv/bin:$root/.tools/bin"
