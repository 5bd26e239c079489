#!/usr/bin/env bash
# Prints the figures. Each is a ratio of two things measured in one run: the machine's speed cancels out.
set -euo pipefail
cd "$(dirname "$0")/.."

GONGKAI_NATS_SERVER=$(deploy/nats-server.sh)
export GONGKAI_NATS_SERVER
cargo bench --quiet -p gongkai-worker --all-features --bench hops -- "$@"
