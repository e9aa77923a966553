"""Read metrics in Prometheus' text format, to show them to people: sums, and quantiles of histograms."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

Labels: TypeAlias = Mapping[str, str]

INFINITE: Final = float("inf")


class LabelledValue(NamedTuple):
    """The value of one sample with its labels."""

    labels: Labels
    value: float


class MetricSamples:
    """The samples of one moment, by their names: a counter's name ends in `_total`.

    Labels are parsed of the samples that are asked for: a few of hundreds, while callers wait for the event loop.
    """

    def __init__(self, text: str) -> None:
        """`text` is what `/metrics` responds with."""
        self._lines: dict[str, list[str]] = defaultdict(list)
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name = line[: min(place for place in (line.find("{"), line.find(" ")) if place >= 0)]
                self._lines[name].append(line[len(name) :])
        self._parsed: dict[str, Sequence[LabelledValue]] = {}

    def __contains__(self, name: str) -> bool:
        """Whether there is a sample with this name."""
        return name in self._lines

    def find(self, name: str, **labels: str) -> Iterator[LabelledValue]:
        """The samples with this name and these labels, and perhaps others."""
        if name not in self._parsed:
            self._parsed[name] = [_parse_sample(line) for line in self._lines.get(name, ())]
        for sample in self._parsed[name]:
            if labels.items() <= sample.labels.items():
                yield sample

    def sum(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels; 0 where there is none."""
        return sum(sample.value for sample in self.find(name, **labels))

    def sum_by(self, name: str, label: str, **labels: str) -> Mapping[str, float]:
        """The sums by the values of `label`."""
        sums: dict[str, float] = defaultdict(float)
        for sample in self.find(name, **labels):
            sums[sample.labels.get(label, "")] += sample.value
        return sums


def estimate_quantile(
    name: str, quantile: float, newer: MetricSamples, older: MetricSamples, **labels: str
) -> float | None:
    """The upper bound of the bucket of a histogram with this quantile of what was observed in between; None for nothing.

    Where it is above the highest bound, the highest bound.
    """
    before = older.sum_by(f"{name}_bucket", "le", **labels)
    counts = {
        float(bound): count - before.get(bound, 0)
        for bound, count in newer.sum_by(f"{name}_bucket", "le", **labels).items()
    }
    total = counts.get(INFINITE, 0.0)
    if total <= 0:
        return None
    bounds = sorted(bound for bound in counts if bound != INFINITE)
    return next((bound for bound in bounds if counts[bound] >= quantile * total), bounds[-1] if bounds else None)


_find_labels: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"').findall
_ESCAPED: Final = re.compile(r"\\(.)")


def _parse_sample(line: str) -> LabelledValue:
    """The sample of a line without its name: `{channel="ussd"} 3.0`."""
    labels, _, value = line.rpartition(" ")
    return LabelledValue(_parse_labels(labels), float(value))


@lru_cache(maxsize=2000)
def _parse_labels(text: str) -> Labels:
    """The labels, which are the same ones at every moment."""
    return {name: _ESCAPED.sub(_unescape, value) for name, value in _find_labels(text)}


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]
