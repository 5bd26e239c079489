"""Every shell script of the repository, by shellcheck."""
import sys
from pathlib import Path

from checking import ROOT, run


def check():
    found = [path for folder in ["deploy", "tests"] for path in sorted((ROOT / folder).rglob("*.sh")) if "target" not in path.parts]
    code, said = run(Path(sys.executable).with_name("shellcheck"), "--format=gcc", *found, ROOT / ".ci/run")
    if code:
        yield said
