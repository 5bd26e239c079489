#!/usr/bin/env python3
"""Holds the artefacts of `make release` to what deploy/README.md says of them, where there is no network.

    release_check.py FOLDER      FOLDER: with the artefacts, such as target/dist/gongkai-0.1.0

The programs are run as an operator would run them: installed into a folder, started, upgraded and removed.
"""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

from artefacts import CPU, PROGRAMS, check_image, files, unpack, verify
from checking import ROOT, program, run

NEEDED = re.compile(r"^(libc|libm|libdl|libpthread|librt|libutil|ld-linux[-a-z0-9]*)\.so\.\d$")
SAMPLE = ROOT / "tests/samples/02_tab_rows_wrong_total.txt"
PATIENCE_S = 120


def main(folder):
    if os.environ.get("GONGKAI_OFFLINE") != "yes":
        os.environ["GONGKAI_OFFLINE"] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    run("ip", "link", "set", "lo", "up")
    assert run("ip", "route") == (0, ""), "there is a route out of here"
    (tarball,) = folder.glob(f"gongkai-*-linux-{CPU}*.tar.gz")
    signature(folder, tarball)
    with tempfile.TemporaryDirectory(prefix="gongkai-release.") as work:
        work = Path(work)
        work.chmod(0o755)
        release = unpack(tarball, work / "release")
        manifest = dict(line.split(": ", 1) for line in (release / "MANIFEST").read_text().splitlines())
        programs(release / "files/usr/bin", manifest["glibc"])
        lists(folder, release)
        life(release, work / "root")
        images(folder, manifest["version"], work / "image")
        packages(folder, work)


def signature(folder, tarball):
    public = folder / "gongkai-release.pem"
    if not public.exists():
        assert "-unsigned" in tarball.name, f"{tarball.name} is not signed, and its name does not say so"
        print(f"UNSIGNED: {folder}")
    else:
        assert "-unsigned" not in tarball.name and verify(folder, public), "the signature does not verify"
        print("signature: verified")


def programs(folder, most):
    """What the programs ask of a host, and what they tell an auditor."""
    highest = "0"
    for name in PROGRAMS:
        path = folder / name
        symbols = run("objdump", "--dynamic-syms", path)[1]
        versions = set(re.findall(r"GLIBC_([0-9.]+)", symbols))
        assert versions, f"objdump finds no symbol in {name}"
        above = {version for version in versions if numbers(version) > numbers(most)}
        assert not above, f"{name} needs glibc {above}"
        highest = max(highest, *versions, key=numbers)
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "--dynamic", path)[1])
        assert needed and all(NEEDED.match(library) for library in needed), f"{name} needs {needed}"
        crates = audited(path)
        assert {"mimalloc", "gongkai-worker"} <= crates and "criterion" not in crates, f"{name} lists {sorted(crates)[:9]}…"
        for place in [str(ROOT), str(Path.home() / ".cargo")]:
            assert place.encode() not in path.read_bytes(), f"{name} has a path of the machine that built it: {place}"
    assert "INTERP" not in run("readelf", "--program-headers", folder / "nats-server")[1], "nats-server is not static"
    assert "GLIBC" not in run("objdump", "--dynamic-syms", folder / "nats-server")[1]
    sizes = {name: (folder / name).stat().st_size for name in [*PROGRAMS, "nats-server"]}
    print(f"programs: no symbol above GLIBC_{highest}; nats-server is static; {sum(sizes.values()) / 1e6:.0f} MB: {sizes}")


def numbers(version):
    return [int(number) for number in version.split(".")]


def audited(path):
    """The crates that a program says it is made of."""
    with tempfile.NamedTemporaryFile() as section:
        code, said = run("objcopy", "--output-target=binary", "--set-section-flags=.dep-v0=alloc", "--only-section=.dep-v0", path, section.name)
        assert code == 0, said
        listed = json.loads(zlib.decompress(Path(section.name).read_bytes()))
    return {package["name"] for package in listed["packages"] if package.get("kind", "runtime") == "runtime"}


def lists(folder, release):
    """The list of components beside the tarball is the one in it, and every crate in it has its licence."""
    (beside,) = folder.glob(f"*-linux-{CPU}*.cdx.json")
    documents = release / "files/usr/share/doc/gongkai"
    assert beside.read_text() == (documents / "sbom.cdx.json").read_text()
    sbom = json.loads(beside.read_text())
    assert sbom["bomFormat"] == "CycloneDX"
    names = {component["name"] for component in sbom["components"]}
    crates = audited(release / "files/usr/bin/gongkai") - {"gongkai"}
    assert crates <= names and "nats-server" in names, crates - names
    licences = (documents / "THIRD-PARTY.txt").read_text()
    missing = {crate for crate in crates if not crate.startswith("gongkai-") and f"\n{crate} " not in licences}
    assert not missing, f"THIRD-PARTY.txt lacks {missing}"
    print(f"lists: {len(names)} components, {len(crates)} crates inside gongkai, all with their licence")


def life(release, root):
    """Installs, serves a report, upgrades, serves it again, removes."""
    root.mkdir()
    install, data = [release / "install.sh", "--root", root], root / "var/lib/gongkai/trial"
    done(*install)
    installed = files(root)
    with Up(root, data) as up:
        up.must("submit", "--wait", SAMPLE)
        served = up.must("list", "--format", "json")
        assert "agency_name" in served, served
    done(*install)
    kept = files(root)
    assert all(kept[path] == installed[path] for path in installed), "the second installation changed a file"
    with Up(root, data) as up:
        assert up.must("list", "--format", "json") == served, "the upgrade lost the report"
    done(root / "usr/share/gongkai/uninstall.sh", "--root", root)
    assert data.is_dir() and not (root / "usr/bin/gongkai").exists()
    done(release / "uninstall.sh", "--root", root, "--purge")
    assert not data.exists()
    print("life: installed, a report read back, upgraded, the same report, removed with the data kept, purged")


def done(*command):
    code, said = run(*command)
    assert code == 0, said


class Up:
    """`gongkai up` of an installed release, on the default ports of this network namespace."""

    def __init__(self, root, data):
        self.program = root / "usr/bin/gongkai"
        self.data = data

    def __enter__(self):
        log = open(self.data.parent / "up.log", "w")
        # Nothing of this host: neither its nats-server nor its configuration.
        command = [self.program, "up", "--data", self.data]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env={"PATH": "/usr/bin:/bin"})
        for line in self.process.stdout:
            if "gongkai is up" in line:
                return self
        raise AssertionError(f"gongkai up ended: {(self.data.parent / 'up.log').read_text()[-2000:]}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE_S)

    def must(self, *command):
        # Exit code 1 of submit says that the report has findings, which it is there to have.
        told = subprocess.run([str(part) for part in [self.program, *command]], capture_output=True, text=True, timeout=PATIENCE_S)
        assert told.returncode in (0, 1) and told.stdout, f"{told.returncode}: {told.stderr}"
        return told.stdout


def images(folder, version, root):
    (image,) = folder.glob(f"gongkai-*-image-{CPU}*.tar.gz")
    registry = os.environ.get("GONGKAI_REGISTRY", "docker.io")
    root.mkdir()
    check_image(image, f"{registry}/gongkai:{version}").extractall(root)
    for name in PROGRAMS:
        code, said = run("chroot", "--userspec=10001:10001", root, f"/usr/bin/{name}", "--version")
        assert code == 0 and version in said, said
    if shutil.which("skopeo"):
        # Unlike `docker load`, it reads no compressed archive.
        unpacked = root.with_suffix(".tar")
        with gzip.open(image) as packed, open(unpacked, "wb") as out:
            shutil.copyfileobj(packed, out)
        code, said = run("skopeo", "inspect", f"docker-archive:{unpacked}:{registry}/gongkai:{version}")
        assert code == 0, said
    else:
        print("SKIPPED: skopeo is not installed (Debian: skopeo), so it did NOT read the image")
    print(f"image: {image.stat().st_size / 1e6:.0f} MB; every program runs in it as user 10001")


def packages(folder, work):
    dpkg = program("dpkg-deb", "Debian: dpkg")
    for package in folder.glob("*.deb"):
        code, said = run(dpkg, "--extract", package, work / "package")
        assert code == 0, said
        code, said = run(work / "package/usr/bin/gongkai", "--version")
        assert code == 0, said
        print(f"package: {package.name}, {package.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    began = time.monotonic()
    main(Path(sys.argv[1]).resolve())
    print(f"release-check: {time.monotonic() - began:.0f} s")
