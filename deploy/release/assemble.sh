#!/usr/bin/env bash
# Puts the artefacts of one CPU together: a tarball, a Debian package and an image. The same input gives the same bytes.
#
#   assemble.sh PROGRAMS NATS_SERVER FACTS OUT [SUFFIX]
#
#   PROGRAMS     the folder of cargo's release build
#   FACTS        a folder with MANIFEST (which names the version and the CPU), sbom.cdx.json and THIRD-PARTY.txt
#   OUT          the folder of the artefacts
#   SUFFIX       at the end of their names, such as -unsigned
#
# The environment: SOURCE_DATE_EPOCH is the time of every file, GONGKAI_REGISTRY the registry in the image's name.
# What a machine lacks is said aloud, and what needs it is not made.
set -euo pipefail
umask 022
deploy=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
source=$(dirname -- "$deploy")
programs=$1 nats_server=$2 facts=$3 out=$4 suffix=${5:-}
: "${SOURCE_DATE_EPOCH:?}" "${GONGKAI_REGISTRY:=docker.io}"
services=(ingest parse validate notify query)
version=$(sed -n 's/^version: //p' "$facts/MANIFEST")
cpu=$(sed -n 's/^cpu: //p' "$facts/MANIFEST") # as uname -m says it
name=gongkai-$version-linux-$cpu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
usr=$work/$name/files/usr
mkdir -p "$out"

say() { printf 'assemble.sh: %s\n' "$*" >&2; }

# copy FROM… TO: the files of a folder of deploy/, as they are in the repository.
copy() { install -d "${@: -1}" && cp -R "$@"; }

lay_programs() {
    install -d "$usr/bin"
    install -m 755 "$programs/gongkai" "${services[@]/#/$programs/gongkai-}" "$usr/bin/"
    install -m 755 "$nats_server" "$usr/bin/nats-server"
}

lay_units() {
    copy "$deploy"/systemd/*.service "$deploy"/systemd/*.target "$deploy"/systemd/*.timer "$deploy"/systemd/*.service.d "$usr/lib/systemd/system"
    install -D -m 644 "$deploy/systemd/sysusers.conf" "$usr/lib/sysusers.d/gongkai.conf"
    install -D -m 644 "$deploy/systemd/tmpfiles.conf" "$usr/lib/tmpfiles.d/gongkai.conf"
    install -D -m 644 "$deploy/systemd/journald.conf" "$usr/lib/systemd/journald.conf.d/gongkai.conf"
}

# What an operator copies from: brokers, dashboards and rules, containers, publishing systems, samples.
lay_shared() {
    copy "$deploy"/{adapters,cms,compose,kubernetes,nats,observability,rules} "$deploy/gongkai.toml" "$usr/share/gongkai"
    rm -rf "$usr/share/gongkai"/{compose,kubernetes}/site
    copy "$source/tests/samples/02_tab_rows_wrong_total.txt" "$usr/share/gongkai/samples"
    install -m 755 "$deploy"/release/{setup,uninstall}.sh "$usr/share/gongkai/"
}

lay_documents() {
    local documents=$usr/share/doc/gongkai
    copy "$deploy/README.md" "$deploy/compliance.md" "$deploy/runbooks" "$documents"
    for folder in adapters cms nats; do install -D -m 644 "$deploy/$folder/README.md" "$documents/$folder/README.md"; done
    install -D -m 644 "$source/README.md" "$documents/gongkai/README.md"
    install -m 644 "$source"/{README.zh-CN.md,CHANGELOG.md,ARCHITECTURE.md,LICENSE} "$documents/gongkai/"
    install -m 644 "$facts"/{THIRD-PARTY.txt,sbom.cdx.json} "$documents/"
}

# Manual pages and completions, which gongkai itself writes.
lay_pages() {
    [ "$cpu" = "$(uname -m)" ] || { say "manual pages and completions are NOT in it: gongkai for $cpu does not run here"; return; }
    "$programs/gongkai" man --output "$usr/share/man/man1" >/dev/null
    install -d "$usr/share/bash-completion/completions"
    "$programs/gongkai" completions bash >"$usr/share/bash-completion/completions/gongkai"
}

lay_release() {
    install -m 644 "$facts/MANIFEST" "$usr/share/gongkai/MANIFEST"
    install -m 644 "$facts/MANIFEST" "$deploy/release/gongkai.toml" "$source/LICENSE" "$work/$name/"
    install -m 755 "$deploy"/release/{install,uninstall}.sh "$work/$name/"
    (cd "$work/$name" && find . -type f | LC_ALL=C sort | xargs sha256sum) >"$work/sums"
    install -m 644 "$work/sums" "$work/$name/SHA256SUMS"
}

# tarball FOLDER FILE: with sorted names, one time and one owner.
tarball() {
    tar --directory "$(dirname "$1")" --create --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
        --owner=0 --group=0 --numeric-owner --mode=go-w "$(basename "$1")" | gzip -9 --no-name >"$2"
}

debian_package() {
    command -v dpkg-deb >/dev/null || { say "the Debian package is NOT made: dpkg-deb is not installed"; return; }
    local root=$work/deb architecture=amd64
    if [ "$cpu" = aarch64 ]; then architecture=arm64; fi
    "$deploy/release/debian.sh" "$work/$name" "$root" "$version" "$architecture"
    find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$root" "$out/gongkai_${version}_$architecture$suffix.deb" >/dev/null
}

image() {
    [ "$cpu" = "$(uname -m)" ] || { say "the image is NOT made: it has the C library of $cpu, so make it on such a machine"; return; }
    [ "$(id -u)" -eq 0 ] || { say "the image is NOT made: its folders need their owners, which only root can give"; return; }
    "$deploy/image-root.sh" "$usr/bin" "$work/image"
    install -D -m 644 -t "$work/image/usr/share/doc/gongkai" "$source/LICENSE" "$facts"/{THIRD-PARTY.txt,sbom.cdx.json}
    python3 "$deploy/release/image.py" "$work/image" "$deploy/Dockerfile" "$cpu" "$GONGKAI_REGISTRY/gongkai:$version" \
        "$out/gongkai-$version-image-$cpu$suffix.tar.gz"
}

lay_programs
lay_units
lay_shared
lay_documents
lay_pages
lay_release
tarball "$work/$name" "$out/$name$suffix.tar.gz"
debian_package
image
