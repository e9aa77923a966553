"""Find every metric of the program in its source: name, type, labels and description."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = (
    "app",
    "cli",
    "core",
    "db",
    "mail",
    "menus",
    "providers",
    "services",
    "sessions",
    "sms",
    "ussd",
    "voice",
    "web",
)
PREFIX: Final = "ekdial_"
KINDS: Final[Mapping[str, str]] = {
    "Counter": "counter",
    "CounterMetricFamily": "counter",
    "CounterSpec": "counter",
    "Gauge": "gauge",
    "GaugeMetricFamily": "gauge",
    "Histogram": "histogram",
    "HistogramMetricFamily": "histogram",
}
SUFFIXES: Final[Mapping[str, Sequence[str]]] = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}


@dataclass(frozen=True, slots=True, order=True)
class MetricSpec:
    """A metric, as the source creates it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    description: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its time series."""
        return tuple(self.name + suffix for suffix in SUFFIXES[self.kind])


class UnreadableMetricError(Exception):
    """The source creates a metric from values that are not written beside it."""


def find_metrics() -> Sequence[MetricSpec]:
    """Every metric, by name.

    Raises:
        UnreadableMetricError: the name, the labels or the description of one are computed.
    """
    return sorted(
        {spec for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")) for spec in _scan(file)}
    )


def _scan(file: Path) -> Iterator[MetricSpec]:
    text = file.read_text(encoding="utf-8")
    if PREFIX not in text:
        return
    tree = ast.parse(text)
    for scope in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        values = _assignments(tree.body) | _assignments(list(ast.walk(scope)))
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and _names_metric(node):
                yield _read(node, values, f"{file.relative_to(ROOT)}:{node.lineno}")


def _assignments(nodes: Sequence[ast.AST]) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
    return found


def _names_metric(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in KINDS
        and bool(call.args)
        and isinstance(call.args[0], ast.Constant)
        and str(call.args[0].value).startswith(PREFIX)
    )


def _read(call: ast.Call, values: Mapping[str, ast.expr], place: str) -> MetricSpec:
    callee = call.func.id if isinstance(call.func, ast.Name) else ""
    arguments = dict(zip(("name", "description", "labels"), call.args, strict=False))
    arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in {"labels", "documentation"}}
    try:
        name, description = _evaluate(arguments["name"], values), _evaluate(arguments["description"], values)
        kind = KINDS[callee]
        labels = _read_labels(callee, arguments.get("labels"), values)
    except (KeyError, TypeError) as error:
        raise UnreadableMetricError(f"{place}: write name, description and labels beside the call") from error
    return MetricSpec(name, kind, labels, description)


def _read_labels(callee: str, node: ast.expr | None, values: Mapping[str, ast.expr]) -> tuple[str, ...]:
    if node is None:
        return ()
    if callee == "CounterSpec":
        return (_evaluate(node, values),)
    if callee == "GaugeMetricFamily" and not isinstance(node, ast.List | ast.Tuple | ast.Name):
        return ()  # the third argument is the value of a gauge without labels
    return tuple(_evaluate(node, values))


def _evaluate(node: ast.expr, values: Mapping[str, ast.expr]) -> Any:
    """The value of a text, a list of texts, or a name that stands for one.

    Raises:
        TypeError: it is computed in another way.
    """
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return _evaluate(values[node.id], values)
        case ast.List() | ast.Tuple():
            return [text for element in node.elts for text in _evaluate_element(element, values)]
        case _:
            raise TypeError(node)


def _evaluate_element(node: ast.expr, values: Mapping[str, ast.expr]) -> Sequence[str]:
    if isinstance(node, ast.Starred):
        return list(_evaluate(node.value, values))
    return [_evaluate(node, values)]
