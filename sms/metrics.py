"""Prometheus metrics of inbound SMS. No label contains a number or a text."""

from prometheus_client import CollectorRegistry, Counter

from sms.inbound_handler import HANDLED_AS


class InboundMetrics:
    """The number of inbound SMS, by outcome."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = Counter("ekdial_sms_in", "Inbound SMS, by outcome.", ["as"], registry=registry)
        self._counters = {handled_as: counter.labels(handled_as) for handled_as in HANDLED_AS}

    def record(self, handled_as: str) -> None:
        """Count one SMS with this outcome, one of HANDLED_AS."""
        self._counters[handled_as].inc()
