"""Merges a kustomization as `kubectl kustomize` does, as far as deploy/kubernetes uses it; any other key is an error.

Resources, namespace, images, replicas, patches (strategic merge, inline, with a target), generators of ConfigMaps and
Secrets without a suffix, with labels.
"""
import base64
import copy

import yaml

KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "images", "replicas", "patches", "configMapGenerator", "secretGenerator",
    "generatorOptions",
}
# What names an item of a list that is merged by its items. Other lists are replaced.
NAMES = {"containers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath", "ports": "containerPort"}


def build(folder):
    """The resources of a kustomization, merged."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unknown = set(kustomization) - KNOWN
    if unknown:
        raise ValueError(f"{folder}: {unknown} is not merged here")
    resources = []
    for name in kustomization.get("resources", []):
        path = folder / name
        resources += build(path) if path.is_dir() else [item for item in yaml.safe_load_all(path.read_text()) if item]
    for kind, key in [("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")]:
        for generator in kustomization.get(key, []):
            resources = generated(resources, folder, kind, generator)
    for patch in kustomization.get("patches", []):
        resources = patched(resources, patch)
    for replicas in kustomization.get("replicas", []):
        found = [item for item in resources if item["metadata"]["name"] == replicas["name"] and item["kind"] in {"Deployment", "StatefulSet"}]
        if not found:
            raise ValueError(f"{folder}: there is no workload {replicas['name']}")
        for item in found:
            item["spec"]["replicas"] = replicas["count"]
    for image in kustomization.get("images", []):
        renamed(resources, image)
    if "namespace" in kustomization:
        for item in resources:
            if item["kind"] != "Namespace":
                item["metadata"]["namespace"] = kustomization["namespace"]
    return resources


def generated(resources, folder, kind, generator):
    data = {}
    for file in generator["files"]:
        key, _, path = file.rpartition("=")
        content = (folder / path).read_bytes()
        data[key or path.rsplit("/", 1)[-1]] = base64.b64encode(content).decode() if kind == "Secret" else content.decode()
    labels = generator.get("options", {}).get("labels", {})
    item = {"apiVersion": "v1", "kind": kind, "metadata": {"name": generator["name"], "labels": labels}, "data": data}
    rest = [other for other in resources if (other["kind"], other["metadata"]["name"]) != (kind, generator["name"])]
    if (len(rest) < len(resources)) != (generator.get("behavior") == "replace"):
        raise ValueError(f"{folder}: {kind} {generator['name']} is there already, or is not there to be replaced")
    return [*rest, item]


def patched(resources, patch):
    change = yaml.safe_load(patch["patch"])
    target = patch["target"]
    merged, hits = [], 0
    for item in resources:
        if item["kind"] != target["kind"] or target.get("name") not in (None, item["metadata"]["name"]):
            merged.append(item)
            continue
        hits += 1
        if change.get("$patch") != "delete":
            merged.append(merge(item, {key: value for key, value in change.items() if key != "metadata"}))
    if not hits:
        raise ValueError(f"a patch of {target} hits nothing")
    return merged


def merge(present, change, name=None):
    if isinstance(present, dict) and isinstance(change, dict):
        merged = copy.deepcopy(present)
        for key, value in change.items():
            merged[key] = merge(present[key], value, key) if key in present else value
        return merged
    if isinstance(present, list) and name in NAMES:
        key = NAMES[name]
        changes = {item[key]: item for item in change}
        merged = [merge(item, changes.pop(item[key])) if item[key] in changes else item for item in present]
        return [*merged, *changes.values()]
    return change


def pod(item):
    """The pod of a workload, or None."""
    owner = item["spec"]["jobTemplate"] if item["kind"] == "CronJob" else item
    return owner["spec"]["template"]["spec"] if item["kind"] in {"Deployment", "StatefulSet", "Job", "CronJob"} else None


def renamed(resources, image):
    for item in resources:
        for container in (pod(item) or {}).get("containers", []):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
