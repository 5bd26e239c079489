#!/usr/bin/env python3
"""Runs a province on a leaf node, whose log a hub copies over TLS, over the files of deploy/nats.

The hub gets each event once, and gets nothing else of the province.
"""
import asyncio
import json
import ssl
import subprocess
import sys

from checking import DEPLOY, ROOT
from client import connect
from deployment import Site, free_ports, http, wait_for

PROVINCE = "p36"
LOG = "GONGKAI_REPORTS"
SAMPLES = sorted((ROOT / "tests/samples").glob("[0-9]*.txt"))
# A stream of the hub that asks for what is none of its business.
SPY = {
    "name": "SPY",
    "storage": "file",
    "sources": [{"name": "KV_gongkai-submissions", "external": {"api": f"$JS.{PROVINCE}.API", "deliver": f"DELIVER.{PROVINCE}"}}],
}


class Hub(Site):
    """The brokers of a hub; its services are of no concern here."""

    def __init__(self):
        super().__init__(nodes=3, broker="hub.conf", services=[])
        self.doors = free_ports(3)

    def install(self):
        super().install()
        url = f"tls://127.0.0.1:{self.doors[0]}"
        self.must(DEPLOY / "nats/make_keys.py", "province", PROVINCE, self.nats, url)

    def node_config(self, node):
        """hub.conf with a door of its own, which no flag sets."""
        text = (self.nats / "hub.conf").read_text().replace('"0.0.0.0:7422"', f'"127.0.0.1:{self.doors[node]}"')
        (self.nats / f"hub-{node}.conf").write_text(text)
        return f"hub-{node}.conf"

    def gongkai(self, *_, **__):
        """The streams of the hub are made by hand."""
        return subprocess.CompletedProcess([], 0, "", "")

    async def ask(self, what, payload=b""):
        authority = ssl.create_default_context(cafile=str(self.nats / "tls/ca.pem"))
        async with await connect(self.url(), self.seed("admin"), "_INBOX_gongkai-doctor", tls=authority) as client:
            answer = await client.request(f"$JS.API.{what}", payload, timeout=20)
        return json.loads(answer.data)


class Province(Site):
    def __init__(self, hub):
        super().__init__(broker="leaf.conf")
        self.hub = hub

    def install(self):
        super().install()
        given = self.hub.nats / "provinces" / PROVINCE / "province.conf"
        (self.nats / "province.conf").write_text(given.read_text())
        (self.nats / "tls/hub-ca.pem").write_bytes((self.hub.nats / "tls/ca.pem").read_bytes())

    def streams(self):
        """The streams of the province with their consumers."""
        text = http(f"http://127.0.0.1:{self.monitor_ports[0]}/jsz?accounts=true&streams=true&consumers=true")[1]
        accounts = {account["name"]: account for account in json.loads(text)["account_details"]}
        return {stream["name"]: stream for stream in accounts["GONGKAI"]["stream_detail"]}

    def submit(self, file):
        base = f"http://127.0.0.1:{self.ports['http']}"
        text = http(f"{base}/v1/reports?filename={file.name}", file.read_bytes(), {"Content-Type": "text/plain"})[1]
        receipt = f"{base}/v1/submissions/{json.loads(text)['submission_id']}"
        wait_for(f"{file.name} is validated", lambda: json.loads(http(receipt)[1]).get("state") == "validated")


def copied(hub, province):
    count = asyncio.run(hub.ask(f"STREAM.INFO.{LOG}"))["state"]["messages"]
    own = province.streams()[LOG]["state"]["messages"]
    assert count <= own, "the hub has an event twice"
    return count == own and own >= 3 * len(SAMPLES)


def main():
    with Hub() as hub:
        for stream in [json.loads((DEPLOY / "nats/hub-reports.json").read_text()), SPY]:
            made = asyncio.run(hub.ask(f"STREAM.CREATE.{stream['name']}", json.dumps(stream).encode()))
            assert "error" not in made, made
        with Province(hub) as province:
            for file in SAMPLES:
                province.submit(file)
            wait_for("the hub has the log of the province", lambda: copied(hub, province))
            held = asyncio.run(hub.ask("STREAM.INFO.SPY"))["state"]["messages"]
            consumers = province.streams()["KV_gongkai-submissions"].get("consumer_detail", [])
            assert held == 0 and not consumers, f"the hub reads what it must not: {held} messages, {consumers}"
            assert not province.denials(), province.denials()
        print(f"province: the hub has each event of {len(SAMPLES)} reports once, and nothing else of the province")


if __name__ == "__main__":
    sys.exit(main())
