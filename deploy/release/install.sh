#!/bin/sh
# Installs gongkai from this folder. Calls nobody. Run again, or from a later release, it upgrades: data and configuration stay.
#
#   install.sh [--dry-run] [--root FOLDER] [--prefix FOLDER] [--plain] [--overwrite]
#
#   --dry-run        says what would be done and changes nothing
#   --root FOLDER    installs below FOLDER, such as the root of an image; starts nothing, makes no keys
#   --prefix FOLDER  where programs and documents go; default /usr
#   --plain          makes users and folders without systemd, as is done where there is none
#   --overwrite      replaces files that something else has put where ours belong
#
# Exit codes: 0 done; 1 a step failed, and may be repeated; 64 wrong usage; 65 this folder is damaged; 69 this host does not
# fit (CPU, C library); 73 files of something else are in the way; 77 it needs root.
set -eu
umask 022
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
new=$here/files/usr
dry="" root="" prefix=/usr plain="" overwrite=""

say() { printf '%s\n' "install.sh: $*"; }
die() { code=$1; shift; say "$*" >&2; exit "$code"; }
usage() { sed -n '2,14s/^# \{0,1\}//p' "$0"; }
act() { if [ -n "$dry" ]; then say "would run: $*"; else "$@"; fi; }
fact() { sed -n "s/^$1: //p" "$here/MANIFEST"; }

while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry=yes ;;
        --plain) plain=yes ;;
        --overwrite) overwrite=yes ;;
        --root | --prefix)
            [ $# -ge 2 ] || die 64 "$1 needs a folder"
            case $2 in /*) ;; *) die 64 "$1 needs an absolute path, not $2" ;; esac
            if [ "$1" = --root ]; then root=${2%/}; else prefix=${2%/}; fi
            shift
            ;;
        --help) usage; exit 0 ;;
        *) usage >&2; die 64 "unknown argument: $1" ;;
    esac
    shift
done

# --- may it be installed here? ---

check_contents() {
    (cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) >&2 ||
        die 65 "the contents of $here are not those of SHA256SUMS: unpack the tarball again, and verify its signature"
}

check_host() {
    cpu=$(fact cpu) least=$(fact glibc)
    [ "$(uname -m)" = "$cpu" ] || die 69 "this release is for $cpu, and this host is $(uname -m): take the tarball of that CPU"
    libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || die 69 "this host has no glibc: gongkai needs glibc $least or later"
    libc=${libc#glibc }
    [ "${libc%%.*}" -gt "${least%%.*}" ] || [ "$(minor "$libc")" -ge "$(minor "$least")" ] ||
        die 69 "glibc is $libc here, and gongkai needs $least or later"
    "$new/bin/gongkai" --version >/dev/null || die 69 "gongkai does not start on this host; what it said is above"
}

# minor 2.17.1: 17
minor() { minor=${1#*.}; printf '%s\n' "${minor%%[!0-9]*}"; }

# --- where a file goes ---

# The place of a file of files/usr, without the root. Where the prefix is not that of the system's own packages, systemd
# looks for units in /etc.
place() {
    case $prefix:$1 in
        /usr:*) printf '/usr/%s\n' "$1" ;;
        *:lib/systemd/*) printf '/etc/systemd/%s\n' "${1#lib/systemd/}" ;;
        *:lib/*) printf '/etc/%s\n' "${1#lib/}" ;;
        *) printf '%s/%s\n' "$prefix" "$1" ;;
    esac
}

list=$prefix/share/gongkai/installed
shipped() { (cd "$new" && find . -type f | sed 's|^\./||' | LC_ALL=C sort); }
places() { shipped | while read -r file; do place "$file"; done; echo "$list"; }
is_ours() { [ -f "$root$list" ] && grep -qxF -- "$1" "$root$list"; }

# put SOURCE PLACE: in one step, so that a program may be running and nobody sees half a file.
put() {
    target=$root$2
    if [ -f "$target" ] && cmp -s "$1" "$target"; then return; fi
    if [ -n "$dry" ]; then say "would write $target"; return; fi
    mkdir -p "${target%/*}"
    cp "$1" "$target.new-gongkai"
    mv -f "$target.new-gongkai" "$target"
}

check_places() {
    in_the_way=$(places | while read -r path; do
        if [ -e "$root$path" ] && ! is_ours "$path"; then echo "$root$path"; fi
    done)
    [ -z "$in_the_way" ] || [ -n "$overwrite" ] ||
        die 73 "not of an installed release, and in the way (--overwrite replaces them):
$in_the_way"
}

# --- the steps ---

# Files of the broker's configuration. One that nobody edited is replaced. Beside one that was edited the new one is laid
# as NAME.new, if the releases differ in it.
put_configuration() {
    for source in "$new"/share/gongkai/nats/*; do
        name=${source##*/}
        present=/etc/gongkai/nats/$name
        before=$root$prefix/share/gongkai/nats/$name
        if [ ! -e "$root$present" ] || cmp -s "$before" "$root$present"; then
            put "$source" "$present"
        elif ! cmp -s "$source" "$root$present" && ! cmp -s "$source" "$before"; then
            say "$root$present was edited and stays; the new one is $name.new beside it"
            put "$source" "$present.new"
        fi
    done
    [ -e "$root/etc/gongkai/gongkai.toml" ] || put "$here/gongkai.toml" /etc/gongkai/gongkai.toml
}

put_files() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    places >"$work/installed"
    if [ -f "$root$list" ]; then
        grep -vxF -f "$work/installed" "$root$list" | while read -r gone; do act rm -f "$root$gone"; done
    fi
    shipped | while read -r file; do
        source=$new/$file
        case $file in
            lib/systemd/*)
                source=$work/unit
                sed -e "s,/usr/bin/,$prefix/bin/,g" -e "s,/usr/share/,$prefix/share/,g" "$new/$file" >"$source"
                ;;
        esac
        put "$source" "$(place "$file")"
    done
    put "$work/installed" "$list"
}

tell() {
    if [ -n "$dry" ]; then say "nothing was changed"; return; fi
    say "gongkai $(fact version) is installed${root:+ in $root}${was:+, it was $was}"
    [ -z "$root" ] || return 0
    if [ -n "$was" ]; then
        first="restart gongkai-nats.service" then="restart 'gongkai@*.service'"
    else
        first="enable --now gongkai-nats.service" then="enable --now gongkai.target"
    fi
    cat <<TEXT
Next:
  systemctl $first
  GONGKAI_NATS__NKEY_FILE=/etc/gongkai/nats/seeds/gongkai/admin.nk $prefix/bin/gongkai doctor --repair --config /etc/gongkai/gongkai.toml
  systemctl $then
TEXT
}

check_contents
check_host
[ -n "$root" ] || [ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || die 77 "it needs root: run it with sudo, or with --root FOLDER"
check_places
was=$(sed -n 's/^version: //p' "$root$prefix/share/gongkai/MANIFEST" 2>/dev/null || true)
put_configuration
put_files
"$new/share/gongkai/setup.sh" ${dry:+--dry-run} ${plain:+--plain} ${root:+--root "$root"}
tell
