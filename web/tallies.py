"""What services count in plain numbers, for Prometheus to ask: they need not know that it does."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class Tally(NamedTuple):
    """A counter's name, what it tells, the label its counts go by, and the counts themselves, which go on growing."""

    name: str
    what: str
    label: str
    counts: Mapping[str, int]


class Tallies(Collector):
    """Any number of them."""

    def __init__(self, registry: CollectorRegistry, *tallies: Tally) -> None:
        self._tallies = tallies
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """As they stand now."""
        for tally in self._tallies:
            family = CounterMetricFamily(tally.name, tally.what, labels=[tally.label])
            for label, count in sorted(tally.counts.items()):
                family.add_metric([label], count)
            yield family
