"""deploy/Dockerfile, by hadolint, and what its image must and must not have."""
import os
import re
import sys
import tempfile
from pathlib import Path

from checking import DEPLOY, ROOT, SERVICES, run

FILE = DEPLOY / "Dockerfile"


def check():
    code, said = run(Path(sys.executable).with_name("hadolint"), "--no-color", FILE)
    if code:
        yield f"hadolint: {said}"
    text = FILE.read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.M)
    if any(not stage.startswith("${REGISTRY}/") for stage in stages[:-1]) or stages[-1] != "scratch":
        yield f"a stage is not of REGISTRY, or the last one is not empty: {stages}"
    if any("latest" in stage or ":" not in stage for stage in stages[:-1]):
        yield f"a stage names no version: {stages}"
    user = re.findall(r"^USER (\d+)", text, re.M)
    if not user or user[-1] == "0":
        yield "the image runs as root"
    yield from image_root()


def image_root():
    """Runs a program in the folder that becomes the image's root, where there are programs and this is root."""
    programs = Path(os.environ.get("GONGKAI_PROGRAMS", ROOT / "target/release"))
    if os.geteuid() != 0 or not all((programs / f"gongkai-{service}").exists() for service in SERVICES):
        print("SKIPPED: the root of the image was NOT tried: not root, or no programs in target/release", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        code, said = run(DEPLOY / "image-root.sh", programs, folder)
        if code:
            yield f"image-root.sh: {said}"
            return
        for name in ["gongkai", *(f"gongkai-{service}" for service in SERVICES)]:
            code, said = run("chroot", "--userspec=10001:10001", folder, f"/usr/bin/{name}", "--version")
            if code:
                yield f"{name} does not run in the image: {said}"
        if (Path(folder) / "bin/sh").exists():
            yield "the image has a shell"
