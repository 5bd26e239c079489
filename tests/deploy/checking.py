"""What the checks of deploy/ share."""
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = ["ingest", "parse", "validate", "notify", "query"]


class Missing(Exception):
    """A program or file that this machine lacks."""


def program(name, whence):
    """The path of a program, or Missing with how to get it."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed ({whence})")
    return found


def run(*command, **options):
    """Runs a command. Returns its exit code and all that it printed."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **options
    )
    return done.returncode, done.stdout.strip()


def lost(given, kept, place=""):
    """Where a document has what is not in another, which was made of it by types: keys that the types do not know."""
    if isinstance(given, dict):
        for key, value in given.items():
            if key in kept:
                yield from lost(value, kept[key], f"{place}/{key}")
            else:
                yield f"{place}/{key}"
    elif isinstance(given, list):
        for one, other in zip(given, kept, strict=True):
            yield from lost(one, other, place)
    elif given != kept:
        yield place
