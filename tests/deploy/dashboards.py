"""deploy/observability/grafana: by Grafana's own types, no id twice, one data source, and no metric that there is not."""
import json
import re
import tempfile
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

import metrics
from checking import DEPLOY, lost, program, run

FOLDER = DEPLOY / "observability/grafana"
NAMES = ["pipeline", "reports", "operations"]
# Where compose.yaml mounts the dashboards.
MOUNTED = "/etc/gongkai/dashboards"
COLUMNS = 24


def check():
    plugins.register_default_plugins()
    boards = {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))}
    if sorted(boards) != sorted(NAMES):
        yield f"the dashboards are not {NAMES}: {sorted(boards)}"
    sources = {source["uid"] for source in yaml_of("datasources")["datasources"]}
    if [provider["options"]["path"] for provider in yaml_of("dashboards")["providers"]] != [MOUNTED]:
        yield f"the provider does not read {MOUNTED}"
    if {board["uid"] for board in boards.values()} != {f"gongkai-{name}" for name in boards}:
        yield "a uid is not the name of its file"
    known = metrics.known()
    for name, board in boards.items():
        yield from (f"{name}.json: {fault}" for fault in faults(board, sources, set(boards), known))
    if not list(unknown({**boards[NAMES[0]], "titel": "wrong"})):
        yield "the check of types finds nothing wrong with a wrong key"
    yield from parsed(expressions())


def yaml_of(kind):
    return yaml.safe_load((FOLDER / f"provisioning/{kind}/gongkai.yaml").read_text())


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def targets(board):
    return [target for panel in panels(board) for target in panel["targets"]]


def plain(expression):
    """An expression as Prometheus gets it."""
    return expression.replace("$__rate_interval", "1m")


def expressions():
    """Every expression of the dashboards."""
    boards = [json.loads((FOLDER / f"dashboards/{name}.json").read_text()) for name in NAMES]
    return [plain(target["expr"]) for board in boards for target in targets(board)]


def faults(board, sources, boards, known):
    yield from (f"{key} is nothing that Grafana knows" for key in unknown(board))
    ids = [panel["id"] for panel in board["panels"]]
    if len(ids) != len(set(ids)):
        yield "an id is there twice"
    yield from overlaps(board["panels"])
    for link in board["links"]:
        if link["url"].removeprefix("/d/gongkai-") not in boards:
            yield f"a link leads to {link['url']}"
    for panel in panels(board):
        used = {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])}
        if not used <= sources:
            yield f"{panel['title']}: the data source {used - sources} is not provisioned"
        references = [target["refId"] for target in panel["targets"]]
        if len(references) != len(set(references)):
            yield f"{panel['title']}: a refId is there twice"
        for target in panel["targets"]:
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            yield from (f"{panel['title']}: {fault}" for fault in metrics.faults(plain(target["expr"]), known, legend))


def unknown(board):
    """Keys that are lost when Grafana's types read the dashboard and write it again."""
    return lost(board, json.loads(JSONEncoder().encode(Dashboard.from_json(board))))


def overlaps(all_panels):
    taken = {}
    for panel in all_panels:
        at = panel["gridPos"]
        if at["x"] + at["w"] > COLUMNS:
            yield f"{panel['title']} is wider than the page"
        for cell in [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]:
            if taken.setdefault(cell, panel["title"]) != panel["title"]:
                yield f"{panel['title']} lies over {taken[cell]}"
                break


def parsed(all_expressions):
    """Whether Prometheus itself parses the expressions: as rules."""
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(all_expressions)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "panels.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        code, said = run(program("promtool", "Debian: prometheus"), "check", "rules", file)
    if code:
        yield f"promtool: {said}"
