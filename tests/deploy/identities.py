#!/usr/bin/env python3
"""Runs the whole pipeline under the identities of deploy/nats, and tries with each identity what belongs to others.

Nothing that the pipeline does may be refused; of what is tried, exactly what the table below gives may be accepted.
"""
import asyncio
import base64
import datetime
import json
import sys
from collections import namedtuple

import grpc

from checking import ROOT, SERVICES
from client import Probe, connect
from deployment import NEIGHBOUR, SITE, Site, http, wait_for
from receiver import Receiver

SAMPLES = sorted((ROOT / "tests/samples").glob("[0-9]*"))
WRONG = ROOT / "tests/samples/02_tab_rows_wrong_total.txt"
CORRECTED = ROOT / "tests/samples/02_tab_rows_wrong_total_corrected.txt"
FINAL = {"validated", "rejected", "withdrawn", "unchanged", "dead"}
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
TOKEN = "a-token-of-an-operator-of-the-test"
IDENTITIES = [*SERVICES, "operator", "backup", "admin"]
STREAMS = ["GONGKAI_REPORTS", "GONGKAI_ALERTS", "GONGKAI_DEAD", "GONGKAI_TIMERS", "GONGKAI_ADVISORIES"]
ENTRIES = {  # bucket: (writers, readers besides operator and admin)
    "submissions": ({"ingest", "parse"}, {"ingest", "parse"}),
    "contents": ({"ingest"}, {"ingest", "parse", "query"}),
    "alerts": ({"notify"}, {"notify"}),
    "deliveries": ({"notify"}, {"notify"}),
    "neighbours": ({"validate"}, {"validate", "ingest", "query"}),
    "agencies": ({"query"}, {"ingest", "parse", "validate", "notify", "query"}),
    "attempts": (set(SERVICES), set(SERVICES)),
    "replicas": (set(SERVICES), set(SERVICES)),
}
OBJECTS = {  # bucket: (writers of contents, those who may delete, readers besides operator and admin)
    "originals": ({"ingest"}, {"ingest"}, {"ingest", "parse", "query"}),
    "texts": ({"parse"}, {"ingest", "parse"}, {"parse", "validate", "query"}),
    "registries": ({"query"}, {"query"}, {"ingest", "parse", "validate", "notify", "query"}),
}
EVENTS = {  # query replays what a service could not handle
    "report.received": {"ingest", "query"},
    "report.backfilled": {"ingest", "query"},
    "report.parsed": {"parse", "query"},
    "report.validated": {"validate", "query"},
    "report.rejected": {"parse", "validate", "query"},
    "report.withdrawn": {"ingest", "query"},
    "report.waived": {"query"},
    "report.erased": {"ingest", "query"},
    "submission.ended": {"ingest", "query"},
    "alert": {"notify", "query"},
    "alert.acknowledged.0f3c": {"ingest", "query"},
    "deadline.reminded": {"notify", "query"},
    "deadline.missing": {"notify", "query"},
    "deadline.late": {"notify", "query"},
    "due.delivery": {"query", "admin"},
    "cms": set(),
}
CONSUMERS = {
    ("GONGKAI_REPORTS", "ingest-state"): {"ingest"},
    ("GONGKAI_REPORTS", "parse"): {"parse"},
    ("GONGKAI_REPORTS", "parse-backfill"): {"parse"},
    ("GONGKAI_REPORTS", "validate"): {"validate"},
    ("GONGKAI_REPORTS", "notify"): {"notify"},
    ("GONGKAI_DEAD", "ingest-dead"): {"ingest"},
    ("GONGKAI_ALERTS", "notify-log"): {"notify"},
    ("GONGKAI_TIMERS", "due-log"): {"notify"},
    ("GONGKAI_TIMERS", "due-_deadlines"): {"notify"},
}


def publishing():
    """Every subject that is tried, with those who may publish on it."""
    for event, who in EVENTS.items():
        yield f"gongkai.v1.{event}.360982", who
    for service in SERVICES:
        yield f"gongkai.v1.dead.{service}", {service, "query"}
        yield f"gongkai.v1.dead.{service}.settled", {"query"}
    yield "gongkai.v1.timer.delivery.log", {"notify", "admin"}
    yield "gongkai.v1.timer.deadlines", {"notify", "admin"}
    for bucket, (writers, readers) in ENTRIES.items():
        yield f"$KV.gongkai-{bucket}.a-key", writers | {"admin"}
        yield f"$JS.API.DIRECT.GET.KV_gongkai-{bucket}.$KV.gongkai-{bucket}.a-key", readers | {"operator", "admin"}
    yield "$KV.gongkai-marker.marker", {*SERVICES, "admin"}
    for bucket, (writers, erasers, readers) in OBJECTS.items():
        yield f"$O.gongkai-{bucket}.C.chunk", writers | {"admin"}
        yield f"$O.gongkai-{bucket}.M.name", writers | erasers | {"admin"}
        yield f"$JS.API.STREAM.PURGE.OBJ_gongkai-{bucket}", erasers | {"admin"}
        yield f"$JS.API.DIRECT.GET.OBJ_gongkai-{bucket}", readers | {"operator", "admin"}
    for (stream, name), who in CONSUMERS.items():
        yield f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}", who | {"admin"}
        yield f"$JS.ACK.{stream}.{name}.1.1.1.1.0", who
        yield f"$JS.API.CONSUMER.PAUSE.{stream}.{name}", {"operator", "admin"}
        for verb in ["DELETE", "RESET", "LEADER.STEPDOWN"]:
            yield f"$JS.API.CONSUMER.{verb}.{stream}.{name}", {"admin"}
    kinds = {"parse": "received", "parse-backfill": "backfilled"}
    for name, who in [(name, who) for (stream, name), who in CONSUMERS.items() if stream == "GONGKAI_REPORTS"]:
        of_one_kind = f".gongkai.v1.report.{kinds[name]}.*" if name in kinds else ""
        yield f"$JS.API.CONSUMER.CREATE.GONGKAI_REPORTS.{name}{of_one_kind}", who | {"admin"}
    yield "$JS.API.CONSUMER.CREATE.GONGKAI_REPORTS", {"admin"}
    stores = [*STREAMS, *(f"KV_gongkai-{name}" for name in [*ENTRIES, "marker"]), *(f"OBJ_gongkai-{name}" for name in OBJECTS)]
    for stream in stores:
        for verb in ["CREATE", "UPDATE", "DELETE", "MSG.DELETE", "RESTORE", "LEADER.STEPDOWN", "PEER.REMOVE"]:
            yield f"$JS.API.STREAM.{verb}.{stream}", {"admin"}
        for verb in ["MSG.GET", "SNAPSHOT"]:
            yield f"$JS.API.STREAM.{verb}.{stream}", {"admin", "backup"}
        yield f"$JS.SNAPSHOT.ACK.{stream}.a-snapshot.1.1", {"backup"}
        yield f"$JS.SNAPSHOT.RESTORE.{stream}.a-snapshot", {"admin"}
        if not stream.startswith("OBJ_"):
            yield f"$JS.API.STREAM.PURGE.{stream}", {"admin"}
        yield f"$JS.API.STREAM.INFO.{stream}", {*IDENTITIES}
    yield "$JS.API.ACCOUNT.PURGE.GONGKAI", {"admin"}
    for subject in ["$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ", "anything", "gongkai.v1.audit.360982"]:
        yield subject, set()
    for service in [*SERVICES, "backup"]:
        yield f"_INBOX_gongkai-{service}.x", {service}


def subscribing():
    """Every subscription that is tried, with those who may have it."""
    for subject in [">", "*.>", "gongkai.>", "gongkai.v1.>", "$KV.>", "$O.>", "$JS.>", "$JS.API.>", "$SYS.>", "_INBOX.>", "gongkai.v1.cms.*"]:
        yield subject, "", set()
    yield "gongkai.v1.cms.*", "ingest", {"ingest"}
    yield "gongkai.v1.cms.yunxi", "another", set()
    for kind in ["report", "alert", "deadline", "submission", "dead"]:
        yield f"gongkai.v1.{kind}.>", "", {"operator"}
    for service in [*SERVICES, "backup"]:
        yield f"_INBOX_gongkai-{service}.>", "", {service}


def attempts(site):
    """Yields each identity, what it tries, whether it may, and whether the broker lets it."""
    for identity in IDENTITIES:
        with Probe(site.nats_ports[0], site.seed(identity)) as probe:
            for subject, who in publishing():
                yield identity, f"publish {subject}", identity in who, probe.may_publish(subject)
            for subject, queue, who in subscribing():
                yield identity, f"subscribe {subject} {queue}", identity in who, probe.may_subscribe(subject, queue)
    own = f"gongkai.v1.cms.{SITE}"
    with Probe(site.nats_ports[0], site.cms_seed(SITE)) as probe:
        for subject in [own, "gongkai.v1.cms.another", *(subject for subject, _ in publishing())]:
            yield "cms", f"publish {subject}", subject == own, probe.may_publish(subject)
        for subject, queue, _ in subscribing():
            yield "cms", f"subscribe {subject} {queue}", subject == "_INBOX.>", probe.may_subscribe(subject, queue)


Sent = namedtuple("Sent", "id state report")


class Scenario:
    """What the pipeline is made to do. Each step waits for its result."""

    def __init__(self, site, receiver):
        self.site, self.receiver = site, receiver
        self.base = f"http://127.0.0.1:{site.ports['http']}"
        self.backup = site.folder / "backup"

    def call(self, path, data=None, media_type="application/octet-stream"):
        return http(f"{self.base}{path}", data, {"Content-Type": media_type, "Authorization": f"Bearer {TOKEN}"})

    def submit(self, file, query=""):
        name = file.name
        url = f"/v1/reports?filename={name}&url=https://www.yunxi.example/{name[:2]}.html{query}"
        status, text = self.call(url, file.read_bytes())
        assert status == 202, text
        return self.ended(json.loads(text)["submission_id"])

    def ended(self, submission):
        def final():
            status, text = self.call(f"/v1/submissions/{submission}")
            receipt = json.loads(text) if status == 200 else {}
            return receipt if receipt.get("state") in FINAL else None

        receipt = wait_for(f"submission {submission} ends", final)
        return Sent(submission, receipt["state"], receipt.get("report"))

    def cli(self, *arguments, identity="operator"):
        done = self.site.gongkai(*arguments, identity=identity)
        assert done.returncode in (0, 1), f"gongkai {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}"
        return done.stdout

    def run(self):
        for file in SAMPLES:
            assert self.submit(file).state in {"validated", "rejected"}, file
        self.backfill()
        self.draft()
        report = self.corrected()
        self.acknowledge()
        self.waive()
        self.withdraw(report)
        asyncio.run(self.cms())
        self.import_agencies()
        self.erase()
        self.watch_submission()
        self.bury()
        self.watch_operators()
        wait_for("a refused notice is delivered again", lambda: self.receiver.accepted)
        self.restart()

    def backfill(self):
        again = WRONG.read_text().replace("2023", "2022").encode()
        old = self.site.folder / "99_old.txt"
        old.write_bytes(again)
        assert self.submit(old, "&backfill=true").state == "validated"

    def draft(self):
        status, text = self.call("/v1/check", WRONG.read_bytes(), "text/plain")
        assert status == 200 and '"findings"' in text, text

    def corrected(self):
        report = self.submit(WRONG).report
        wait_for("query has the report", lambda: report in self.cli("list", "--format", "csv"))
        return report

    def acknowledge(self):
        def first():
            listed = self.cli("alerts", "list", "--format", "json").splitlines()
            return json.loads(listed[0])["alert"] if listed else None

        alert = wait_for("an alert is open", first)
        self.cli("alerts", "acknowledge", alert, "--person", "张三")
        assert '"acknowledged"' in self.cli("alerts", "show", alert, "--format", "json"), "nobody takes care"

    def waive(self):
        finding = next(line for line in self.cli("findings", "--format", "json").splitlines() if '"ERROR"' in line)
        finding = json.loads(finding)
        name = finding.get("name") or f"{finding['report']}/findings/{finding['fingerprint']}"
        until = datetime.date.today() + datetime.timedelta(days=90)
        self.cli("waivers", "create", name, "--reason", "核实无误", "--person", "张三", "--until", str(until))

    def withdraw(self, report):
        event = {
            "specversion": "1.0", "id": "w-1", "source": "https://www.example/oa", "type": "gongkai.report.withdrawn.v1",
            "data": {"url": "https://www.yunxi.example/03.html"},
        }
        status, text = self.call("/v1/events", json.dumps(event).encode(), "application/cloudevents+json")
        assert status == 202, text
        assert self.ended(json.loads(text)["submission_id"]).state == "withdrawn"

    async def cms(self):
        """A CMS of another account asks over NATS, with its default inbox."""
        content = {"media_type": "text/plain", "text": CORRECTED.read_text()}
        event = {
            "specversion": "1.0", "id": "n-1", "source": "https://www.yunxi.example/cms", "type": "gongkai.report.published.v1",
            "data": {"url": "https://www.yunxi.example/cms.html", "content": content},
        }
        async with await connect(self.site.url(), self.site.cms_seed(SITE)) as client:
            reply = await client.request(f"gongkai.v1.cms.{SITE}", json.dumps(event).encode(), timeout=20)
        assert reply.headers["status"] == "202", reply.data
        self.ended(json.loads(reply.data)["submission_id"])

    def import_agencies(self):
        agencies = self.site.folder / "agencies.csv"
        agencies.write_text("code,name,region\n11360999MB1234567X,云溪县水利局,360999\n")
        self.cli("agencies", "import", str(agencies))
        wait_for("a report is filed under the list", lambda: "11360999MB1234567X" in self.cli("list", "--format", "csv"))

    def erase(self):
        report = self.submit(ROOT / "tests/samples/05_markdown_balance.md").report
        token = self.site.folder / "operator.token"
        token.write_text(TOKEN)
        self.cli("erase", report, "--reason", "依申请", "--person", "李四", "--token-file", str(token))
        wait_for("the report is erased", lambda: report not in self.cli("list", "--format", "csv"))

    def watch_submission(self):
        """The call of a client that follows its submission: one field, the submission's id."""
        sent = self.submit(WRONG).id.encode()
        with grpc.insecure_channel(f"127.0.0.1:{self.site.ports['grpc']}") as channel:
            watch = channel.unary_stream("/gongkai.v1.SubmissionService/WatchSubmission")
            answers = watch(bytes([0x0A, len(sent)]) + sent, metadata=[("authorization", f"Bearer {TOKEN}")], timeout=20)
            assert list(answers), "nothing was heard of a submission"

    def bury(self):
        """A message that is no event becomes a dead letter, which ingest hears of."""
        with Probe(self.site.nats_ports[0], self.site.seed("ingest")) as probe:
            assert not probe.attempt("PUB gongkai.v1.report.received.360982 7\r\nnothing")
        wait_for("a dead letter", lambda: json.loads(self.cli("status", "--format", "json"))["dead_letters"] == 1)
        assert "UNDECODABLE" in self.cli("dead", "list"), "the dead letter is not listed"
        assert "0 of 1 would pass" in self.cli("dead", "replay", "--all", "--dry-run")
        self.cli("dead", "replay", "--all")
        wait_for("it fails again", lambda: '"replays":1' in self.cli("dead", "list", "--format", "json"))

    def watch_operators(self):
        self.cli("status")
        self.cli("pause", "parse", "--for", "10m")
        self.cli("resume", "parse")
        self.cli("rules", "test", "--pack", str(ROOT / "deploy/rules"))
        self.cli("doctor")
        self.cli("tap", "--count", "0")
        self.cli("doctor", "--collect-orphans", identity="admin")
        self.cli("doctor", "--repair", identity="admin")
        self.cli("backup", self.backup, identity="backup")
        self.reports = self.cli("list", "--format", "csv")

    def restart(self):
        """A durable consumer that was lost is made again by its service."""
        asyncio.run(self.lose_consumers())
        for service in SERVICES:
            self.site.stop(service)
            self.site.start_service(service)
        for service in SERVICES:
            self.site.wait_ready(service)
        self.submit(WRONG)

    async def lose_consumers(self):
        async with await connect(self.site.url(), self.site.seed("admin"), "_INBOX_gongkai-doctor") as admin:
            for stream, name in CONSUMERS:
                await admin.request(f"$JS.API.CONSUMER.DELETE.{stream}.{name}", b"", timeout=20)


def config(receiver):
    return f"""
[ingest]
tokens = ["{TOKEN}"]
[ingest.sites.yunxi]
source = "https://www.yunxi.example/cms"
callback_url = "{receiver.url}/ended"
callback_allow_private = true
secrets = ["{SECRET}"]

[notify]
retry_delays_s = [1, 1, 1]
[[notify.subscriptions]]
name = "log"
channel = "webhook"
url = "{receiver.url}/alert"
secret = "{SECRET}"
allow_private = true
"""


def restored(backup, reports):
    """Restores a backup under the identity of the administrator, over another broker, and compares the list of reports."""
    with Site(services=[]) as site:
        done = site.gongkai("restore", backup, identity="admin")
        assert done.returncode == 0, done.stdout + done.stderr
        site.start_service("query")
        site.wait_ready("query")
        wait_for("the reports are there", lambda: sorted(site.gongkai("list", "--format", "csv").stdout.splitlines()) == sorted(reports.splitlines()))
        refused = site.denials()
        assert not refused, "the restoration was refused:\n" + "\n".join(refused)


async def neighbour(site):
    """What the administrator of another tenant finds under the names of ours."""
    async with await connect(site.url(), site.seed("admin", NEIGHBOUR), "_INBOX_gongkai-doctor") as admin:
        listed = await admin.request("$JS.API.STREAM.NAMES", b"", timeout=20)
        log = await admin.request("$JS.API.STREAM.INFO.GONGKAI_REPORTS", b"", timeout=20)
    return json.loads(listed.data)["streams"], json.loads(log.data).get("error", {}).get("code")


def compare(site):
    """The number of attempts, of those that must be denied, and what came out otherwise than it must."""
    made = list(attempts(site))
    wrong = [f"{identity} {'may' if found else 'may not'} {what}" for identity, what, expected, found in made if expected != found]
    return len(made), sum(not expected for _, _, expected, _ in made), wrong


def main():
    with Receiver(refusals=2) as receiver, Site(config=config(receiver)) as site:
        scenario = Scenario(site, receiver)
        scenario.run()
        restored(scenario.backup, scenario.reports)
        refused = site.denials()
        assert not refused, "the pipeline was refused:\n" + "\n".join(refused)
        print(f"identities: the pipeline ran, {len(receiver.accepted)} notices were delivered, nothing was refused")
        for service in SERVICES:
            site.stop(service)
        tried, denied, wrong = compare(site)
        assert not wrong, "\n".join(wrong)
        found = asyncio.run(neighbour(site))
        assert found in [(None, 404), ([], 404)], f"another tenant sees {found}"
        print(f"identities: {tried} attempts, {denied} denied as they must be")


if __name__ == "__main__":
    sys.exit(main())
