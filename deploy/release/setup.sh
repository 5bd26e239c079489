#!/bin/sh
# Makes what a host needs besides the files: users, keys of the broker, folders and their owners. install.sh and the Debian
# package call it. Calls nobody; what is there stays.
#
#   setup.sh [--dry-run] [--plain] [--root FOLDER]
#
#   --plain          by useradd and mkdir, as is done where there is no systemd
#   --root FOLDER    in FOLDER: by systemd only, and without keys, as each host has its own
set -eu
usr=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
dry="" plain="" root=""
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry=yes ;;
        --plain) plain=yes ;;
        --root) root=$2; shift ;;
        *) echo "setup.sh: unknown argument: $1" >&2; exit 64 ;;
    esac
    shift
done

say() { printf '%s\n' "setup.sh: $*"; }
act() { if [ -n "$dry" ]; then say "would run: $*"; else "$@"; fi; }

if [ "$(id -u)" -ne 0 ] && [ -z "$dry" ]; then
    say "users and folders are NOT made, as this is not root: run systemd-sysusers and systemd-tmpfiles --create in $root"
    exit 0
elif [ -z "$plain" ] && command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null; then
    maker=systemd
elif [ -n "$root" ]; then
    say "users and folders are NOT made in $root, which only systemd-sysusers and systemd-tmpfiles can do from outside"
    exit 0
else
    maker=plain
    say "systemd is not asked: users are made by useradd, folders by mkdir"
fi

make_users() {
    if [ "$maker" = systemd ]; then act systemd-sysusers ${root:+"--root=$root"} gongkai.conf; return; fi
    while read -r kind name rest; do
        case $kind in
            g) getent group "$name" >/dev/null || act groupadd --system "$name" ;;
            u) getent passwd "$name" >/dev/null ||
                act useradd --system --user-group --no-create-home --home-dir "${rest##* }" --shell /sbin/nologin "$name" ;;
            m) act usermod --append --groups "$rest" "$name" ;;
        esac
    done <"$usr/lib/sysusers.d/gongkai.conf"
}

make_keys() {
    nats=/etc/gongkai/nats
    if [ -n "$root" ]; then
        say "keys are NOT made in $root: each host has its own"
    elif [ -d "$nats/tenants" ] && [ ! -d "$nats/seeds/gongkai" ]; then
        say "the keys of the broker were made on another host and stay"
    elif ! command -v python3 >/dev/null || ! command -v openssl >/dev/null; then
        say "keys are NOT made: that needs python3 and openssl; see the README of $nats"
    else
        # An identity that has a key keeps it; the permissions are those of this release.
        act "$nats/make_keys.py" system "$nats"
        act "$nats/make_keys.py" tenant gongkai "$nats"
    fi
}

make_folders() {
    if [ "$maker" = systemd ]; then act systemd-tmpfiles ${root:+"--root=$root"} --create gongkai.conf; return; fi
    while read -r kind path mode user group; do
        if [ "$kind" = d ]; then act mkdir -p "$path"; elif [ "$kind" != z ] || [ ! -e "$path" ]; then continue; fi
        act chown "$user:$group" "$path"
        act chmod "$mode" "$path"
    done <"$usr/lib/tmpfiles.d/gongkai.conf"
}

make_users
make_keys
make_folders
if [ -z "$root" ] && [ -d /run/systemd/system ]; then act systemctl daemon-reload; fi
