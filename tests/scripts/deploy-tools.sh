#!/bin/sh
# Sets up the linters of deploy/: a venv in .tools/deploy with the pinned packages. Prints its interpreter.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
venv=$root/.tools/deploy
requirements=$root/tests/deploy/requirements.txt

if ! { [ -x "$venv/bin/python" ] && cmp -s "$requirements" "$venv/installed.txt"; }; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$venv/installed.txt"
fi
printf '%s\n' "$venv/bin/python"
