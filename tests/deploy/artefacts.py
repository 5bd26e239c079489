"""A release of stand-ins for the programs, by the scripts of deploy/release, and what the tests do with one."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from checking import DEPLOY, SERVICES, run

RELEASE = DEPLOY / "release"
PROGRAMS = ["gongkai", *(f"gongkai-{service}" for service in SERVICES)]
CPU = os.uname().machine


def assemble(folder, version, programs=None, nats_server="/bin/true", suffix="", epoch="1700000000"):
    """Assembles the artefacts into `folder`, and returns the tarball. Without `programs` they are /bin/true."""
    folder.mkdir(parents=True)
    if programs is None:
        programs = folder.with_name(f"{folder.name}-programs")
        programs.mkdir()
        for name in PROGRAMS:
            shutil.copy("/bin/true", programs / name)
    facts = folder.with_name(f"{folder.name}-facts")
    facts.mkdir()
    (facts / "MANIFEST").write_text(f"version: {version}\ncpu: {CPU}\nglibc: 2.17\n")
    (facts / "sbom.cdx.json").write_text("{}")
    (facts / "THIRD-PARTY.txt").write_text("none\n")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "GONGKAI_REGISTRY": "registry.example"}
    code, said = run(RELEASE / "assemble.sh", programs, nats_server, facts, folder, suffix, env=environment)
    assert code == 0, said
    return folder / f"gongkai-{version}-linux-{CPU}{suffix}.tar.gz"


def unpack(tarball, folder):
    """Unpacks a tarball as an operator would, and returns the folder of the release."""
    with tarfile.open(tarball) as tar:
        names = {name.split("/")[0] for name in tar.getnames()}
        tar.extractall(folder)
    assert len(names) == 1, f"the tarball has several folders: {names}"
    return folder / names.pop()


def offline(*command, **options):
    """Runs a command where there is no network, not even the loopback. Returns its exit code and what it said."""
    return run("unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), *command, **options)


def files(root):
    """Every file below a folder with its content's digest and its mode."""
    found = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(root)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode) for path in found}


def check_image(file, tag):
    """The structure of an image of `docker save`. Returns its one layer."""
    with tarfile.open(file) as tar:
        parts = {entry.name: tar.extractfile(entry).read() for entry in tar}
    (entry,) = json.loads(parts["manifest.json"])
    assert entry["RepoTags"] == [tag], entry
    config = json.loads(parts[entry["Config"]])
    (layer,) = entry["Layers"]
    assert entry["Config"] == f"{hashlib.sha256(parts[entry['Config']]).hexdigest()}.json"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(parts[layer]).hexdigest()}"]
    assert config["config"]["User"].split(":")[0] not in {"", "0", "root"}, config
    assert config["config"]["Cmd"][0] == "gongkai", config
    content = tarfile.open(fileobj=io.BytesIO(parts[layer]))
    for member in content:
        owner = (10001, 10001) if member.name == "data" else (0, 0)
        assert (member.uid, member.gid) == owner, f"{member.name} belongs to {member.uid}:{member.gid}"
        assert not member.mode & 0o6000, f"{member.name} has the rights of its owner"
    names = content.getnames()
    assert "bin/sh" not in names, "the image has a shell"
    assert "usr/share/doc/gongkai/THIRD-PARTY.txt" in names, "the image has no licences"
    return content


def sign(folder, key=None):
    return subprocess.run([RELEASE / "sign.sh", folder, *([key] if key else [])], capture_output=True, text=True)


def verify(folder, public):
    """What deploy/README.md says under "Verify". True if both commands are content."""
    verified = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", "SHA256SUMS.sig", "SHA256SUMS"]
    return run(*verified, cwd=folder)[0] == 0 and run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=folder)[0] == 0


def new_key(file):
    assert run("openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", file)[0] == 0
    return file
