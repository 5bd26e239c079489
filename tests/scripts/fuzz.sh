#!/usr/bin/env bash
# Fuzzes every format and the matcher, one target after the other.
#
#   T=300 tests/scripts/fuzz.sh [TARGET…]     T: seconds per target; targets: text markdown html docx pdf doc matcher
#
# Installs cargo-fuzz into .tools where it is not found. Seeds are the samples, the findings of earlier runs, and the
# reports of GONGKAI_CORPUS where one is named. What is learnt stays in target/fuzz/corpus. A crash, a hang or too much
# memory ends with exit code 1 and an input in target/fuzz/artifacts: mend it, and keep the input in tests/fuzz/findings.
#
# No address sanitizer: our code has no unsafe block, and its shadow memory would hide what a document really costs.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${T:-60}
if [ $# -gt 0 ]; then targets=("$@"); else targets=(text markdown html docx pdf doc matcher); fi

say() { printf 'fuzz: %s\n' "$*" >&2; }

PATH="$PWD/.tools/bin:$PATH"
if ! command -v cargo-fuzz >/dev/null; then
    say "installing cargo-fuzz into .tools (some minutes, once)"
    cargo install --quiet --locked --root .tools cargo-fuzz@0.13.2
fi

# The versions that ship, not the newest.
cp Cargo.lock tests/fuzz/Cargo.lock
# cargo-fuzz asks for flags that a stable compiler takes only so.
export RUSTC_BOOTSTRAP=1
work=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
fuzz=(cargo fuzz)
options=(--fuzz-dir tests/fuzz --target-dir "$work/build" --sanitizer none)
say "building"
"${fuzz[@]}" build "${options[@]}"

rm -rf "$work/seeds"
seeds=(tests/samples tests/fuzz/findings services/lib/extract/tests/fixtures)
if [ -n "${GONGKAI_CORPUS:-}" ]; then seeds+=("$GONGKAI_CORPUS/reports"); fi
python3 tests/scripts/fuzz_seeds.py "$work/seeds" "${seeds[@]}"
for target in "${targets[@]}"; do
    mkdir -p "$work/corpus/$target" "$work/artifacts/$target" "$work/seeds/$target"
    dictionary=()
    if [ -f "tests/fuzz/dictionaries/$target.dict" ]; then dictionary=("-dict=tests/fuzz/dictionaries/$target.dict"); fi
    say "$target: $seconds s"
    # The longest input is a page of a few tables: longer ones only cost time.
    if ! "${fuzz[@]}" run "${options[@]}" "$target" "$work/corpus/$target" "$work/seeds/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$work/artifacts/$target/" "${dictionary[@]}" 2>"$work/$target.log"; then
        tail -n 40 "$work/$target.log" >&2
        say "$target: found something, see $work/artifacts/$target"
        exit 1
    fi
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec|new_units_added|peak_rss_mb)' "$work/$target.log" >&2
done
say "nothing found"
