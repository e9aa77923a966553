"""The dashboard, the alert rules and docs/metrics.md name what the program exports, and say what to do."""

import json
import re

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from core.alarms import ALARMS
from scripts.metric_names import MetricSpec, find_metrics
from scripts.monitoring import DASHBOARD, PAGE, RULES, MonitoringError, build_files, check_expression
from tests.support.phone import build_settings, read_metrics, run_gateway

SERIES = {"ekdial_hops_total": {"channel", "provider", "outcome", "le", "job", "instance"}}
VAGUE_LABELS = {"as", "by", "of", "end", "what", "why", "how"}


@pytest.mark.parametrize("path", [DASHBOARD, RULES, PAGE], ids=lambda path: path.name)
def test_what_is_committed_is_what_the_script_writes(path):
    assert build_files()[path] == path.read_text(encoding="utf-8"), "write it again: python scripts/monitoring.py"


async def test_a_gateway_exports_what_the_source_says(tmp_path):
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        text = await read_metrics(http, url)
    specs = {spec.name: spec for spec in find_metrics()}
    exported = list(text_string_to_metric_families(text))
    assert len(exported) > 30
    for family in exported:
        spec = specs[family.name]
        assert (family.type, family.documentation) == (spec.kind, spec.description), family.name
        for sample in family.samples:
            assert sample.name in spec.series
            assert sample.labels.keys() <= {*spec.labels, "le"}, sample


async def test_what_an_alert_waits_for_is_exported_before_it_happens(tmp_path):
    """Prometheus sees no increase of a time series that begins with 1."""
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        text = await read_metrics(http, url)
    waited_for = set(re.findall(r"increase\((\w+)", RULES.read_text(encoding="utf-8")))
    assert len(waited_for) > 5
    for name in waited_for:
        assert re.search(rf"^{name}\{{.* 0\.0$", text, re.MULTILINE), name


def test_labels_are_nouns_and_every_metric_says_what_it_is():
    for spec in find_metrics():
        assert not VAGUE_LABELS & set(spec.labels), spec
        assert spec.description.endswith("."), spec
        assert not spec.name.endswith("_total"), spec


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    shown = DASHBOARD.read_text(encoding="utf-8") + RULES.read_text(encoding="utf-8")
    missing = [spec.name for spec in find_metrics() if not any(name in shown for name in spec.series)]
    assert missing == []


def test_every_alert_has_a_paragraph_and_every_alarm_of_the_console_an_alert():
    page, rules = PAGE.read_text(encoding="utf-8"), RULES.read_text(encoding="utf-8")
    names = re.findall(r"- alert: (\w+)", rules)
    assert len(names) == len(set(names)) > len(ALARMS)
    for name in names:
        paragraph = page.partition(f"### {name}\n")[2].partition("\n### ")[0]
        assert len(paragraph.split()) > 30, name
    for alarm in ALARMS:
        assert alarm.metric in rules


def test_panels_do_not_overlap_and_have_numbers_of_their_own():
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))


@pytest.mark.parametrize(
    "expression",
    [
        "rate(ekdial_hop_total[5m])",
        'ekdial_hops_total{colour="red"}',
        "sum by (colour) (ekdial_hops_total)",
        "ekdial_hops",
    ],
)
def test_an_expression_with_a_name_that_does_not_exist_is_refused(expression):
    with pytest.raises(MonitoringError):
        check_expression(expression, SERIES)


def test_an_expression_with_names_that_exist_is_taken():
    check_expression('sum by (channel, le) (rate(ekdial_hops_total{outcome=~"a|b", channel!="x"}[5m]))', SERIES)


def test_time_series_have_the_suffixes_of_their_type():
    assert MetricSpec("a", "histogram", (), "").series == ("a_bucket", "a_count", "a_sum")
    assert MetricSpec("a", "counter", (), "").series == ("a_total",)
