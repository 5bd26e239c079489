"""Units, users and folders of deploy/systemd, by systemd's own programs in a root of their own."""
import re
import shutil
import tempfile
from pathlib import Path

from checking import DEPLOY, SERVICES, program, run

FOLDER = DEPLOY / "systemd"
UNITS = [f"gongkai@{service}.service" for service in SERVICES] + ["gongkai-nats.service", "gongkai-backup.service"]
# Highest exposure that `systemd-analyze security` may find, in tenths: 2.0 of 10. An unhardened unit has 9.6.
MOST_EXPOSURE = 20
# The law asks for six months of logs.
SHORTEST_LOGS_DAYS = 184
# The units of systemd that ours name.
SYSTEMS = ["network-online.target", "network.target", "multi-user.target", "basic.target", "sysinit.target", "shutdown.target", "timers.target"]


def check():
    analyze = program("systemd-analyze", "Debian: systemd")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        install(root)
        code, said = run(analyze, "verify", "--man=no", f"--root={root}", "gongkai.target", "gongkai-backup.timer", *UNITS)
        if code or said:
            yield f"systemd-analyze verify: {said}"
        for unit in UNITS:
            threshold = f"--threshold={MOST_EXPOSURE}"
            code, said = run(analyze, "security", "--offline=true", "--no-pager", f"--root={root}", threshold, unit)
            if code:
                yield f"systemd-analyze security {unit}: {said.splitlines()[-1]}"
        yield from users_and_folders(root)
    kept = re.search(r"^MaxRetentionSec=(\d+)day$", (FOLDER / "journald.conf").read_text(), re.M)
    if not kept or int(kept.group(1)) < SHORTEST_LOGS_DAYS:
        yield f"journald.conf keeps the log for less than {SHORTEST_LOGS_DAYS} days"


def install(root):
    """Puts our files where a package would, stand-ins for the programs, and systemd's units that ours name."""
    (root / "etc").mkdir()
    units = root / "usr/lib/systemd/system"
    shutil.copytree(FOLDER, units, ignore=shutil.ignore_patterns("*.conf"))
    for folder in FOLDER.glob("*.d"):
        shutil.copytree(folder, units / folder.name, dirs_exist_ok=True)
    for service in SERVICES:
        (units / f"gongkai@{service}.service").symlink_to("gongkai@.service")
    for name in SYSTEMS:
        shutil.copy(Path("/usr/lib/systemd/system") / name, units)
    programs = [f"usr/bin/gongkai-{service}" for service in SERVICES] + ["usr/bin/gongkai", "usr/bin/nats-server", "bin/kill", "bin/sh"]
    for path in programs:
        stand_in = root / path
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", stand_in)
    for kind in ["sysusers", "tmpfiles"]:
        folder = root / f"usr/lib/{kind}.d"
        folder.mkdir(parents=True)
        shutil.copy(FOLDER / f"{kind}.conf", folder / "gongkai.conf")


def users_and_folders(root):
    for command in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        found = program(command[0], "Debian: systemd")
        code, said = run(found, f"--root={root}", *command[1:], "gongkai.conf")
        if code or "warn" in said.lower() or "fail" in said.lower():
            yield f"{command[0]}: {said}"
    users = (root / "etc/passwd").read_text()
    homes = {name: root / "var/lib/gongkai" / name for name in [*SERVICES, "nats"]}
    for program_name, home in {**homes, "backup": root / "var/backups/gongkai"}.items():
        if f"gongkai-{program_name}:" not in users:
            yield f"sysusers.conf makes no user gongkai-{program_name}"
        if not home.is_dir() or home.stat().st_mode & 0o777 != 0o700:
            yield f"tmpfiles.conf makes no closed folder for {program_name}"
