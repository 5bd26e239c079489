#!/usr/bin/env bash
# Runs the demo where there is no IPv4: in a network namespace whose loopback has ::1 only. The programs are those of
# target/debug, built where needed; GONGKAI_PROGRAMS names another folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
deploy/local/nats-server.sh >/dev/null
if [ -z "${GONGKAI_PROGRAMS:-}" ]; then cargo build --quiet -p gongkai; fi
export GONGKAI_PROGRAMS=${GONGKAI_PROGRAMS:-${CARGO_TARGET_DIR:-target}/debug} ONCE=1

user=()
if [ "$(id -u)" -ne 0 ]; then user=(--map-root-user); fi
# shellcheck disable=SC2016 # the inner shell expands it
said=$(unshare --net "${user[@]}" sh -euc '
    ip link set lo up
    ip -4 address flush dev lo
    [ -z "$(ip -4 address)" ]
    exec deploy/local/demo.sh
' 2>&1) || { printf '%s\n' "$said" >&2; exit 1; }

for line in 'http://[::1]:' 'nats://[::1]:' '云溪县' 'T3-ROW'; do
    grep -qF -- "$line" <<<"$said" || { printf '%s\n' "$said" >&2; echo "ipv6_check.sh: the demo does not show $line" >&2; exit 1; }
done
echo "ipv6: the demo passes over ::1 alone"
