"""deploy/observability: by the programs' own checkers, each alert with its texts and tests, and no metric that there is not."""
import re
import shutil
import tempfile
from pathlib import Path

import yaml

import dashboards
import metrics
from checking import DEPLOY, SERVICES, program, run

FOLDER = DEPLOY / "observability"
SEVERITIES = {"critical", "warning", "none"}
TEXTS = {"summary", "description", "summary_en", "description_en", "runbook"}
CHINESE = re.compile("[\u4e00-\u9fff]")
# Where an alert of a severity goes.
ROUTES = {"critical": "on-call", "warning": "working-day", "none": "heartbeat"}
# Expressions that the check of metrics must refuse.
WRONG = ["no_such_metric", 'worker_in_work{colour="red"}', "sum by (colour) (worker_in_work)", 'worker_messages_total{outcome="lost"}', "sum("]


def check():
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "observability"
        shutil.copytree(FOLDER, site)
        (site / "admin.token").touch()
        (site / "receiver.token").touch()
        yield from prometheus(site)
        yield from alertmanager(site)
        yield from in_compose(Path(folder) / "container")
    rules = rules_of(FOLDER / "rules.yml")
    yield from alerts(rules)
    yield from expressions(rules)
    yield from collector(yaml.safe_load((FOLDER / "collector.yaml").read_text()))


def prometheus(site):
    promtool = program("promtool", "Debian: prometheus")
    for command in (["check", "config", "prometheus.yml"], ["check", "rules", "rules.yml"], ["test", "rules", "rules.test.yml"]):
        code, said = run(promtool, *command, cwd=site)
        if code:
            yield f"promtool {' '.join(command)}: {said}"


def in_compose(root):
    """Whether Prometheus finds in its container what its configuration names, and knows every service."""
    here = DEPLOY / "compose"
    service = yaml.safe_load((here / "compose.yaml").read_text())["services"]["prometheus"]
    for mount in service["volumes"]:
        target = root / mount["target"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to((here / mount["source"]).resolve())
    for secret in service["secrets"]:
        (root / secret["target"].lstrip("/")).touch()
    code, said = run(program("promtool", "Debian: prometheus"), "check", "config", root / "etc/gongkai/prometheus.yml")
    if code:
        yield f"compose.yaml: promtool check config: {said}"
    targets = yaml.safe_load((here / "targets/services.yml").read_text())
    if {one["labels"]["service"] for one in targets} != set(SERVICES):
        yield "compose/targets/services.yml does not name every service"


def alertmanager(site):
    """The configuration as it is, and with the receivers that a site may copy."""
    amtool = program("amtool", "Debian: prometheus-alertmanager")
    config = yaml.safe_load((site / "alertmanager.yml").read_text())
    receivers = yaml.safe_load((site / "receivers.yml").read_text())["receivers"]
    if [one["name"] for one in receivers] != [one["name"] for one in config["receivers"]]:
        yield "receivers.yml has other receivers than alertmanager.yml"
    (site / "with-receivers.yml").write_text(yaml.safe_dump({**config, "receivers": receivers}, allow_unicode=True))
    for name in ["alertmanager.yml", "with-receivers.yml"]:
        code, said = run(amtool, "check-config", name, cwd=site)
        if code:
            yield f"amtool check-config {name}: {said}"
    for severity, receiver in ROUTES.items():
        _, said = run(amtool, "config", "routes", "test", "--config.file=alertmanager.yml", f"severity={severity}", cwd=site)
        if said.splitlines()[-1] != receiver:
            yield f"alerts of severity {severity} go to {said}"
    secrets = re.findall(r"^\s*(\w*(?:password|secret|token|api_key|credentials))\s*:", (site / "receivers.yml").read_text(), re.M)
    if secrets:
        yield f"receivers.yml has secrets: {secrets}"


def rules_of(file):
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def expressions_in_use():
    """Every expression of rules.yml and of the dashboards."""
    return [*(rule["expr"] for rule in rules_of(FOLDER / "rules.yml")), *dashboards.expressions()]


def names_of_alerts():
    return {rule["alert"] for rule in rules_of(FOLDER / "rules.yml") if "alert" in rule}


def alerts(rules):
    tests = yaml.safe_load((FOLDER / "rules.test.yml").read_text())["tests"]
    expected = [sample["labels"] for test in tests for one in test["promql_expr_test"] for sample in one.get("exp_samples", [])]
    fires = set(re.findall(r'ALERTS\{alertname="(\w+)",alertstate="firing"', " ".join(expected)))
    for rule in rules:
        if "alert" not in rule:
            continue
        name, texts = rule["alert"], rule["annotations"]
        if not re.fullmatch(r"Gongkai([A-Z][a-z]+)+", name) or rule["labels"].get("severity") not in SEVERITIES:
            yield f"{name}: the name or the severity is not one of ours"
        if set(texts) != TEXTS or texts["runbook"] != f"deploy/runbooks/alerts/{name}.md":
            yield f"{name}: its annotations are not {sorted(TEXTS)}, or the page is another"
        if not all(bool(CHINESE.search(text)) != (key.endswith("_en") or key == "runbook") for key, text in texts.items()):
            yield f"{name}: a text is not in its one language"
        if name not in fires:
            yield f"{name}: rules.test.yml does not try when it fires"
    # The first test is of a deployment that is well: no alert may fire, so it needs every figure that an alert reads.
    well = {series["series"].partition("{")[0] for series in tests[0]["input_series"]}
    read = {name for rule in rules for name, _ in metrics.selectors(rule["expr"])[0] if not name.startswith("gongkai:")}
    yield from (f"rules.test.yml: the first test lacks {name}" for name in sorted(read - well))
    named = set(re.findall(r"Gongkai[A-Za-z]+", (FOLDER / "alertmanager.yml").read_text()))
    yield from (f"alertmanager.yml names {name}, which is no alert" for name in sorted(named - names_of_alerts()))


def expressions(rules):
    """What rules name that there is not, labels of texts included."""
    known = {**metrics.known(), **{rule["record"]: {} for rule in rules if "record" in rule}}
    for rule in rules:
        texts = " ".join(rule.get("annotations", {}).values())
        labels = set(re.findall(r"\$labels\.(\w+)", texts)) - set(rule.get("labels", {}))
        yield from (f"{rule.get('alert') or rule['record']}: {fault}" for fault in metrics.faults(rule["expr"], known, labels))
    for expression in WRONG:
        if not list(metrics.faults(expression, known)):
            yield f"the check of metrics finds nothing wrong with {expression}"


def collector(config):
    """Whether each pipeline names what is defined, and everything defined is named. The collector itself cannot be had here."""
    used = {kind: set() for kind in ["receivers", "processors", "exporters"]}
    for pipeline in config["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            used[kind] |= set(names)
    for kind, names in used.items():
        if names != set(config[kind]):
            yield f"collector.yaml: {kind} that are not defined or not used: {sorted(names ^ set(config[kind]))}"
