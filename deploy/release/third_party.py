#!/usr/bin/env python3
"""Prints the licences of the crates that are linked into the programs, with the texts that the crates bring.

    third_party.py TARGET      TARGET: a Rust target, as cargo names it

A text that several crates bring stands once. A crate without one is named with its licence's SPDX expression alone.
"""
import json
import subprocess
import sys
from pathlib import Path

PREFIXES = ("licen", "copying", "notice", "unlicense")


def linked(metadata):
    """The packages that our programs link: neither build scripts' nor tests' own."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    ours = set(metadata["workspace_members"])
    programs = [p["id"] for p in metadata["packages"] if p["id"] in ours and p["name"] != "gongkai-tests"]
    reached, waiting = set(), programs
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += [d["pkg"] for d in nodes[one]["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])]
    return [package for package in metadata["packages"] if package["id"] in reached - ours]


def texts(package):
    folder = Path(package["manifest_path"]).parent
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name.lower().startswith(PREFIXES)]
    return [file.read_text(errors="replace").strip() for file in files]


def main(target):
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = sorted(linked(metadata), key=lambda package: (package["name"], package["version"]))
    users = {}
    print("gongkai is linked with these crates. nats-server beside it is a program of its own, under Apache-2.0.\n")
    for package in packages:
        title = f"{package['name']} {package['version']}"
        licence = package["license"] or "see its file"
        print(f"{title}: {licence}, {package['repository'] or 'crates.io'}")
        for text in texts(package):
            users.setdefault(text, []).append(title)
    for text, titles in users.items():
        print(f"\n{'=' * 78}\n{', '.join(dict.fromkeys(titles))}\n{'-' * 78}\n{text}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
