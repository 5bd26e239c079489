"""The configurations of deploy/nats, by the server's own check."""
import os
import shutil
import tempfile
from pathlib import Path

from checking import DEPLOY, program, run

FOLDER = DEPLOY / "nats"


def check():
    server = os.environ["GONGKAI_NATS_SERVER"]
    program("openssl", "Debian: openssl")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "nats"
        shutil.copytree(FOLDER, work)
        made = [
            ["make_keys.py", "system", work],
            ["make_keys.py", "tenant", "gongkai", work],
            ["make_keys.py", "province", "p36", work, "tls://hub.example:7422"],
            ["make_keys.py", "site", "yunxi", work],
            ["make_certificates.sh", work / "tls", "nats-0", "::1"],
        ]
        for command in made:
            code, said = run(FOLDER / command[0], *command[1:])
            if code:
                yield f"{command[0]}: {said}"
        # A province has the hub's file beside its own.
        shutil.copy(work / "provinces/p36/province.conf", work)
        shutil.copy(work / "tls/ca.pem", work / "tls/hub-ca.pem")
        for name in ["server.conf", "cluster.conf", "hub.conf", "leaf.conf"]:
            code, said = run(server, "-t", "--config", name, cwd=work)
            if code:
                yield f"{name}: {said}"
        secrets = [*work.glob("seeds/**/*.nk"), *work.glob("**/province.conf"), *work.glob("tls/*.key")]
        open_seeds = [secret.name for secret in secrets if secret.stat().st_mode & 0o077]
        if open_seeds:
            yield f"seeds that others can read: {open_seeds}"
    secret = [path.name for path in FOLDER.rglob("*") if path.is_file() and ("SUA" in path.read_text() or "PRIVATE KEY" in path.read_text())]
    if secret:
        yield f"a seed or a private key is in the repository: {secret}"
