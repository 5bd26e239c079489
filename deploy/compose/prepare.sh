#!/bin/sh
# Makes what compose.yaml mounts: keys, certificates, tokens, passwords and folders for data, in
# ./site. Calls nobody. What is there stays.
set -eu
umask 077
cd "$(dirname "$0")"
nats=site/nats
mkdir -p "$nats" site/tokens
for name in nats-0 nats-1 nats-2 query backups postgres prometheus alertmanager grafana; do mkdir -p "site/data/$name"; done

../nats/make_keys.py system "$nats"
../nats/make_keys.py tenant gongkai "$nats"
[ -e "$nats/tls/server.pem" ] || ../nats/make_certificates.sh "$nats/tls" nats-0 nats-1 nats-2 localhost 127.0.0.1
for name in ingest.token query.token admin.token postgres.password grafana.password; do
    [ -e "site/tokens/$name" ] || openssl rand -hex 32 >"site/tokens/$name"
done

# What a node reads: no seed, and not the key of the authority.
node=site/node
mkdir -p "$node/tls"
cp ../nats/cluster.conf ../nats/accounts.conf "$nats/system.conf" "$node"
[ -e "$node/sites.conf" ] || cp ../nats/sites.conf "$node"
cp -R "$nats/tenants" "$node"
cp "$nats/tls/ca.pem" "$nats/tls/server.pem" "$nats/tls/server.key" "$node/tls"

# The containers run as 10001, PostgreSQL as 999, and a bind mount keeps the host's owner.
if [ "$(id -u)" -eq 0 ]; then
    chown -R 10001:10001 site
    chown -R 999:999 site/tokens/postgres.password site/data/postgres
else
    echo "prepare.sh: not root: give the files to the containers with: sudo chown -R 10001:10001 $PWD/site" >&2
fi
