#!/usr/bin/env python3
"""The scripts of deploy/release over stand-ins for the programs: what they pack, install, upgrade and remove.

    tests/scripts/deploy_check.sh runs it; release_check.py does the same with the real programs.
"""
import os
import shutil
import sys
import tempfile
from pathlib import Path

from artefacts import CPU, PROGRAMS, assemble, check_image, files, new_key, offline, sign, unpack, verify
from checking import program, run

OK, USAGE, DAMAGED, UNFIT, IN_THE_WAY = 0, 64, 65, 69, 73


def expect(wanted, outcome, *phrases):
    code, said = outcome
    assert code == wanted and all(phrase in said for phrase in phrases), f"{code} and not {wanted}: {said}"
    return said


def same_input_same_bytes(work):
    assemble(work / "one", "1.0.0")
    old = os.umask(0o077)
    try:
        assemble(work / "two", "1.0.0")
    finally:
        os.umask(old)
    first, second = files(work / "one"), files(work / "two")
    digests = [{name: digest for name, (digest, _) in made.items()} for made in (first, second)]
    assert digests[0] == digests[1] and len(first) == 3, digests
    return sorted(first)


def sums_are_signed(work):
    folder = work / "one"
    key, other = new_key(work / "key.pem"), new_key(work / "other.pem")
    unsigned = sign(folder)
    assert "UNSIGNED" in unsigned.stderr and not (folder / "SHA256SUMS.sig").exists(), unsigned.stderr
    signed = sign(folder, key)
    assert signed.returncode == 0, signed.stderr
    public = folder / "gongkai-release.pem"
    assert verify(folder, public), signed.stderr
    run("openssl", "pkey", "-in", other, "-pubout", "-out", work / "other.pub")
    assert not verify(folder, work / "other.pub"), "the key of somebody else verifies"
    with open(folder / f"gongkai-1.0.0-linux-{CPU}.tar.gz", "ab") as tarball:
        tarball.write(b"\0")
    assert not verify(folder, public), "an altered tarball verifies"


def installs_offline(release, root):
    install = [release / "install.sh", "--root", root]
    before = files(root)
    expect(OK, offline(*install, "--dry-run"), "would write", "nothing was changed")
    assert files(root) == before, "a dry run changed something"
    expect(OK, offline(*install), "gongkai 1.0.0 is installed")
    installed = files(root)
    for path in [*(f"usr/bin/{name}" for name in PROGRAMS), "usr/bin/nats-server", "usr/lib/systemd/system/gongkai@.service",
                 "etc/gongkai/nats/server.conf", "etc/gongkai/gongkai.toml", "usr/share/doc/gongkai/THIRD-PARTY.txt"]:
        assert path in installed, f"{path} is not installed"
    if os.geteuid() == 0:
        assert (root / "var/lib/gongkai/nats").stat().st_mode & 0o777 == 0o700, "the log can be read by others"
    expect(OK, offline(*install), "is installed", "it was 1.0.0")
    assert files(root) == installed, "a second run changed something"


def upgrade_keeps_what_is_of_the_site(old, new, root):
    """The operator has edited one file of the broker, and the release another and the edited one."""
    etc, shipped = root / "etc/gongkai", new / "files/usr/share/gongkai/nats"
    edited = (etc / "nats/server.conf").read_text() + "# ours\n"
    (etc / "nats/server.conf").write_text(edited)
    (etc / "gongkai.toml").write_text("[nats]\nreplicas = 1\n")
    data = root / "var/lib/gongkai/nats/log"
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text("the log of record")
    for name in ["server.conf", "hub.conf"]:
        (shipped / name).write_text((shipped / name).read_text() + "# of the release\n")
    (new / "files/usr/share/gongkai/samples/02_tab_rows_wrong_total.txt").unlink()
    renew_sums(new)
    said = expect(OK, offline(new / "install.sh", "--root", root), "server.conf was edited and stays", "it was 1.0.0")
    assert "hub.conf was edited" not in said
    assert (etc / "nats/server.conf").read_text() == edited
    assert (etc / "nats/server.conf.new").read_text().endswith("# of the release\n")
    assert (etc / "nats/hub.conf").read_text().endswith("# of the release\n"), "an unedited file was not replaced"
    assert (etc / "gongkai.toml").read_text() == "[nats]\nreplicas = 1\n" and data.read_text() == "the log of record"
    assert not list((root / "usr/share/gongkai").glob("samples/*")), "a file that the release no longer has is still there"
    assert old != new


def renew_sums(release):
    """As the release would have been packed."""
    names = sorted(str(path.relative_to(release)) for path in release.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    code, sums = run("sha256sum", *names, cwd=release)
    assert code == 0
    (release / "SHA256SUMS").write_text(sums + "\n")


def removal_keeps_data(root):
    uninstall = root / "usr/share/gongkai/uninstall.sh"
    copy = root.parent / "uninstall.sh"
    shutil.copy(uninstall, copy)
    before = files(root)
    expect(OK, offline(copy, "--root", root, "--dry-run"), "would run")
    assert files(root) == before, "a dry run removed something"
    expect(OK, offline(uninstall, "--root", root), "/etc/gongkai", "stay")
    left = [path for path in files(root) if not path.startswith(("etc/", "var/lib/gongkai/"))]
    assert not left and not (root / "usr/share/gongkai").exists(), f"left behind: {left}"
    assert (root / "var/lib/gongkai/nats/log").exists() and (root / "etc/gongkai/gongkai.toml").exists()
    expect(66, offline(copy, "--root", root))
    expect(OK, offline(copy, "--root", root, "--purge"))
    assert not (root / "var/lib/gongkai").exists() and not (root / "etc/gongkai").exists()


def refuses_what_does_not_fit(release, root, work):
    install = [release / "install.sh", "--root", root]
    fakes = work / "fakes"
    fakes.mkdir()
    path = {**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}"}

    def with_fake(name, says):
        (fakes / name).write_text(f"#!/bin/sh\necho {says}\n")
        (fakes / name).chmod(0o755)
        outcome = offline(*install, env=path)
        (fakes / name).unlink()
        return outcome

    expect(UNFIT, with_fake("uname", "riscv64"), "this host is riscv64")
    expect(UNFIT, with_fake("getconf", "glibc 2.12"), "glibc is 2.12 here")
    expect(OK, with_fake("getconf", "glibc 2.17"))
    expect(OK, offline(root / "usr/share/gongkai/uninstall.sh", "--root", root, "--purge"))
    expect(USAGE, offline(*install, "--rot"))
    expect(USAGE, offline(release / "install.sh", "--root", "relative"))
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/bin/nats-server").write_text("of a package")
    expect(IN_THE_WAY, offline(*install), f"{root}/usr/bin/nats-server")
    assert not (root / "usr/bin/gongkai").exists(), "it installed half of it"
    expect(OK, offline(*install, "--overwrite"))
    with open(release / "files/usr/bin/gongkai-parse", "ab") as damaged:
        damaged.write(b"\0")
    expect(DAMAGED, offline(*install), "gongkai-parse")


def another_prefix(release, root):
    expect(OK, offline(release / "install.sh", "--root", root, "--prefix", "/opt/gongkai"))
    unit = (root / "etc/systemd/system/gongkai@.service").read_text()
    assert "ExecStart=/opt/gongkai/bin/gongkai-%i" in unit and "/usr/bin" not in unit, unit
    assert (root / "opt/gongkai/bin/gongkai").exists() and not (root / "usr/bin").exists()
    expect(OK, offline(root / "opt/gongkai/share/gongkai/uninstall.sh", "--root", root, "--prefix", "/opt/gongkai"))
    assert not (root / "opt/gongkai").exists()


def plain_users(release, work):
    """On a host without systemd, whose /etc and /var/lib are copies for the time of the test."""
    script = f"""set -eu
mkdir -p {work}/plain && cp -a /etc {work}/plain/etc && mount --bind {work}/plain/etc /etc && mount -t tmpfs none /var/lib
mount -t tmpfs none /opt
{release}/install.sh --plain --prefix /opt/gongkai
stat --format '%U:%G %a' /var/lib/gongkai/parse /etc/gongkai/nats/seeds/gongkai/parse.nk
id --name --groups gongkai-parse
{release}/install.sh --plain --prefix /opt/gongkai
/opt/gongkai/share/gongkai/uninstall.sh --prefix /opt/gongkai --purge
! id gongkai-parse 2>/dev/null
"""
    said = expect(OK, offline("--mount", "sh", "-c", script))
    for line in ["gongkai-parse:gongkai 700", "gongkai-parse:gongkai 400", "gongkai-parse gongkai"]:
        assert line in said.splitlines(), said


def debian_package(package, root):
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ["dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", f"--log={root}/log"]
    expect(OK, offline(*dpkg, "--install", package))
    assert (root / "usr/bin/gongkai").exists() and (root / "var/lib/gongkai/nats").is_dir()
    conf = root / "etc/gongkai/nats/server.conf"
    conf.write_text("# ours\n")
    expect(OK, offline(*dpkg, "--force-confold", "--install", package))
    expect(OK, offline(*dpkg, "--remove", "gongkai"))
    assert conf.read_text() == "# ours\n" and not (root / "usr/bin/gongkai").exists() and (root / "var/lib/gongkai").exists()
    expect(OK, offline(*dpkg, "--purge", "gongkai"))
    assert not (root / "etc/gongkai").exists() and not (root / "var/lib/gongkai").exists()


def main():
    with tempfile.TemporaryDirectory(prefix="gongkai-release.") as folder:
        work = Path(folder)
        made = same_input_same_bytes(work)
        tarball = work / "two" / f"gongkai-1.0.0-linux-{CPU}.tar.gz"
        image = work / "two" / f"gongkai-1.0.0-image-{CPU}.tar.gz"
        (package,) = (work / "two").glob("*.deb")
        sums_are_signed(work)
        check_image(image, "registry.example/gongkai:1.0.0")
        old = unpack(tarball, work / "old")
        new = unpack(assemble(work / "later", "1.1.0"), work / "new")
        for name in ["root", "misfit", "prefix", "dpkg"]:
            (work / name).mkdir()
        installs_offline(old, work / "root")
        upgrade_keeps_what_is_of_the_site(old, new, work / "root")
        removal_keeps_data(work / "root")
        another_prefix(old, work / "prefix")
        plain_users(old, work)
        program("dpkg", "Debian: dpkg")
        debian_package(package, work / "dpkg")
        refuses_what_does_not_fit(old, work / "misfit", work)
    print(f"release: {', '.join(made)}: the same bytes twice; installed, upgraded and removed without a network")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIPPED: the scripts of deploy/release were NOT tried: not root", file=sys.stderr)
        sys.exit(0)
    sys.exit(main())
