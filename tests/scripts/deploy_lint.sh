#!/bin/sh
# Lints the files of deploy/; arguments name some of the checks. See tests/deploy/lint.py.
set -eu
cd "$(dirname "$0")/../.."
GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
# Where they cannot be had, the lint says what it leaves out.
if tools=$(tests/scripts/prometheus-tools.sh); then PATH=$tools:$PATH; fi
export GONGKAI_NATS_SERVER PATH PYTHONDONTWRITEBYTECODE=1
exec "$(tests/scripts/deploy-tools.sh)" tests/deploy/lint.py "$@"
