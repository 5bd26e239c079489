#!/usr/bin/env python3
"""Prints the list of what a release is made of, in CycloneDX: the crates, by cargo-cyclonedx, and nats-server.

    sbom.py TARGET NATS_SERVER VERSION      TARGET: a Rust target; VERSION: of nats-server

Sorted, with SOURCE_DATE_EPOCH as its time and without a path of this machine.
"""
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def crates(target):
    """cargo-cyclonedx writes beside every Cargo.toml, so it gets a copy of the sources."""
    with tempfile.TemporaryDirectory() as copy:
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        pack = subprocess.run(
            ["tar", "--create", "--null", "--files-from=-"], cwd=ROOT, input=names, check=True, stdout=subprocess.PIPE
        ).stdout
        subprocess.run(["tar", "--extract"], cwd=copy, input=pack, check=True)
        options = ["--format=json", "--spec-version=1.5", f"--target={target}", "--no-build-deps", "--override-filename=sbom.cdx"]
        manifest = "--manifest-path=services/gongkai/Cargo.toml"
        subprocess.run(["cargo", "cyclonedx", "--quiet", manifest, *options], cwd=copy, check=True)
        text = (Path(copy) / "services/gongkai/sbom.cdx.json").read_text()
        return json.loads(text.replace(f"path+file://{copy}", "path+file:///gongkai"))


def main(target, nats_server, version):
    sbom = crates(target)
    digest = hashlib.sha256(Path(nats_server).read_bytes()).hexdigest()
    server = {
        "type": "application",
        "bom-ref": "nats-server",
        "name": "nats-server",
        "version": version,
        "purl": f"pkg:golang/github.com/nats-io/nats-server/v2@v{version}",
        "licenses": [{"expression": "Apache-2.0"}],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    sbom["components"] = sorted([*sbom["components"], server], key=lambda component: component["bom-ref"])
    sbom["dependencies"] = sorted(sbom["dependencies"], key=lambda dependency: dependency["ref"])
    print(json.dumps(sbom, indent=1, sort_keys=True, ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
