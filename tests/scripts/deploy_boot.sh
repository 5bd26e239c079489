#!/usr/bin/env bash
# Boots a container with systemd, does there what deploy/README.md says under "One host", and shows what came of it. Needs
# root, systemd-nspawn (Debian: systemd-container) and the tarball of `make release`; GONGKAI_TARBALL names another. The
# container has this host's /usr under a layer of its own, no network and no CA certificates, and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "deploy_boot.sh: needs root" >&2; exit 1; }
command -v systemd-nspawn >/dev/null || { echo "deploy_boot.sh: needs systemd-nspawn (Debian: systemd-container)" >&2; exit 1; }
# The latest one.
tarball=${GONGKAI_TARBALL:-$(find target/dist -name "gongkai-*-linux-$(uname -m)*.tar.gz" -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-)}
[ -f "$tarball" ] || { echo "deploy_boot.sh: there is no tarball in target/dist: run make release" >&2; exit 1; }

work=$(mktemp -d /dev/shm/gongkai-boot.XXXXXX)
trap 'umount "$work/root/usr" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work"/{upper,layer,trial} "$work"/root/{usr,etc/systemd/system,proc,sys,dev,run,tmp,var}
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$work/upper,workdir=$work/layer" "$work/root/usr"
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$work/root/$folder"; done
cp /etc/os-release "$work/root/etc/"
echo uninitialized >"$work/root/etc/machine-id"
# It would ask for a password.
ln -s /dev/null "$work/root/etc/systemd/system/systemd-firstboot.service"

# What the README says, with the tarball under the name that it has there.
cp "$tarball" "$work/trial/$(grep -o 'gongkai-[0-9.]*-linux-x86_64.tar.gz' deploy/README.md | head -n 1)"
# shellcheck disable=SC2016 # the container's shell expands it
ready='for port in 8081 8082 8083 8084 8085; do curl -sSf --retry 60 --retry-delay 1 --retry-all-errors "http://127.0.0.1:$port/readyz"; done'
{
    echo 'set -eux; cd /trial; sudo() { env "$@"; }'
    awk '/^## / { within = $0 == "## One host" } within && /^```/ { fenced = !fenced; next } within && fenced' deploy/README.md \
        | sed -e "/^gongkai submit/i $ready"
    echo 'systemctl is-active gongkai-nats gongkai@{ingest,parse,validate,notify,query}; set +x; echo THE TRIAL IS DONE'
} >"$work/trial/trial.sh"
cat >"$work/root/usr/lib/systemd/system/trial.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /trial/trial.sh
StandardOutput=file:/trial/said.txt
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
UNIT
mkdir -p "$work/root/usr/lib/systemd/system/multi-user.target.wants"
ln -s ../trial.service "$work/root/usr/lib/systemd/system/multi-user.target.wants/trial.service"

timeout 300 systemd-nspawn --directory "$work/root" --machine "gongkai-boot-$$" --register=no --keep-unit --private-network \
    --bind "$work/trial:/trial" --boot </dev/null >"$work/boot.log" 2>&1 || true
cat "$work/trial/said.txt" || tail -n 40 "$work/boot.log"
grep -q '^THE TRIAL IS DONE$' "$work/trial/said.txt"
