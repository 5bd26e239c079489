#!/bin/sh
# Removes what install.sh put on this host. Configuration, keys and data stay, unless they are to go too.
#
#   uninstall.sh [--dry-run] [--root FOLDER] [--prefix FOLDER] [--purge]
#
#   --dry-run        says what would be done and changes nothing
#   --root, --prefix as install.sh was given them
#   --purge          removes /etc/gongkai, /var/lib/gongkai and the users too: the log of record is lost. Backups stay
#
# Exit codes: 0 done; 1 a step failed; 64 wrong usage; 66 no release is installed there; 77 it needs root.
set -eu
dry="" root="" prefix=/usr purge=""

say() { printf '%s\n' "uninstall.sh: $*"; }
die() { code=$1; shift; say "$*" >&2; exit "$code"; }
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
act() { if [ -n "$dry" ]; then say "would run: $*"; else "$@"; fi; }

while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry=yes ;;
        --purge) purge=yes ;;
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

list=$root$prefix/share/gongkai/installed
[ -n "$root" ] || [ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || die 77 "it needs root: run it with sudo"
[ -f "$list" ] || [ -n "$purge" ] || die 66 "$list is not there: no release is installed"

remove_files() {
    files=$(cat "$list")
    printf '%s\n' "$files" | while read -r file; do act rm -f "$root$file"; done
    [ -z "$dry" ] || return 0
    # Our folders, as far as they are empty now.
    printf '%s\n' "$files" | sed -n 's,\(.*/gongkai[^/]*\)/.*,\1,p' | sort -ru | while read -r folder; do
        if [ -d "$root$folder" ]; then find "$root$folder" -depth -type d -empty -delete; fi
    done
}

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    act systemctl disable --now gongkai.target gongkai-nats.service gongkai-backup.timer || say "some units were not enabled"
    act systemctl stop 'gongkai@*.service'
fi
if [ -f "$list" ]; then remove_files; fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then act systemctl daemon-reload; fi

if [ -n "$purge" ]; then
    act rm -rf "$root/etc/gongkai" "$root/var/lib/gongkai"
    if [ -z "$root" ]; then
        for user in nats ingest parse validate notify query backup; do
            if getent passwd "gongkai-$user" >/dev/null; then act userdel "gongkai-$user"; fi
        done
        if getent group gongkai >/dev/null; then act groupdel gongkai; fi
    fi
    [ -n "$dry" ] || say "gongkai is removed, with its configuration and data"
elif [ -z "$dry" ]; then
    say "gongkai is removed; $root/etc/gongkai, $root/var/lib/gongkai and the users stay (--purge removes them)"
fi
