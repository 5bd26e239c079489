#!/usr/bin/env bash
# Everything that judges the tree without running it. What a machine lacks is said aloud, never skipped in silence.
set -euo pipefail
cd "$(dirname "$0")/../.."

step() { printf '== %s\n' "$*" >&2; }

# tool NAME VERSION [OPTION…]: installs a cargo program into .tools where none is on the PATH.
tool() {
    if command -v "$1" >/dev/null; then return; fi
    step "installing $1 into .tools (some minutes, once)"
    cargo install --quiet --locked --root .tools "${@:3}" "$1@$2"
}
PATH="$PWD/.tools/bin:$PATH"

step "format"
cargo fmt --all --check
step "clippy"
cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
step "import circles"
python3 tests/scripts/import_circles.py
step "unused dependencies"
tool cargo-machete 0.9.2
cargo-machete --with-metadata --skip-target-dir
step "licences, bans, sources"
tool cargo-deny 0.20.2 --no-default-features
cargo-deny --log-level error check bans licenses sources
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
step "files of deploy/, and shell scripts"
tests/scripts/deploy_lint.sh
step "lint is clean"
