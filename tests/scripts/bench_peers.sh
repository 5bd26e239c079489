#!/bin/sh
# Prints the path of a Python in which the peers of our readers are installed, as far as they can be had.
set -eu
cd "$(dirname "$0")/../.."

venv=$PWD/.tools/bench-venv
say() { printf 'bench: %s\n' "$*" >&2; }

if [ ! -x "$venv/bin/python" ]; then
    if ! python3 -m venv "$venv" >&2; then
        rm -rf "$venv"
        say "python3 -m venv failed (python3-venv is not installed): no peers"
        command -v python3
        exit 0
    fi
fi
for package in lxml==6.0.2 pandas==2.3.3 python-docx==1.2.0 pdfplumber==0.11.8 markdown-it-py==4.0.0; do
    name=${package%%==*}
    if ! "$venv/bin/python" -m pip show --quiet "$name" >/dev/null 2>&1; then
        say "installing $package into .tools"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: "$package" >&2 ||
            say "$package was not installed: the table will say so"
    fi
done
printf '%s\n' "$venv/bin/python"
