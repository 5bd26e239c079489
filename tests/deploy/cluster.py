#!/usr/bin/env python3
"""Kills the leader of the log in a cluster of three nodes under load, over the files of deploy/nats with TLS.

Every document that was accepted must end validated and be served; none may be lost or be there twice.
"""
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from checking import ROOT
from deployment import Site, http, wait_for

DOCUMENTS = 120
# The leader is killed once this many are accepted.
KILL_AT = 40
SENDERS = 8
CLEAN = (ROOT / "tests/samples/01_word_paste_clean.txt").read_text()
AGENCY = CLEAN.split("2023年")[0].strip()
LOG = "GONGKAI_REPORTS"


class Load:
    def __init__(self, site):
        self.site = site
        self.base = f"http://127.0.0.1:{site.ports['http']}"
        self.accepted = {}
        self.reached = Event()

    def send(self, number):
        """Hands in one document, again and again until it is accepted, as a sender must."""
        document = CLEAN.replace(AGENCY, f"云溪县第{number}办公室").encode()
        url = f"{self.base}/v1/reports?url=https://www.yunxi.example/{number}.html"
        headers = {"Content-Type": "text/plain", "Idempotency-Key": f"document-{number}"}

        def accepted():
            status, text = http(url, document, headers, timeout=30)
            if status != 202:
                assert status in (0, 503), text
                return None
            return json.loads(text)["submission_id"]

        self.accepted[number] = wait_for(f"document {number} is accepted", accepted)
        if len(self.accepted) >= KILL_AT:
            self.reached.set()

    def validated(self):
        states = [json.loads(http(f"{self.base}/v1/submissions/{sent}")[1]).get("state") for sent in self.accepted.values()]
        assert not {"dead", "rejected"} & set(states), states
        return states.count("validated") == DOCUMENTS

    def served(self):
        lines = self.site.gongkai("list", "--limit", "0", "--format", "json").stdout.splitlines()
        names = [json.loads(line)["agency_name"] for line in lines]
        assert len(names) == len(set(names)), "a report is there twice"
        return len(names) == DOCUMENTS


def main():
    with Site(nodes=3) as site, ThreadPoolExecutor(SENDERS) as senders:
        load = Load(site)
        sending = [senders.submit(load.send, number) for number in range(DOCUMENTS)]
        assert load.reached.wait(60), "the load did not begin"
        leader = wait_for("the log has a leader", lambda: site.leader(LOG))
        site.kill(leader)
        successor = wait_for("another node leads", lambda: site.leader(LOG) not in (None, leader) and site.leader(LOG))
        for sent in sending:
            sent.result()
        site.start_node(int(leader.rsplit("-", 1)[1]))
        wait_for("every document is validated", load.validated)
        wait_for("every report is served", load.served)
        assert not site.denials(), site.denials()
        print(f"cluster: killed {leader}, {successor} led on; {DOCUMENTS} of {DOCUMENTS} reports served, none twice")


if __name__ == "__main__":
    sys.exit(main())
