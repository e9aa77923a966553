"""What is on its way to departments' systems, and which of them answer, for Prometheus to ask; never whose it is."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.departments.couriers import Couriers


class Delivering(Collector):
    """As it was counted last by this process's couriers."""

    def __init__(self, registry: CollectorRegistry, couriers: Couriers) -> None:
        self._couriers = couriers
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Rows by department and state, the age of the oldest, which systems answer, and tries by how they ended."""
        yield from self._rows()
        yield from self._lines()

    def _rows(self) -> Iterator[Metric]:
        labels = ["department", "state"]
        rows = GaugeMetricFamily("ekdial_deliveries", "Applications not delivered yet.", labels=labels)
        oldest = GaugeMetricFamily("ekdial_deliveries_oldest_seconds", "Age of the oldest of them.", labels=labels)
        for depth in self._couriers.depth:
            rows.add_metric([depth.department, depth.state], depth.rows)
            oldest.add_metric([depth.department, depth.state], depth.oldest.total_seconds())
        return iter((rows, oldest))

    def _lines(self) -> Iterator[Metric]:
        answers = GaugeMetricFamily(
            "ekdial_department_answers",
            "1 while a department's system is asked, 0 while it is left alone.",
            labels=["department"],
        )
        tries = CounterMetricFamily(
            "ekdial_delivery_tries", "Tries to deliver an application, by how they ended.", labels=["department", "end"]
        )
        for courier in self._couriers.each:
            answers.add_metric([courier.line.code], courier.line.answers)
            for end, count in sorted(courier.tries.items()):
                tries.add_metric([courier.line.code, end], count)
        return iter((answers, tries))
