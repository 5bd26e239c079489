#!/usr/bin/env bash
# Builds, starts everything on free ports with its data in a temporary folder, feeds the sample reports, shows what came
# of them, and serves until Ctrl-C. ONCE=1 stops by itself; GONGKAI_PROGRAMS names a folder of built programs. Nothing is
# left running, nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "构建 / building"
nats_server=$(deploy/local/nats-server.sh)
if [ -z "${GONGKAI_PROGRAMS:-}" ]; then cargo build --quiet -p gongkai; fi
gongkai=${GONGKAI_PROGRAMS:-${CARGO_TARGET_DIR:-target}/debug}/gongkai

# The loopback address, 127.0.0.1 or ::1 on a host without IPv4, and ports that are free now: four of their own, and five in
# a row for the admin side.
read -r address http submissions reports nats admin < <(python3 - <<'PY'
import random
import socket


def held(host, port):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        s.bind((host, port))
    except OSError:
        return None
    return s


loopback = "127.0.0.1" if held("127.0.0.1", 0) else "::1"
single = [held(loopback, 0) for _ in range(4)]
while True:
    first = random.randrange(20000, 30000)
    if all([held(loopback, first + i) for i in range(5)]):
        break
print(loopback, *(s.getsockname()[1] for s in single), first)
PY
)
case $address in *:*) host="[$address]" ;; *) host=$address ;; esac
export GONGKAI_INGEST__HTTP_ADDRESS=$host:$http GONGKAI_INGEST__GRPC_ADDRESS=$host:$submissions
export GONGKAI_QUERY__BIND=$host:$reports GONGKAI_NATS__URL=nats://$host:$nats
export GONGKAI_ADMIN__ADDRESS=$address GONGKAI_ADMIN__PORT=$admin

data=$(mktemp -d)
log=$data/gongkai.log
pid=
stop() {
    trap - EXIT INT TERM
    if [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null; then wait "$pid" || true; fi
    rm -rf "$data"
}
trap stop EXIT
trap 'exit 130' INT TERM

say "启动 / starting"
"$gongkai" up --data "$data" --nats-server "$nats_server" >"$data/up.txt" 2>"$log" &
pid=$!
for _ in $(seq 600); do
    if grep -q 'gongkai is up' "$data/up.txt"; then break; fi
    if ! kill -0 "$pid" 2>/dev/null; then tail -n 20 "$log" >&2; exit 1; fi
    sleep 0.1
done
grep -q 'gongkai is up' "$data/up.txt" || { echo "not ready within 60 s" >&2; tail -n 20 "$log" >&2; exit 1; }
cat "$data/up.txt"

say "提交样例 / handing in the sample reports"
for file in tests/samples/[0-9]*; do
    # Samples of one number are revisions of one page.
    number=${file##*/}
    url=https://www.yunxi.example/nianbao/${number%%_*}.html
    # A refused sample makes submit exit with a code of its own: that is what it is there to show.
    "$gongkai" submit --ingest "http://$host:$http" --url "$url" --wait "$file" || true
done

say "年报 / reports"
"$gongkai" list --query "http://$host:$reports"
say "疑点 / findings"
"$gongkai" findings --query "http://$host:$reports"
say "系统 / system"
"$gongkai" status || true

if [ -n "${ONCE:-}" ]; then
    say "ONCE=1：停止 / stopping"
    exit 0
fi
say "试试 / try"
cat <<TEXT
  $gongkai get --query http://$host:$reports agencies/…/reports/2023
  $gongkai watch --query http://$host:$reports
  curl -sS http://$host:$http/v1/check -H 'Content-Type: text/plain' --data-binary @tests/samples/02_tab_rows_wrong_total.txt
按 Ctrl-C 停止 / Ctrl-C stops everything
TEXT
wait "$pid"
