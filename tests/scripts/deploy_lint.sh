#!/bin/sh
# Lints the files of deploy/; arguments name some of the checks. See tests/deploy/lint.py.
set -eu
cd "$(dirname "$0")/../.."
GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
export GONGKAI_NATS_SERVER PYTHONDONTWRITEBYTECODE=1
exec "$(tests/scripts/deploy-tools.sh)" tests/deploy/lint.py "$@"
