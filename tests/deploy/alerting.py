#!/usr/bin/env python3
"""Watches the pipeline by a real Prometheus and Alertmanager over the files of deploy/observability.

A stopped parse raises its alert, which arrives and is resolved; so does a stopped broker, which silences what follows from
it. A dead letter raises its own. Every metric and label that a rule or a dashboard names must be found in Prometheus.

The files are used as they are, but for the addresses in targets/ and receivers.yml, and but for time, which runs faster:
every duration in prometheus.yml, rules.yml and alertmanager.yml is divided by FASTER. Thresholds in seconds are not.
"""
import json
import re
import shutil
import sys
import time
import urllib.parse

import yaml

import metrics
import observability
from checking import DEPLOY, ROOT, SERVICES, program
from client import Probe
from deployment import Site, free_ports, http, wait_for
from receiver import Receiver

FASTER = 15
MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = re.compile(r"(?<![\w.])(\d+)(ms|s|m|h|d)(?!\w)")
SAMPLES = sorted((ROOT / "tests/samples").glob("[0-9]*"))
CLEAN = (ROOT / "tests/samples/01_word_paste_clean.txt").read_text()
AGENCY = CLEAN.split("2023年")[0].strip()
ADMIN, RECEIVER, CMS = (f"a-token-of-the-{of}-of-the-test" for of in ["admin", "receiver", "site"])
# Figures that appear only with a limit, and labels only with a site and its limit.
CONFIG = """
[nats]
stream_max_bytes = 1073741824
[admin]
token = "{admin}"
[ingest]
[ingest.sites.yunxi]
source = "https://www.yunxi.example/cms"
tokens = ["{cms}"]
events_per_minute = 6000
"""


def faster(text):
    """A configuration with every duration divided by FASTER."""
    return DURATION.sub(lambda found: f"{int(found[1]) * MILLISECONDS[found[2]] // FASTER}ms", text)


class Watch:
    """Prometheus, Alertmanager and node-exporter beside a site. They end with it."""

    def __init__(self, site, receiver):
        self.site = site
        self.receiver = receiver
        self.prometheus, self.alertmanager, self.exporter = free_ports(3)
        self.folder = site.folder / "observability"

    def start(self):
        shutil.copytree(DEPLOY / "observability", self.folder)
        for name in ["prometheus.yml", "rules.yml"]:
            (self.folder / name).write_text(faster((self.folder / name).read_text()))
        (self.folder / "alertmanager.yml").write_text(faster(self.routes()))
        (self.folder / "admin.token").write_text(ADMIN)
        (self.folder / "receiver.token").write_text(RECEIVER)
        services = [{"targets": [self.at(self.site.ports[name])], "labels": {"service": name}} for name in SERVICES]
        targets = {"services": services, "hosts": [{"targets": [self.at(self.exporter)]}]}
        targets["alertmanagers"] = [{"targets": [self.at(self.alertmanager)]}]
        for name, content in targets.items():
            (self.folder / f"targets/{name}.yml").write_text(yaml.safe_dump(content))
        whence = "tests/scripts/prometheus-tools.sh"
        for name, port, arguments in [
            ("prometheus-node-exporter", self.exporter, []),
            ("prometheus-alertmanager", self.alertmanager, ["--config.file=alertmanager.yml", "--storage.path=silences", "--cluster.listen-address="]),
            ("prometheus", self.prometheus, ["--config.file=prometheus.yml", "--storage.tsdb.path=series"]),
        ]:
            self.site.start(name, [program(name, whence), f"--web.listen-address={self.at(port)}", *arguments], {}, self.folder)

    def routes(self):
        """alertmanager.yml with the webhooks of receivers.yml, which lead to the receiver of the test. Nobody gets mail."""
        config = yaml.safe_load((self.folder / "alertmanager.yml").read_text())
        receivers = yaml.safe_load((self.folder / "receivers.yml").read_text())["receivers"]
        for one in receivers:
            one.pop("email_configs", None)
            for webhook in one.get("webhook_configs", []):
                webhook["url"] = f"{self.receiver.url}/{one['name']}"
        return yaml.safe_dump({**config, "receivers": receivers}, allow_unicode=True)

    def at(self, port):
        return f"127.0.0.1:{port}"

    def ask(self, path, **parameters):
        """The data of an answer of Prometheus, or nothing while it does not answer."""
        status, text = http(f"http://{self.at(self.prometheus)}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        return json.loads(text)["data"] if status == 200 else {}

    def unhealthy(self):
        """What is not as it should be: targets that are not up, rules that fail, no Alertmanager."""
        targets = self.ask("targets").get("activeTargets", [])
        up = {one["labels"].get("service", one["labels"]["job"]) for one in targets if one["health"] == "up"}
        faults = {*SERVICES, "host"} ^ up
        rules = [rule for group in self.ask("rules").get("groups", []) for rule in group["rules"]]
        faults |= {rule["name"] for rule in rules if rule["health"] != "ok"} or (set() if rules else {"no rules"})
        return faults or (set() if self.ask("alertmanagers").get("activeAlertmanagers") else {"no Alertmanager"})

    def alerts(self, name):
        """The states of an alert, by service."""
        alerts = [one for one in self.ask("alerts").get("alerts", []) if one["labels"]["alertname"] == name]
        return {one["labels"].get("service"): one["state"] for one in alerts}

    def received(self, receiver, name, status):
        """The alerts of a name that arrived at a receiver with a status."""
        bodies = [json.loads(body) for path, body in list(self.receiver.accepted) if path == f"/{receiver}"]
        alerts = [alert for body in bodies for alert in body["alerts"]]
        return [one for one in alerts if one["labels"]["alertname"] == name and one["status"] == status]

    def inhibited(self, labels):
        """Hands in an alert, and tells whether Alertmanager keeps it back because of another."""
        url = f"http://{self.at(self.alertmanager)}/api/v2/alerts"
        http(url, json.dumps([{"labels": labels}]).encode(), {"Content-Type": "application/json"})
        status, text = http(url)
        found = [one for one in json.loads(text) if one["labels"] == labels] if status == 200 else []
        return bool(found) and bool(found[0]["status"]["inhibitedBy"])


def submit(site, body, media_type="text/plain", query="", token=CMS):
    url = f"http://127.0.0.1:{site.ports['http']}/v1/reports?{query}"
    return http(url, body, {"Content-Type": media_type, "Authorization": f"Bearer {token}"}, timeout=60)


def state(site, submission):
    headers = {"Authorization": f"Bearer {CMS}"}
    status, text = http(f"http://127.0.0.1:{site.ports['http']}/v1/submissions/{submission}", headers=headers)
    return json.loads(text)["state"] if status == 200 else None


def a_stopped_parse(site, watch):
    site.kill("parse")
    began = time.monotonic()
    status, text = submit(site, CLEAN.replace(AGENCY, "云溪县等待办公室").encode())
    assert status == 202, text
    waiting = json.loads(text)["submission_id"]
    wait_for("the alert is pending", lambda: watch.alerts("GongkaiServiceDown") == {"parse": "pending"})
    wait_for("the alert fires", lambda: watch.alerts("GongkaiServiceDown") == {"parse": "firing"})
    arrived = wait_for("the alert arrives", lambda: watch.received("on-call", "GongkaiServiceDown", "firing"))[0]
    fired = time.monotonic() - began
    assert arrived["labels"] == {"alertname": "GongkaiServiceDown", "service": "parse", "severity": "critical"}, arrived
    assert arrived["annotations"]["summary"] == "parse 已停", arrived
    assert (ROOT / arrived["annotations"]["runbook"]).exists(), arrived
    assert state(site, waiting) == "received"
    site.start_service("parse")
    wait_for("the alert ends", lambda: not watch.alerts("GongkaiServiceDown"))
    wait_for("its end arrives", lambda: watch.received("on-call", "GongkaiServiceDown", "resolved"))
    wait_for("what waited is handled", lambda: state(site, waiting) == "validated")
    print(f"alerting: parse killed; pending, firing and delivered after {fired:.0f} s, resolved after {time.monotonic() - began:.0f} s")


def a_dead_letter(site, watch):
    """A message that parse cannot decode. Its alert is a warning, which is for working hours, so it is looked for in Prometheus."""
    with Probe(site.nats_ports[0], site.seed("ingest")) as ingest:
        assert ingest.may_publish("gongkai.v1.report.received.360999")
    wait_for("the alert fires", lambda: watch.alerts("GongkaiDeadLetters") == {"parse": "firing"})
    print("alerting: a message that cannot be decoded raises GongkaiDeadLetters of parse")


def a_stopped_broker(site, watch):
    site.kill("nats-0")
    wait_for("senders get 503", lambda: submit(site, CLEAN.encode())[0] == 503)
    agencies = site.folder / "agencies.csv"
    agencies.write_text("code,name\n11360999MB1234567X,云溪县自然资源局\n")
    wait_for("query cannot store a list", lambda: site.gongkai("agencies", "import", agencies).returncode)
    all_fire = dict.fromkeys(SERVICES, "firing")
    wait_for("every service reports it", lambda: watch.alerts("GongkaiBrokerUnreachable") == all_fire)
    wait_for("it arrives", lambda: watch.received("on-call", "GongkaiBrokerUnreachable", "firing"))
    follows = {"alertname": "GongkaiStageStalled", "service": "validate", "severity": "critical", "of": "the test"}
    wait_for("what follows is kept back", lambda: watch.inhibited(follows))
    assert not watch.received("on-call", "GongkaiStageStalled", "firing")
    site.start_node(0)
    wait_for("the alert ends", lambda: not watch.alerts("GongkaiBrokerUnreachable"))
    wait_for("its end arrives", lambda: watch.received("on-call", "GongkaiBrokerUnreachable", "resolved"))
    print("alerting: broker killed; all five services report it, GongkaiStageStalled is kept back, all resolved")


def missing(watch, expressions):
    """Metrics that expressions name, with the labels that they use of them, of which Prometheus has no series.
    Those of systemd are left out: the test runs without it."""
    known = metrics.known()
    wanted = set()
    for expression in expressions:
        found, groups = metrics.selectors(expression)
        for name, matchers in [one for one in found if one[0] not in metrics.OF_SYSTEMD]:
            wanted |= {(name, "__name__"), *((name, label) for label, _, _ in matchers)}
            wanted |= {(name, label) for label in groups if label in known.get(name, {})}
    return {f"{name}{{{label}}}" for name, label in wanted if not watch.ask("series", **{"match[]": f'{name}{{{label}!=""}}'})}


def main():
    config = CONFIG.format(admin=ADMIN, cms=CMS)
    with Receiver(refusals=0) as receiver, Site(config=config) as site:
        watch = Watch(site, receiver)
        watch.start()
        wait_for("all targets are up, all rules are well", lambda: not watch.unhealthy())
        wait_for("the heartbeat arrives", lambda: watch.received("heartbeat", "GongkaiHeartbeat", "firing"))
        assert set(receiver.authorizations) == {f"Bearer {RECEIVER}"}, receiver.authorizations
        print(f"alerting: {len(SERVICES)} services and a host are up, the heartbeat arrives with the token of its file")
        for sample in SAMPLES:
            submit(site, sample.read_bytes(), "application/octet-stream", f"filename={urllib.parse.quote(sample.name)}")
        site.gongkai("list")
        a_stopped_parse(site, watch)
        a_dead_letter(site, watch)
        a_stopped_broker(site, watch)
        expressions = observability.expressions_in_use()
        try:
            wait_for("every metric and label is there", lambda: not missing(watch, expressions))
        except AssertionError as error:
            raise AssertionError(f"{error}: {missing(watch, expressions)}") from error
        assert missing(watch, ["no_such_metric", 'up{no_such_label="a"}']), "the check finds everything"
        print(f"alerting: all metrics and labels of {len(expressions)} expressions found")


if __name__ == "__main__":
    sys.exit(main())
