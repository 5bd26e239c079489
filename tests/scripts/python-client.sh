#!/bin/sh
# Sets up the Python client of the tests: a venv in .tools/python-client with the pinned packages. Prints its interpreter.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
venv=$root/.tools/python-client
requirements=$root/tests/clients/python/requirements.txt

if [ -x "$venv/bin/python" ] && cmp -s "$requirements" "$venv/installed.txt"; then
    printf '%s\n' "$venv/bin/python"
    exit 0
fi
rm -rf "$venv"
if ! python3 -m venv "$venv" >&2; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        { apt-get update && apt-get install -y python3-venv; } >&2
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
    else
        echo "python-client.sh: install your system's python3-venv package" >&2
        exit 1
    fi
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
cp "$requirements" "$venv/installed.txt"
printf '%s\n' "$venv/bin/python"
