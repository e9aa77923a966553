"""Export counts that services keep in plain mappings to Prometheus, so that services need not know Prometheus."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class CounterSpec(NamedTuple):
    """A counter: its name, its description, the name of its label, and the counts by label value, which only grow.

    `values` are label values that are exported before they are counted: of a time series that begins with 1, Prometheus sees
    no increase.
    """

    name: str
    description: str
    label: str
    counts: Mapping[str, int]
    values: Collection[str] = ()


class CounterExporter(Collector):
    """Exports the current counts of its counters with every scrape."""

    def __init__(self, registry: CollectorRegistry, *counters: CounterSpec) -> None:
        self._counters = counters
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield one metric for each counter."""
        for counter in self._counters:
            family = CounterMetricFamily(counter.name, counter.description, labels=[counter.label])
            counts = dict.fromkeys(counter.values, 0) | dict(counter.counts)
            for label, count in sorted(counts.items()):
                family.add_metric([label], count)
            yield family
