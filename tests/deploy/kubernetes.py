"""deploy/kubernetes: merged as kustomize merges it, by the schemas of Kubernetes, KEDA and Prometheus' operator, and what it must have."""
import os
import shutil
import tempfile
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

import dashboards
import kustomize
from checking import DEPLOY, ROOT, SERVICES, lost, run

OVERLAYS = ["production", "trial"]
KEDA = ROOT / "tests/deploy/schemas/keda.sh_scaledobjects.yaml"
# The stream and consumer of each service whose lag says that it needs more replicas.
LAGS = {"ingest": "ingest-state", "parse": "parse", "validate": "validate", "notify": "notify"}
STRICT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONFINED = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def check():
    with tempfile.TemporaryDirectory() as folder:
        for overlay in OVERLAYS:
            copy = Path(folder) / overlay
            shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("site"))
            code, said = run(copy / "kubernetes/prepare.sh", overlay)
            if code:
                yield f"prepare.sh {overlay}: {said}"
                continue
            site = copy / "kubernetes/site"
            resources = kustomize.build(site)
            yield from (f"{overlay}: {fault}" for fault in faults(resources, overlay))
            for name in ["repair", "backup"]:
                extra = kustomize.build(site / name)
                yield from (f"{overlay}: {name}: {fault}" for fault in [*invalid(extra), *unsafe(extra), *dangling(resources + extra)])
            yield from (f"{overlay}: monitoring: {fault}" for fault in unwatched(kustomize.build(site / "monitoring"), resources))
            config = "cluster.conf" if overlay == "production" else "server.conf"
            (site / "nats/data").mkdir()
            code, said = run(os.environ["GONGKAI_NATS_SERVER"], "-t", "--config", config, cwd=site / "nats")
            if code:
                yield f"{overlay}: a node's configuration: {said}"


def faults(resources, overlay):
    yield from invalid(resources)
    yield from unsafe(resources)
    yield from dangling(resources)
    if overlay != "trial":
        yield from incomplete(resources)
    elif any(item["kind"] == "ScaledObject" for item in resources):
        yield "KEDA is needed"


def invalid(resources):
    """Faults by the schemas."""
    versions = yaml.safe_load(KEDA.read_text())["spec"]["versions"]
    keda = {version["name"]: version["schema"]["openAPIV3Schema"] for version in versions}
    for item in resources:
        name = f"{item['kind']} {item['metadata']['name']}"
        try:
            if item["kind"] == "ScaledObject":
                jsonschema.validate(item, strict(keda[item["apiVersion"].partition("/")[2]]))
            elif item["apiVersion"] == "monitoring.coreos.com/v1":
                known = getattr(operator, item["kind"]).model_validate(item)
                for key in lost(item, known.model_dump(mode="json", by_alias=True, exclude_none=True)):
                    yield f"{name}: {key} is not known"
            else:
                kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError, ValueError) as error:
            yield f"{name}: {getattr(error, 'message', error)}"


def unwatched(monitoring, resources):
    """What Prometheus and Grafana do not get of a deployment."""
    yield from invalid(monitoring)
    held = {item["kind"]: item for item in monitoring}
    if held["PrometheusRule"]["spec"] != yaml.safe_load((DEPLOY / "observability/rules.yml").read_text()):
        yield "the rules are not those of deploy/observability"
    if set(held["ConfigMap"]["data"]) != {f"{name}.json" for name in dashboards.NAMES}:
        yield "a dashboard is missing"
    selected = held["PodMonitor"]["spec"]["selector"]["matchLabels"]
    endpoint = held["PodMonitor"]["spec"]["podMetricsEndpoints"][0]
    credentials = endpoint["authorization"]["credentials"]
    secrets = {(item["metadata"]["name"], key) for item in resources if item["kind"] == "Secret" for key in item["data"]}
    if (credentials["name"], credentials["key"]) not in secrets:
        yield "there is no such token"
    for item in resources:
        if item["kind"] == "Deployment" and item["metadata"]["name"] in SERVICES:
            template = item["spec"]["template"]
            ports = {port["name"] for container in template["spec"]["containers"] for port in container["ports"]}
            if not selected.items() <= template["metadata"]["labels"].items() or endpoint["port"] not in ports:
                yield f"{item['metadata']['name']} is not read"


def strict(schema):
    """The schema with unknown keys refused, as kubernetes-validate does."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    stricter = {key: strict(value) for key, value in schema.items()}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    # Of a resource's metadata the schema says no more than that it is an object.
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict) and not is_open:
        stricter["additionalProperties"] = False
    return stricter


def unsafe(resources):
    for item in resources:
        pod = kustomize.pod(item)
        if pod is None:
            continue
        name = item["metadata"]["name"]
        if any(pod["securityContext"].get(key) != value for key, value in STRICT.items()) or pod.get("automountServiceAccountToken") is not False:
            yield f"{name}: the pod may be root, or has a token of the cluster"
        for container in pod["containers"]:
            image = container["image"]
            if ":" not in image or image.endswith(":latest") or "/" not in image:
                yield f"{name}: {image} names no registry or no version"
            if any(container["securityContext"].get(key) != value for key, value in CONFINED.items()):
                yield f"{name}: the container is not confined"
            if "memory" not in container["resources"].get("limits", {}) or set(container["resources"].get("requests", {})) != {"cpu", "memory"}:
                yield f"{name}: has no limits"
            if any("value" in variable and "SECRET" in variable["name"].upper() for variable in container.get("env", [])):
                yield f"{name}: a secret in the environment"


def dangling(resources):
    """ConfigMaps, Secrets and keys that are mounted and not there."""
    held = {(item["kind"], item["metadata"]["name"]): set(item.get("data", {})) for item in resources}
    for item in resources:
        for volume in (kustomize.pod(item) or {}).get("volumes", []):
            for source in volume.get("projected", {}).get("sources", [volume]):
                for key, kind in [("configMap", "ConfigMap"), ("secret", "Secret")]:
                    if key not in source:
                        continue
                    named = source[key].get("name") or source[key].get("secretName")
                    wanted = {entry["key"] for entry in source[key].get("items", [])}
                    if (kind, named) not in held or not wanted <= held[kind, named]:
                        yield f"{item['metadata']['name']} mounts {kind} {named} {wanted or ''}, which is not there"


def incomplete(resources):
    held = {(item["kind"], item["metadata"]["name"]): item for item in resources}
    for service in [*SERVICES, "nats"]:
        workload = held.get(("Deployment", service)) or held.get(("StatefulSet", service))
        budget = held.get(("PodDisruptionBudget", service))
        if not workload or not budget:
            yield f"{service}: no workload, or no disruption budget"
            continue
        labels = workload["spec"]["template"]["metadata"]["labels"]
        for selector in [workload["spec"]["selector"], budget["spec"]["selector"]]:
            if not selector["matchLabels"].items() <= labels.items():
                yield f"{service}: a selector does not select its pods"
        container = workload["spec"]["template"]["spec"]["containers"][0]
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
            if container.get(probe, {}).get("httpGet", {}).get("port") not in {port["name"] for port in container["ports"]}:
                yield f"{service}: {probe} asks no port of its own"
    for service, consumer in LAGS.items():
        if "replicas" in held["Deployment", service]["spec"]:
            yield f"{service}: whoever applies it undoes what KEDA has set"
        scaled = held.get(("ScaledObject", service))
        if not scaled or scaled["spec"]["triggers"][0]["metadata"]["consumer"] != consumer or "fallback" not in scaled["spec"]:
            yield f"{service}: is not scaled by its consumer's lag, with a fallback"
    if not any(item["kind"] == "NetworkPolicy" and item["spec"]["podSelector"] == {} and "ingress" not in item["spec"] for item in resources):
        yield "no policy denies what is not named"
