#!/bin/sh
# Holds the artefacts of `make release` to what deploy/README.md says of them. GONGKAI_DIST names another folder than the
# latest of target/dist.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
dist=${GONGKAI_DIST:-$(find target/dist -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-)}
[ -d "$dist" ] || { echo "release_check.sh: there is nothing in target/dist: run make release" >&2; exit 1; }
exec python3 tests/deploy/release_check.py "$dist"
