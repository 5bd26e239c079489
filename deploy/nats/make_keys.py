#!/usr/bin/env python3
"""Makes the nkeys of a broker's identities. Needs python3 (3.6 or later) and openssl (1.1.1 or later); calls nobody.

    make_keys.py system FOLDER           FOLDER/system.conf and FOLDER/seeds/system.nk, for the server's own account
    make_keys.py tenant NAME FOLDER      FOLDER/tenants/NAME and FOLDER/seeds/NAME/<identity>.nk
    make_keys.py province NAME FOLDER URL   at a hub: FOLDER/provinces/NAME/province.conf for the leaf node, with the hub's URL
    make_keys.py site NAME FOLDER        prints the account of a CMS for sites.conf, and makes FOLDER/seeds/sites/NAME.nk

A seed is a secret: its file is readable by the owner only, and it is never printed. A server needs no seed, only the
public keys. An identity that has a seed already keeps it, so the script may be run again.
"""
import base64
import os
import subprocess
import sys
from pathlib import Path

IDENTITIES = ["ingest", "parse", "validate", "notify", "query", "operator", "backup", "admin"]
SEED, USER = 18 << 3, 20 << 3


def crc16(data):
    """CRC-16/XMODEM, with which an nkey ends."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ (0x1021 if crc & 0x8000 else 0)
        crc &= 0xFFFF
    return crc.to_bytes(2, "little")


def encode(data):
    return base64.b32encode(data + crc16(data)).decode().rstrip("=")


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout


def public_key(private):
    """The public nkey of an Ed25519 key in DER. The DER of either key ends with its 32 bytes."""
    return encode(bytes([USER]) + openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", data=private)[-32:])


def from_seed(seed):
    """The DER of the Ed25519 key of a seed: RFC 8410."""
    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))[2:34]
    return bytes.fromhex("302e020100300506032b657004220420") + raw


def identity(file):
    """The public key of the seed in a file, which is made if it is missing."""
    if file.exists():
        return public_key(from_seed(file.read_text().strip()))
    private = openssl("genpkey", "-algorithm", "ed25519", "-outform", "DER")
    seed = encode(bytes([SEED | USER >> 5, (USER & 31) << 3]) + private[-32:])
    write(file, seed + "\n", 0o400)
    return public_key(private)


def write(file, text, mode=0o644):
    """Writes a file anew, with this mode whatever the umask."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        file.unlink()
    with os.fdopen(os.open(str(file), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as opened:
        opened.write(text)
    file.chmod(mode)


def tenant(name, folder):
    keys = ["{}: {}\n".format(who.upper(), identity(folder / "seeds" / name / (who + ".nk"))) for who in IDENTITIES]
    home = folder / "tenants" / name
    write(home / "keys.conf", "".join(keys))
    permissions = (Path(__file__).parent / "tenant.conf").read_text().rstrip()
    users = [leaf_user(seed.stem, identity(seed)) for seed in sorted((folder / "seeds" / "provinces").glob("*.nk"))]
    write(home / "tenant.conf", permissions[: permissions.rindex("]")] + "".join(users) + "]\n")
    for place in [home, home.parent]:
        place.chmod(0o755)


def leaf_user(province, key):
    """A user of the hub's tenant: the province's broker, whose log the hub may copy."""
    return """  {{
    # The leaf node of {0}. What it publishes are the copies that the hub asked for.
    nkey: {1}
    permissions: {{
      publish: {{ allow: [ "DELIVER.{0}.>", "$JSC.R.>" ] }}
      subscribe: {{ allow: [ "$JS.{0}.API.CONSUMER.>", "$JS.FC.>" ] }}
    }}
  }}
""".format(province, key)


def province(name, folder, url):
    seed = folder / "seeds" / "provinces" / (name + ".nk")
    identity(seed)
    tenant("gongkai", folder)
    conf = folder / "provinces" / name / "province.conf"
    write(conf, "DOMAIN: {}\nHUB: \"{}\"\nHUB_SEED: {}\n".format(name, url, seed.read_text().strip()), 0o400)


def site(name, folder):
    subject, key = f"gongkai.v1.cms.{name}", identity(folder / "seeds" / "sites" / f"{name}.nk")
    print(f"CMS_{name.upper().replace('-', '_')} {{")
    print(f"  users: [ {{ nkey: {key}, permissions: {{ publish: [\"{subject}\"], subscribe: [\"_INBOX.>\"] }} }} ]")
    print(f"  imports: [ {{ service: {{ account: GONGKAI, subject: \"{subject}\" }} }} ]")
    print("}")


def system(folder):
    write(folder / "system.conf", "SYSTEM: {}\n".format(identity(folder / "seeds" / "system.nk")))


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "tenant":
        tenant(arguments[1], Path(arguments[2]))
    elif len(arguments) == 3 and arguments[0] == "site":
        site(arguments[1], Path(arguments[2]))
    elif len(arguments) == 4 and arguments[0] == "province":
        province(arguments[1], Path(arguments[2]), arguments[3])
    elif len(arguments) == 2 and arguments[0] == "system":
        system(Path(arguments[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
