#!/usr/bin/env bash
# Everything that judges the tree without running it. What a machine lacks is said aloud, never skipped in silence.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '== %s\n' "$*" >&2; }

step "format"
cargo fmt --all --check
step "clippy"
cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
step "licences, bans, sources"
if cargo deny --version >/dev/null 2>&1; then
    cargo deny --log-level error check bans licenses sources
else
    PATH="$PWD/.tools/bin:$PATH"
    if [ ! -x .tools/bin/cargo-deny ]; then
        step "installing cargo-deny into .tools (some minutes, once)"
        cargo install --quiet --locked --no-default-features --root .tools cargo-deny@0.20.2
    fi
    .tools/bin/cargo-deny --log-level error check bans licenses sources
fi
step "protobuf"
if command -v npx >/dev/null 2>&1; then
    npx --yes @bufbuild/buf@1.75.0 lint
    if git rev-parse --quiet --verify origin/main:proto/gongkai >/dev/null; then
        npx --yes @bufbuild/buf@1.75.0 breaking --against ".git#ref=$(git rev-parse origin/main)"
    else
        step "no origin/main with .proto files: the breaking-change check has nothing to compare with"
    fi
else
    step "npx is not installed: buf lint and buf breaking were NOT run"
fi
step "shell scripts parse"
for script in deploy/*.sh .ci/run; do bash -n "$script"; done
step "lint is clean"
