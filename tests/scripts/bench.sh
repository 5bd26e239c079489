#!/usr/bin/env bash
# Prints the figures. Each stands beside another one measured in the same run: the machine's speed cancels out.
#
#   tests/scripts/bench.sh [hops|reading|speed|answers|rebuild|backfill|pipeline]…   hops: the runtime against a bare loop; reading: the readers against
#                                               their peers; speed: what all rules cost a report; answers: query against
#                                               a bare gRPC server; rebuild: the read model from the log; backfill (not by default): a document beside old ones in bulk against alone;
#                                               pipeline (not by default): what a report costs each program and the broker, by one server and by three
#
# GONGKAI_CORPUS=folder adds its reports to the samples.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -gt 0 ]; then parts=("$@"); else parts=(hops reading speed answers rebuild); fi

hops() {
    GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
    export GONGKAI_NATS_SERVER
    cargo bench --quiet -p gongkai-worker --all-features --bench hops
}

reading() {
    local corpus=() files=() ours
    if [ -n "${GONGKAI_CORPUS:-}" ]; then corpus=("$GONGKAI_CORPUS"/reports/*); fi
    for file in tests/samples/*.txt tests/samples/[0-9]*.md tests/samples/*.html tests/samples/*.docx \
        tests/samples/*.pdf tests/samples/*.doc "${corpus[@]}"; do
        # Rejected at the first look: their speed says nothing.
        case $file in *11_website_report* | *12_picture* | *template_2021_blank*) continue ;; esac
        if [ -f "$file" ]; then files+=("$(realpath "$file")"); fi
    done
    ours=$(mktemp)
    # shellcheck disable=SC2064
    trap "rm -f '$ours'" RETURN
    cargo bench --quiet -p gongkai-reading --bench reading -- "${files[@]}" >"$ours"
    "$(tests/scripts/bench_peers.sh)" tests/scripts/bench_readers.py "$ours"
}

speed() {
    cargo bench --quiet -p gongkai-rules --bench speed
}

answers() {
    cargo bench --quiet -p gongkai-query --bench answers
}

rebuild() {
    GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
    export GONGKAI_NATS_SERVER
    cargo bench --quiet -p gongkai-query --bench rebuild
}

backfill() {
    GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
    cargo build --quiet --release -p gongkai
    PATH="$(dirname "$GONGKAI_NATS_SERVER"):$PATH" tests/scripts/bench_backfill.py target/release/gongkai
}

pipeline() {
    GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh)
    cargo build --quiet --release --workspace --bins
    for servers in 1 3; do
        SERVERS=$servers tests/scripts/bench_pipeline.py "${CARGO_TARGET_DIR:-target}/release" "$GONGKAI_NATS_SERVER"
    done
}

for part in "${parts[@]}"; do "$part"; done
