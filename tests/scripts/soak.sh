#!/usr/bin/env bash
# Tells random stories of what people publish and what goes wrong meanwhile, and holds the invariants against each outcome. Then
# reads as many random reports that editors have changed in several ways, sends as many messages over each robot, lets a year of
# deadlines pass over 5000 agencies, and kills notify under a receiver that answers anything.
#
#   tests/scripts/soak.sh [COUNT] [SEED]     stories with the seeds SEED to SEED + COUNT - 1; 10000 from 1 if not told otherwise
#
# One slice of the seeds for each core. A failing seed is printed with the simplest story that still fails; SEED and a COUNT of
# 1 repeat it. Keep what was found as a readable test in tests/tests/simulation/main.rs.
set -euo pipefail
cd "$(dirname "$0")/../.."

count=${1:-10000}
seed=${2:-1}
test=(cargo test --quiet -p gongkai-tests --test simulation)
edits=(cargo test --quiet -p gongkai-forms --test layouts)
sends=(cargo test --quiet -p gongkai-notify --lib)
notify=(cargo test --quiet -p gongkai-notify --test notify)
"${test[@]}" --no-run
"${edits[@]}" --no-run
"${sends[@]}" --no-run
"${notify[@]}" --no-run

slices=$(nproc)
if [ "$count" -lt "$slices" ]; then slices=$count; fi
running=()
for ((slice = 0; slice < slices; slice++)); do
    first=$((count * slice / slices))
    next=$((count * (slice + 1) / slices))
    GONGKAI_SOAK_SEED=$((seed + first)) GONGKAI_SOAK_COUNT=$((next - first)) \
        "${test[@]}" -- every_story --nocapture &
    running+=($!)
done
failed=0
for slice in "${running[@]}"; do wait "$slice" || failed=1; done
if [ "$failed" = 0 ]; then echo "soak: $count stories from seed $seed, none failed" >&2; fi
GONGKAI_EDITS=$count "${edits[@]}" -- edits_together || failed=1
GONGKAI_SENDS=$count "${sends[@]}" -- no_robot_is_throttled --nocapture || failed=1
GONGKAI_DEADLINES=5000 "${notify[@]}" -- a_year_is_told --nocapture || failed=1
# At 20 alerts a second.
GONGKAI_NATS_SERVER=$(deploy/local/nats-server.sh) GONGKAI_STORM_S=$((count / 100 + 5)) \
    "${notify[@]}" -- every_alert_comes_through_a_storm --nocapture || failed=1
exit "$failed"
