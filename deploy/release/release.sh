#!/usr/bin/env bash
# Makes the release of this checkout: for each CPU a tarball, a Debian package and an image, one list of SHA-256 sums and
# its signature, in target/dist. deploy/README.md says how a host is installed from them.
#
#   release.sh [CPU…]      CPU: x86_64, aarch64; default both
#
#   GONGKAI_RELEASE_KEY          the releaser's private key: see sign.sh. Without it every name ends with -unsigned
#   GONGKAI_REGISTRY             the registry in the images' names, default docker.io
#   GONGKAI_NATS_SERVER_X86_64, GONGKAI_NATS_SERVER_AARCH64   official nats-servers: see nats-server.sh
#   SOURCE_DATE_EPOCH            the time of every file, default that of the commit
#
# Needs git, Rust with the target of each CPU, python3, a C compiler for build scripts, GNU tar and openssl. The first run
# fetches crates and tools; none of the artefacts calls anybody. A CPU whose Rust target is not installed is named and left
# out. Exit codes: 0 made, 1 a step failed, 3 a CPU that was asked for by name, or every CPU, was left out.
set -euo pipefail
umask 022
cd "$(dirname "$0")/../.."
here=deploy/release
packages=(gongkai gongkai-{ingest,parse,validate,notify,query})
glibc=2.17
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
commit=$(git rev-parse HEAD)
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then commit="$commit and changes that are not committed"; fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
key=${GONGKAI_RELEASE_KEY:+$(realpath "$GONGKAI_RELEASE_KEY")}
suffix=-unsigned
if [ -n "$key" ]; then suffix=; fi
out=$target/dist/gongkai-$version$suffix
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf 'release.sh: %s\n' "$*" >&2; }

has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]; }

# The programs with their list of crates inside (cargo auditable), linked against the old C library (zig). Paths of this
# machine do not get into them.
build() {
    local remap=("--remap-path-prefix=$PWD=/gongkai" "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo")
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; printf '%s' "${remap[*]}") CARGO_TARGET_DIR=$target \
        cargo auditable zigbuild --release --locked --bins --target "$1.$glibc" "${packages[@]/#/--package=}"
}

# What the release is made of, as files for assemble.sh.
facts() {
    local cpu=$1 triple=$2 nats=$3 folder=$4
    mkdir -p "$folder"
    "$here/sbom.py" "$triple" "$nats/nats-server" "$(cat "$nats/VERSION")" >"$folder/sbom.cdx.json"
    "$here/third_party.py" "$triple" >"$folder/THIRD-PARTY.txt"
    cat >"$folder/MANIFEST" <<TEXT
version: $version
commit: $commit
cpu: $cpu
glibc: $glibc
rustc: $(rustc --version)
zig: $(python-zig version)
nats-server: $(cat "$nats/VERSION"), $(cat "$nats/ORIGIN")
nats-server sha256: $(sha256sum <"$nats/nats-server" | cut -d ' ' -f 1)
TEXT
}

cpus=("$@") made=() missing=()
if [ $# -eq 0 ]; then cpus=(x86_64 aarch64); fi
PATH=$("$here/tools.sh"):$PATH
rm -rf "$out"
for cpu in "${cpus[@]}"; do
    triple=$cpu-unknown-linux-gnu
    if ! has_target "$triple"; then
        say "$cpu is NOT made: the Rust target $triple is not installed (rustup target add $triple)"
        missing+=("$cpu")
        continue
    fi
    say "$cpu: building"
    build "$triple"
    "$here/nats-server.sh" "$cpu" "$work/nats-$cpu"
    facts "$cpu" "$triple" "$work/nats-$cpu" "$work/facts-$cpu"
    "$here/assemble.sh" "$target/$triple/release" "$work/nats-$cpu/nats-server" "$work/facts-$cpu" "$out" "$suffix"
    cp "$work/facts-$cpu/sbom.cdx.json" "$out/gongkai-$version-linux-$cpu$suffix.cdx.json"
    made+=("$cpu")
done
[ ${#made[@]} -gt 0 ] || exit 3
"$here/sign.sh" "$out" "$key"
(cd "$out" && ls -l >&2)
say "made for ${made[*]} in $out${missing[*]:+; left out: ${missing[*]}}"
if [ $# -gt 0 ] && [ ${#missing[@]} -gt 0 ]; then exit 3; fi
