#!/bin/sh
# Makes keys, certificates and tokens, and the kustomization that puts them into an overlay, in ./site. Calls nobody.
# What is there stays.
#
#   prepare.sh [OVERLAY]           production (default) or trial
#   kubectl apply -k site          then kubectl apply -k site/repair, once; site/backup for a backup every night
#   kubectl apply -k site/monitoring   where an operator runs Prometheus: targets, alerts, dashboards
set -eu
umask 077
cd "$(dirname "$0")"
overlay=${1:-production}
[ -d "overlays/$overlay" ] || { echo "prepare.sh: there is no overlay $overlay" >&2; exit 64; }
mkdir -p site/repair site/backup site/tokens site/monitoring

../nats/make_keys.py system site/nats
../nats/make_keys.py tenant gongkai site/nats
names="nats"
for node in nats-0 nats-1 nats-2; do names="$names $node.nats $node.nats.gongkai.svc"; done
# shellcheck disable=SC2086 # a list of names
[ -e site/nats/tls/server.pem ] || ../nats/make_certificates.sh site/nats/tls $names
for name in ingest.token query.token admin.token; do
    [ -e "site/tokens/$name" ] || openssl rand -hex 32 >"site/tokens/$name"
done
cp ../nats/accounts.conf site/nats
[ -e site/nats/sites.conf ] || cp ../nats/sites.conf site/nats
# Kubelet, KEDA and Prometheus read the monitoring from outside of the pod; network.yaml names them.
sed 's/^http: "[^"]*"/http: "0.0.0.0:8222"/' ../nats/cluster.conf >site/nats/cluster.conf
sed -e 's/^http: "[^"]*"/http: "0.0.0.0:8222"/' -e 's/^listen: "[^"]*"/listen: "0.0.0.0:4222"/' ../nats/server.conf >site/nats/server.conf

{
    cat <<TEXT
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: gongkai
resources: [../overlays/$overlay]
generatorOptions: { disableNameSuffixHash: true }
configMapGenerator:
  - { name: nats, files: [nats/cluster.conf, nats/server.conf, nats/accounts.conf, nats/sites.conf, nats/system.conf] }
  - { name: nats-tenant-gongkai, files: [nats/tenants/gongkai/tenant.conf, nats/tenants/gongkai/keys.conf] }
  - { name: broker-authority, files: [nats/tls/ca.pem] }
secretGenerator:
  - { name: nats-tls, files: [nats/tls/ca.pem, nats/tls/server.pem, nats/tls/server.key] }
  - { name: tokens, files: [tokens/admin.token, tokens/ingest.token, tokens/query.token] }
TEXT
    for service in ingest parse validate notify query; do
        echo "  - { name: nkey-$service, files: [seed=nats/seeds/gongkai/$service.nk] }"
    done
} >site/kustomization.yaml
cp -f site/nats/seeds/gongkai/backup.nk site/backup/backup.nk
cat >site/backup/kustomization.yaml <<TEXT
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: gongkai
resources: [../../backup]
generatorOptions: { disableNameSuffixHash: true }
secretGenerator:
  - { name: nkey-backup, files: [seed=backup.nk] }
TEXT
[ -e site/repair/admin.nk ] || cp site/nats/seeds/gongkai/admin.nk site/repair/admin.nk
cat >site/repair/kustomization.yaml <<TEXT
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: gongkai
resources: [../../repair]
generatorOptions: { disableNameSuffixHash: true }
secretGenerator:
  - { name: nkey-admin, files: [seed=admin.nk] }
TEXT

# Rules and dashboards as they are in deploy/observability; a kustomization reads nothing outside of its folder.
cp ../observability/grafana/dashboards/*.json site/monitoring
{
    cat <<TEXT
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: gongkai
  labels: { app.kubernetes.io/part-of: gongkai }
spec:
TEXT
    sed 's/^./  &/' ../observability/rules.yml
} >site/monitoring/rules.yaml
cat >site/monitoring/kustomization.yaml <<TEXT
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: gongkai
resources: [../../monitoring, rules.yaml]
generatorOptions: { disableNameSuffixHash: true }
configMapGenerator:
  - { name: gongkai-dashboards, files: [pipeline.json, reports.json, operations.json], options: { labels: { grafana_dashboard: "1" } } }
TEXT
