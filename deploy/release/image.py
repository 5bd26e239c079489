#!/usr/bin/env python3
"""Packs a folder as an image, as `docker save` would: for `docker load`, `podman load`, `nerdctl load`. Needs no engine.

    image.py ROOT DOCKERFILE CPU NAME FILE

ENV, USER, WORKDIR and CMD are those of the last stage of DOCKERFILE. SOURCE_DATE_EPOCH is the time of every file, owners
are those of ROOT, and the same ROOT gives the same bytes.
"""
import gzip
import hashlib
import io
import json
import os
import re
import sys
import tarfile
import time
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def layer(root, now):
    """The root as one tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            entry = tar.gettarinfo(path, arcname=str(path.relative_to(root)))
            entry.mtime, entry.uname, entry.gname = now, "", ""
            if entry.isfile():
                with open(path, "rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)
    return buffer.getvalue()


def settings(dockerfile):
    """What the last stage of a Dockerfile says about its containers."""
    stage = dockerfile.read_text().rpartition("\nFROM ")[2]
    said = dict(re.findall(r"^(ENV|USER|WORKDIR|CMD) (.*)$", stage, re.M))
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"User": said["USER"], "WorkingDir": said["WORKDIR"], "Cmd": json.loads(said["CMD"]), "Env": [path, said["ENV"]]}


def main(root, dockerfile, cpu, name, file):
    now = int(os.environ["SOURCE_DATE_EPOCH"])
    content = layer(Path(root), now)
    digest = hashlib.sha256(content).hexdigest()
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    config = {
        "architecture": ARCHITECTURES[cpu],
        "os": "linux",
        "created": created,
        "config": settings(Path(dockerfile)),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": created, "created_by": "deploy/release/image.py"}],
    }
    config = json.dumps(config, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
    parts = {config_name: config, f"{digest}/layer.tar": content, "manifest.json": json.dumps(manifest).encode()}
    with open(file, "wb") as out, gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for part, text in parts.items():
                entry = tarfile.TarInfo(part)
                entry.size, entry.mtime, entry.mode = len(text), now, 0o644
                tar.addfile(entry, io.BytesIO(text))


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
