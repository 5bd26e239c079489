#!/usr/bin/env bash
# county.sh BODIES: the findings of `gongkai check DIR` against those of a deployment over the same files.
set -euo pipefail
cd "$(dirname "$0")/../.."
GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
export GONGKAI_NATS_SERVER
cargo build --quiet --workspace --bins
exec "${CARGO_TARGET_DIR:-target}/debug/county" "$@"
