#!/usr/bin/env bash
# Lays the root of a Debian package out of the folder of a release: the same files in the same places, with what dpkg
# must know. cargo-deb would need every file named a second time, in Cargo.toml, and builds one CPU at a time.
#
#   debian.sh RELEASE ROOT VERSION ARCHITECTURE
set -euo pipefail
umask 022
release=$1 root=$2 version=$3 architecture=$4
mkdir -p "$root/DEBIAN" "$root/etc/gongkai/nats"
cp -R "$release/files/usr" "$root/"
cp "$root"/usr/share/gongkai/nats/* "$root/etc/gongkai/nats/"
cp "$release/gongkai.toml" "$root/etc/gongkai/"
# dpkg knows the files, and removes them.
rm "$root/usr/share/gongkai/uninstall.sh"
(cd "$root" && find etc -type f | sed 's|^|/|' | LC_ALL=C sort) >"$root/DEBIAN/conffiles"

cat >"$root/DEBIAN/control" <<CONTROL
Package: gongkai
Version: $version
Architecture: $architecture
Maintainer: gongkai <gongkai@localhost>
Installed-Size: $(du -ks "$root" --exclude=DEBIAN | cut -f 1)
Depends: libc6 (>= 2.17)
Recommends: systemd, python3, openssl
Conflicts: nats-server
Section: net
Priority: optional
Description: reads and checks annual reports on government information disclosure
 Accepts the annual reports of public bodies, reads every cell, checks the numbers, alerts the responsible people, and
 serves the result to other systems. With nats-server and units for one host.
CONTROL

# DPKG_ROOT is set by dpkg --root --force-script-chrootless.
cat >"$root/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
# Starts nothing: /usr/share/doc/gongkai/README.md says how.
set -e
if [ "$1" = configure ]; then "${DPKG_ROOT:-}/usr/share/gongkai/setup.sh" ${DPKG_ROOT:+--root "$DPKG_ROOT"}; fi
SCRIPT

cat >"$root/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now gongkai.target gongkai-nats.service gongkai-backup.timer || true
    systemctl stop 'gongkai@*.service'
fi
SCRIPT

cat >"$root/DEBIAN/postrm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = purge ]; then rm -rf "${DPKG_ROOT:-}/etc/gongkai" "${DPKG_ROOT:-}/var/lib/gongkai"; fi
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
SCRIPT
chmod 755 "$root"/DEBIAN/{postinst,prerm,postrm}
