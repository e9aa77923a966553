"""Read metrics in Prometheus' text format, to show them to people: sums, and quantiles of histograms."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from prometheus_client.parser import text_string_to_metric_families

Labels: TypeAlias = Mapping[str, str]

INFINITE: Final = float("inf")


class LabelledValue(NamedTuple):
    """The value of one sample with its labels."""

    labels: Labels
    value: float


class MetricSamples:
    """The samples of one moment, by their names: a counter's name ends in `_total`."""

    def __init__(self, text: str) -> None:
        """`text` is what `/metrics` responds with."""
        self._samples: dict[str, list[LabelledValue]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name].append(LabelledValue(sample.labels, sample.value))

    def __contains__(self, name: str) -> bool:
        """Whether there is a sample with this name."""
        return name in self._samples

    def find(self, name: str, **labels: str) -> Iterator[LabelledValue]:
        """The samples with this name and these labels, and perhaps others."""
        for sample in self._samples.get(name, ()):
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
