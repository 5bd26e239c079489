"""The metrics that there are, by METRICS.md, and whether an expression of PromQL names others.

tests/tests/pipeline.rs holds METRICS.md to the services. Figures of other programs are listed here; tests/deploy/alerting.py
looks for them, and for every label, in a real Prometheus.
"""
import re

import promql_parser as promql

from checking import ROOT

PAGE = ROOT / "services/lib/worker/METRICS.md"
# Labels that Prometheus adds, by deploy/observability/prometheus.yml and targets.
OF_TARGETS = {"job", "instance", "service"}
DISK = {"device", "fstype", "mountpoint"}
# Metrics of node-exporter with their labels, where there is systemd.
OF_SYSTEMD = {"node_systemd_unit_state": {"name", "state", "type"}, "node_systemd_timer_last_trigger_seconds": {"name"}}
# Metrics of Prometheus and of node-exporter, with their labels.
FOREIGN = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate", "severity"},
    "node_filesystem_avail_bytes": DISK,
    "node_filesystem_size_bytes": DISK,
    "node_filesystem_readonly": DISK,
    "node_time_seconds": set(),
    **OF_SYSTEMD,
}
SUFFIXES = {"s": "_seconds", "By": "_bytes"}
PARTS_OF_HISTOGRAM = {"_bucket": {"le"}, "_count": set(), "_sum": set()}
# A cell of labels whose values are all named: `a`, `b` (a remark) `c`.
CLOSED = re.compile(r"\s*(`[^`]+`(\s*\([^)]*\))?,?\s*)+")


def known():
    """The labels of each metric by Prometheus' name: label → its values, or None where they are not a closed set."""
    rows = [[cell.strip() for cell in line.split("|")] for line in PAGE.read_text().splitlines() if re.match(r"\| `[a-z]", line)]
    cells = {row[1].strip("`"): row[4] for row in rows}
    metrics = {name: dict.fromkeys(labels) for name, labels in FOREIGN.items()}
    for _, name, kind, unit, labels, *_ in rows:
        name = name.strip("`")
        plain = prometheus(name) + SUFFIXES.get(unit.strip("`"), "") + ("_total" if kind == "counter" else "")
        found = labels_of(labels, cells)
        if kind == "histogram":
            for part, more in PARTS_OF_HISTOGRAM.items():
                metrics[plain + part] = {**found, **dict.fromkeys(more)}
        else:
            metrics[plain] = found
    return metrics


def prometheus(name):
    return name.replace(".", "_")


def labels_of(cell, cells):
    """The labels in a cell of the table: `a`, `b`: `value` `value`; `c` of …"""
    alias = re.match(r"as `([^`]+)`", cell)
    if alias:
        return labels_of(cells[alias.group(1)], cells)
    if "`service.*`" in cell:
        return dict.fromkeys(["service_name", "service_namespace", "service_version", "service_instance_id"])
    found = {}
    for part in re.split(r"[;,](?=\s*`[a-z]+[._a-z]*`(?::|,|;|$| of))", cell):
        head, colon, values = part.partition(":")
        for name in re.findall(r"`([a-z._]+)`", head.split(" of ")[0].split(" is ")[0]):
            found[prometheus(name)] = set(re.findall(r"`([^`]+)`", values)) if colon and CLOSED.fullmatch(values) else None
    return found


def selectors(expression):
    """The selectors of an expression, as name and matchers, and the labels by which it groups. ValueError: it is no PromQL."""
    names, groups = [], set()

    def visit(node):
        if isinstance(node, promql.VectorSelector):
            names.append((node.name, [(one.name, one.op, one.value) for one in node.matchers.matchers]))
        elif isinstance(node, promql.AggregateExpr) and node.modifier:
            groups.update(node.modifier.labels)
        elif isinstance(node, promql.BinaryExpr) and node.modifier and node.modifier.matching:
            groups.update(node.modifier.matching.labels)

    promql.walk(promql.parse(expression), visit)
    return names, groups


def faults(expression, metrics, also=()):
    """What an expression names that there is not; `also` are further labels that it must have."""
    try:
        found, groups = selectors(expression)
    except ValueError as error:
        yield f"{expression}: {error}"
        return
    all_labels = set(OF_TARGETS)
    for name, matchers in found:
        if name not in metrics:
            yield f"there is no metric {name}"
            continue
        labels = metrics[name]
        all_labels |= set(labels)
        for label, operation, value in matchers:
            if label not in labels and label not in OF_TARGETS:
                yield f"{name} has no label {label}"
            elif operation == promql.MatchOp.Equal and value and labels.get(label) and value not in labels[label]:
                yield f"{name} has no {label}={value}"
    for label in sorted({*groups, *also} - all_labels):
        yield f"no metric of {expression!r} has the label {label}"
