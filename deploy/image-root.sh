#!/bin/sh
# Puts what an image needs into a folder: the programs, the libraries that they load, and the system's certificates.
#
#   image-root.sh PROGRAMS FOLDER      PROGRAMS: the folder of cargo's release build
set -eu
programs=$1
image=$2
mkdir -p "$image/usr/bin" "$image/etc/ssl/certs" "$image/data" "$image/tmp"
chmod 1777 "$image/tmp"
chown 10001:10001 "$image/data"
for name in gongkai gongkai-ingest gongkai-parse gongkai-validate gongkai-notify gongkai-query; do
    install -m 755 "$programs/$name" "$image/usr/bin/$name"
    for library in $(ldd "$programs/$name" | grep -o '/[^ ]*'); do
        [ -e "$image$library" ] || install -D -m 755 "$library" "$image$library"
    done
done
cp -L /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
printf 'gongkai:x:10001:10001::/data:/nonexistent\n' >"$image/etc/passwd"
printf 'gongkai:x:10001:\n' >"$image/etc/group"
printf 'hosts: files dns\n' >"$image/etc/nsswitch.conf"
