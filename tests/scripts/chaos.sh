#!/usr/bin/env bash
# Runs two replicas of every service over a real broker, breaks them while offices publish and withdraw, and judges what is left.
#
#   tests/scripts/chaos.sh [SECONDS] [SEED] [OFFICES]
set -euo pipefail
cd "$(dirname "$0")/../.."

GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
export GONGKAI_NATS_SERVER
cargo build --quiet --workspace --bins
exec "${CARGO_TARGET_DIR:-target}"/debug/chaos "$@"
