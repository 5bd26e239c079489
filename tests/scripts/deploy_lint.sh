#!/bin/sh
# Lints the files of deploy/; arguments name some of the checks. See tests/deploy/lint.py.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
exec "$(tests/scripts/deploy-tools.sh)" tests/deploy/lint.py "$@"
