#!/bin/sh
# Provides Prometheus, Alertmanager and node-exporter, with promtool and amtool: those on the PATH, else Debian's packages,
# unpacked into .tools and not installed, so that no daemon is started. Prints the folder that belongs on the PATH.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
folder=$root/.tools/prometheus
PATH=$folder/usr/bin:$PATH

lacks() {
    for name in prometheus promtool prometheus-alertmanager amtool prometheus-node-exporter; do
        command -v "$name" >/dev/null || return 0
    done
    return 1
}

if lacks; then
    command -v apt-get >/dev/null || { echo "prometheus-tools.sh: install Prometheus, Alertmanager and node-exporter" >&2; exit 1; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if [ "$(id -u)" -eq 0 ]; then apt-get update -q >&2; fi
    (cd "$work" && apt-get download -q prometheus prometheus-alertmanager prometheus-node-exporter >&2)
    mkdir -p "$folder"
    for package in "$work"/*.deb; do dpkg-deb -x "$package" "$folder"; done
fi
printf '%s\n' "$folder/usr/bin"
