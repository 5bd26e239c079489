#!/bin/sh
# Holds the commands of the pages to the programs, runs these over the files of deploy/nats as they are, on a real nats-server,
# watches them by a real Prometheus over those of deploy/observability, runs the scripts of deploy/release over stand-ins, and
# the demo without IPv4. The programs are those of target/debug, built where needed; GONGKAI_PROGRAMS names another folder.
set -eu
cd "$(dirname "$0")/../.."
GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
tools=$(tests/scripts/prometheus-tools.sh)
PATH=$tools:$PATH
export GONGKAI_NATS_SERVER PATH PYTHONDONTWRITEBYTECODE=1
if [ -z "${GONGKAI_PROGRAMS:-}" ]; then cargo build --quiet --workspace --bins; fi
python=$(tests/scripts/deploy-tools.sh)
"$python" tests/deploy/commands.py
"$python" tests/deploy/identities.py
"$python" tests/deploy/cluster.py
"$python" tests/deploy/province.py
"$python" tests/deploy/alerting.py
"$python" tests/deploy/release.py
GONGKAI_PROGRAMS=${GONGKAI_PROGRAMS:-target/debug} tests/scripts/ipv6_check.sh
