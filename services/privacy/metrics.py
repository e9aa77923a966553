"""Prometheus metrics of retention."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge


class RetentionMetrics:
    """The number of rows that each rule ended, and the age of the oldest row that it left."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "ekdial_retention_ended", "Expired rows that were deleted or emptied, by rule.", ["rule"], registry=registry
        )
        self._oldest = Gauge(
            "ekdial_retention_oldest_seconds",
            "Age of the oldest row that a rule left in its last walk through the table.",
            ["rule"],
            registry=registry,
        )

    def record(self, counts: Mapping[str, int], oldest: Mapping[str, datetime | None], now: datetime) -> None:
        """Add the rows that ended in a run, and set the ages at `now`."""
        for rule, count in counts.items():
            self._ended.labels(rule).inc(count)
        for rule, time in oldest.items():
            self._oldest.labels(rule).set((now - time).total_seconds() if time else 0)
