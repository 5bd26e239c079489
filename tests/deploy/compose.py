"""deploy/compose: the schema of Compose, and what its services must and must not have."""
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from checking import DEPLOY, SERVICES, run

FOLDER = DEPLOY / "compose"
REGISTRY = "${GONGKAI_REGISTRY:-docker.io}/"
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|NKEY|SEED|KEY$", re.I)


def check():
    file = FOLDER / "compose.yaml"
    code, said = run(Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", file)
    if code:
        yield f"schema: {said}"
    compose = yaml.safe_load(file.read_text())
    services = compose["services"]
    for name, service in services.items():
        yield from (f"{name}: {fault}" for fault in faults(service))
    for name in [*SERVICES, "nats-0", "nats-1", "nats-2", "postgres", "collector", "prometheus", "alertmanager", "host", "grafana", "jaeger"]:
        if name not in services:
            yield f"there is no service {name}"
    mounted = [secret for service in services.values() for secret in service.get("secrets", [])]
    given, used = set(compose["secrets"]), {secret if isinstance(secret, str) else secret["source"] for secret in mounted}
    if given != used:
        yield f"secrets that are not used or not given: {given ^ used}"
    yield from mounts(compose)
    if "sync_interval: always" not in (DEPLOY / "nats/cluster.conf").read_text():
        yield "cluster.conf does not sync always"
    if "replicas = 3" not in (FOLDER / "gongkai.toml").read_text():
        yield "gongkai.toml does not name three replicas"


def faults(service):
    image = service["image"]
    if not image.startswith(REGISTRY):
        yield f"{image} is not of GONGKAI_REGISTRY"
    tag = image.removeprefix(REGISTRY).partition(":")[2]
    if not tag or "latest" in tag:
        yield f"{image} names no version"
    if str(service.get("user", "0")).split(":")[0] in {"0", "root"}:
        yield "runs as root"
    if not service.get("read_only") or service.get("cap_drop") != ["ALL"]:
        yield "its root can be written, or it has capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"] or service.get("privileged"):
        yield "may gain privileges"
    if "mem_limit" not in service or "pids_limit" not in service:
        yield "has no limits"
    for key in service.get("environment", {}):
        if SECRET.search(key) and not key.endswith("_FILE"):
            yield f"{key} holds a secret"


def mounts(compose):
    """Whether prepare.sh makes every file that is mounted."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "deploy"
        shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("site"))
        code, said = run(copy / "compose/prepare.sh")
        if code:
            yield f"prepare.sh: {said}"
        bound = [mount["source"] for service in compose["services"].values() for mount in service.get("volumes", [])]
        files = [secret["file"] for secret in compose["secrets"].values()]
        for source in sorted({*bound, *files}):
            if not (copy / "compose" / source).exists():
                yield f"{source} is mounted and not there"
        code, said = run(os.environ["GONGKAI_NATS_SERVER"], "-t", "--config", "cluster.conf", cwd=copy / "compose/site/node")
        if code:
            yield f"a node's configuration: {said}"
        if list((copy / "compose/site/node").rglob("*.nk")) or (copy / "compose/site/node/tls/ca.key").exists():
            yield "a node gets a seed, or the key of the authority"
