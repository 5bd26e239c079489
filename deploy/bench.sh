#!/usr/bin/env bash
# Prints the figures. Each stands beside another one measured in the same run: the machine's speed cancels out.
#
#   deploy/bench.sh [hops|reading|answers]…     hops: the runtime against a bare loop; reading: the readers against their
#                                               peers; answers: query against a bare gRPC server
#
# GONGKAI_CORPUS=folder adds its reports to the samples (default ../shared/corpus where there is one).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then parts=("$@"); else parts=(hops reading answers); fi

hops() {
    GONGKAI_NATS_SERVER=$(deploy/nats-server.sh)
    export GONGKAI_NATS_SERVER
    cargo bench --quiet -p gongkai-worker --all-features --bench hops
}

reading() {
    local folder=${GONGKAI_CORPUS:-../shared/corpus}/reports files=() ours
    for file in tests/samples/*.txt tests/samples/[0-9]*.md tests/samples/*.html tests/samples/*.docx \
        tests/samples/*.pdf tests/samples/*.doc "$folder"/*; do
        # Rejected at the first look: their speed says nothing.
        case $file in *11_website_report* | *12_picture* | *template_2021_blank*) continue ;; esac
        if [ -f "$file" ]; then files+=("$(realpath "$file")"); fi
    done
    if [ ! -d "$folder" ]; then echo "no corpus at $folder: samples only" >&2; fi
    ours=$(mktemp)
    # shellcheck disable=SC2064
    trap "rm -f '$ours'" RETURN
    cargo bench --quiet -p gongkai-reading --bench reading -- "${files[@]}" >"$ours"
    "$(deploy/bench_peers.sh)" deploy/bench_readers.py "$ours"
}

answers() {
    cargo bench --quiet -p gongkai-query --bench answers
}

for part in "${parts[@]}"; do "$part"; done
