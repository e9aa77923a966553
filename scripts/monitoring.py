"""Write the dashboard, the alert rules and the tables of docs/metrics.md: `python scripts/monitoring.py`. `--check` compares.

What they are written from: the metrics in the source, `deploy/monitoring.toml`, and the alarms of the console.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from metric_names import MetricSpec, find_metrics  # noqa: E402 - the path is set above

from core.alarms import ALARMS, Alarm  # noqa: E402 - the path is set above

SOURCE: Final = ROOT / "deploy" / "monitoring.toml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "ekdial.json"
RULES: Final = ROOT / "deploy" / "prometheus" / "alerts.yml"
PAGE: Final = ROOT / "docs" / "metrics.md"
COLUMNS: Final = 3
PANEL_WIDTH: Final = 8
PANEL_HEIGHT: Final = 8
NOTE: Final = "# Written by scripts/monitoring.py from deploy/monitoring.toml: change it there.\n"
OWN_LABELS: Final = frozenset({"job", "instance", "le"})
"""Labels that Prometheus adds, and the one of buckets."""
AGGREGATED_LABELS: Final = re.compile(r"\bby \(([^)]*)\)")
SELECTORS: Final = re.compile(r"(ekdial_[a-z_]+)(?:\{([^}]*)\})?")


class MonitoringError(Exception):
    """A panel or an alert names what does not exist; the message says which."""


def build_files() -> Mapping[Path, str]:
    """The text of each file.

    Raises:
        MonitoringError: a panel or an alert names a metric, a label or an alarm that does not exist.
    """
    source, metrics = tomllib.loads(SOURCE.read_text(encoding="utf-8")), find_metrics()
    alerts = [_complete(alert) for alert in source["alert"]]
    series = {name: {*spec.labels, *OWN_LABELS} for spec in metrics for name in spec.series}
    for expression in _list_expressions(source["row"], alerts):
        check_expression(expression, series)
    _check_alarms(source["alert"])
    return {
        DASHBOARD: json.dumps(_build_dashboard(source["row"]), indent=1, ensure_ascii=False) + "\n",
        RULES: _build_rules(alerts),
        PAGE: _fill_page(PAGE.read_text(encoding="utf-8"), metrics, alerts),
    }


def check_expression(expression: str, series: Mapping[str, set[str]]) -> None:
    """Check the names in an expression.

    Raises:
        MonitoringError: there is no such time series, or it has no such label.
    """
    found = SELECTORS.findall(expression)
    for name, matchers in found:
        if name not in series:
            raise MonitoringError(f"there is no time series {name}: {expression}")
        if unknown := set(re.findall(r"(\w+)\s*[=!]", matchers)) - series[name]:
            raise MonitoringError(f"{name} has no label {sorted(unknown)}: {expression}")
    shared = set.intersection(*(series[name] for name, _ in found)) if found else OWN_LABELS
    for labels in AGGREGATED_LABELS.findall(expression):
        if unknown := {label.strip() for label in labels.split(",")} - shared:
            raise MonitoringError(f"no label {sorted(unknown)}: {expression}")


def _list_expressions(rows: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for row in rows:
        for panel in row["panel"]:
            yield from (expression for expression, _ in panel["lines"])
    yield from (alert["expr"] for alert in alerts)


def _check_alarms(alerts: Sequence[Mapping[str, str]]) -> None:
    named = {alert["alarm"] for alert in alerts if "alarm" in alert}
    if missing := {alarm.name for alarm in ALARMS} - named:
        raise MonitoringError(f"write an alert for {sorted(missing)} of core/alarms.py")


def _complete(alert: Mapping[str, str]) -> Mapping[str, str]:
    """The alert with its expression; one of the console's alarms has its condition and its severity.

    Raises:
        MonitoringError: there is no such alarm, or it has another severity.
    """
    if "alarm" not in alert:
        return alert
    alarm = next((one for one in ALARMS if one.name == alert["alarm"]), None)
    if alarm is None:
        raise MonitoringError(f"{alert['name']}: core/alarms.py has no {alert['alarm']}")
    if alarm.severity != alert["severity"]:
        raise MonitoringError(f"{alert['name']}: core/alarms.py says {alarm.severity}")
    return {**alert, "expr": _build_condition(alarm)}


def _build_condition(alarm: Alarm) -> str:
    matchers = ", ".join(f'{label}="{value}"' for label, value in alarm.labels.items())
    selector = f"{alarm.metric}{{{matchers}}}" if matchers else alarm.metric
    return f"{selector} {'>' if alarm.is_above else '<'} {alarm.limit:g}"


def _build_rules(alerts: Sequence[Mapping[str, str]]) -> str:
    lines = [NOTE, "groups:\n", "  - name: ekdial\n", "    rules:\n"]
    for alert in alerts:
        lines += [
            f"      - alert: {alert['name']}\n",
            f"        expr: {json.dumps(alert['expr'])}\n",
            f"        for: {alert['for']}\n",
            f"        labels:\n          severity: {alert['severity']}\n",
            f"        annotations:\n          summary: {json.dumps(alert['summary'], ensure_ascii=False)}\n",
            f"          description: {json.dumps(alert['todo'], ensure_ascii=False)}\n",
        ]
    return "".join(lines)


def _build_dashboard(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    panels: list[Mapping[str, Any]] = []
    top = 0
    for row in rows:
        panels.append(_build_row(row["title"], len(panels) + 1, top))
        top += 1
        for number, panel in enumerate(row["panel"]):
            left, down = number % COLUMNS, number // COLUMNS
            place = {"h": PANEL_HEIGHT, "w": PANEL_WIDTH, "x": left * PANEL_WIDTH, "y": top + down * PANEL_HEIGHT}
            panels.append(_build_panel(panel, len(panels) + 1, place))
        top += -(-len(row["panel"]) // COLUMNS) * PANEL_HEIGHT
    return {
        "uid": "ekdial",
        "title": "Ekdial",
        "description": "Written by scripts/monitoring.py from deploy/monitoring.toml.",
        "tags": ["ekdial"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}]
        },
        "annotations": {"list": []},
        "panels": panels,
    }


def _build_row(title: str, number: int, top: int) -> Mapping[str, Any]:
    place = {"h": 1, "w": COLUMNS * PANEL_WIDTH, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _build_panel(panel: Mapping[str, Any], number: int, place: Mapping[str, int]) -> Mapping[str, Any]:
    datasource = {"type": "prometheus", "uid": "${datasource}"}
    targets = [
        {"refId": chr(ord("A") + index), "datasource": datasource, "expr": expression, "legendFormat": legend}
        for index, (expression, legend) in enumerate(panel["lines"])
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": panel["title"],
        "datasource": datasource,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def _fill_page(page: str, metrics: Sequence[MetricSpec], alerts: Sequence[Mapping[str, str]]) -> str:
    page = _replace(page, "metrics", _build_table(metrics))
    return _replace(page, "alerts", _build_paragraphs(alerts))


def _replace(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- {name}: written by scripts/monitoring.py -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = page.partition(begin)
    if not found or end not in rest:
        raise MonitoringError(f"docs/metrics.md has no lines {begin.strip()} and {end.strip()}")
    return before + begin + text + end + rest.partition(end)[2]


def _build_table(metrics: Sequence[MetricSpec]) -> str:
    lines = ["\n| metric | type | labels | meaning |\n", "|---|---|---|---|\n"]
    for spec in metrics:
        name = f"{spec.name}_total" if spec.kind == "counter" else spec.name
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        lines.append(f"| `{name}` | {spec.kind} | {labels} | {spec.description} |\n")
    return "".join([*lines, "\n"])


def _build_paragraphs(alerts: Sequence[Mapping[str, str]]) -> str:
    parts = [
        f"\n### {alert['name']}\n\n{_plain(alert['summary'])} ({alert['severity']}, after {alert['for']}). {alert['todo']}\n\n"
        f"```promql\n{alert['expr']}\n```\n"
        for alert in alerts
    ]
    return "".join([*parts, "\n"])


def _plain(summary: str) -> str:
    """The summary for a page: the name of the label in the place of its value."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"\1", summary)


def main() -> int:
    """Write or compare the files; the exit status."""
    files = build_files()
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        sys.stderr.writelines(f"{path.relative_to(ROOT)} is stale: python scripts/monitoring.py\n" for path in stale)
        return int(bool(stale))
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
