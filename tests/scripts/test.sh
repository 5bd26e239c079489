#!/usr/bin/env bash
# Runs every test of the workspace. Tests that need a broker start a throw-away real nats-server each; this script only
# sees to it that the program is there. Arguments filter tests by name.
set -euo pipefail
cd "$(dirname "$0")/../.."

GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
export GONGKAI_NATS_SERVER
echo "nats-server: $("$GONGKAI_NATS_SERVER" --version)" >&2

tests/scripts/python-client.sh >/dev/null
tests/scripts/prometheus-tools.sh >/dev/null ||
    echo "SKIPPED: alerts to a real Alertmanager, which is not installed (services/notify/src/delivery/channels/tests)" >&2

# nextest shows no output of tests that pass, so what they leave out is said here.
for program in java python3 php chromium; do
    command -v "$program" >/dev/null || echo "SKIPPED: deploy/cms with $program, which is not installed (tests/tests/cms.rs)" >&2
done
for program in chromium soffice; do
    command -v "$program" >/dev/null || echo "SKIPPED: marked copies with $program, which is not installed (services/gongkai/tests/annotate.rs)" >&2
done

# The tests start the programs as processes.
cargo build --workspace --bins
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --all-features "$@"
else
    echo "cargo-nextest is not installed: using cargo test" >&2
    cargo test --workspace --all-features -- "$@"
fi
