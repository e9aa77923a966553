"""Prometheus metrics of deliveries to departments; nothing personal."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.departments.delivery_supervisor import DeliverySupervisor


class DeliveryMetrics(Collector):
    """The deliveries of this process's workers, as of the last count."""

    def __init__(self, registry: CollectorRegistry, supervisor: DeliverySupervisor) -> None:
        self._supervisor = supervisor
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield undelivered applications and their age, which systems are available, and attempts by result."""
        yield from self._depth_metrics()
        yield from self._circuit_metrics()

    def _depth_metrics(self) -> Iterator[Metric]:
        labels = ["department", "state"]
        rows = GaugeMetricFamily("ekdial_deliveries", "Applications not delivered yet.", labels=labels)
        oldest = GaugeMetricFamily("ekdial_deliveries_oldest_seconds", "Age of the oldest of them.", labels=labels)
        for depth in self._supervisor.depth:
            rows.add_metric([depth.department, depth.state], depth.rows)
            oldest.add_metric([depth.department, depth.state], depth.oldest_age.total_seconds())
        return iter((rows, oldest))

    def _circuit_metrics(self) -> Iterator[Metric]:
        available = GaugeMetricFamily(
            "ekdial_department_answers",
            "1 while a department's system is called, 0 while its circuit is open.",
            labels=["department"],
        )
        attempts = CounterMetricFamily(
            "ekdial_delivery_tries", "Attempts to deliver an application, by outcome.", labels=["department", "outcome"]
        )
        for worker in self._supervisor.workers:
            available.add_metric([worker.circuit.code], worker.circuit.is_available)
            for result, count in sorted(worker.result_counts.items()):
                attempts.add_metric([worker.circuit.code, result], count)
        return iter((available, attempts))
