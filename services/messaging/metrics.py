"""Prometheus metrics of the outbox; never who a message is for, and never what it says."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.messaging.kinds import MessageKind
from services.messaging.message_status import QueueDepth
from services.messaging.models import SendStatus


class OutboxMetrics:
    """Attempts to send by how they ended, and the number of messages in each stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sends = Counter(
            "ekdial_sms_sends", "Attempts to send an SMS, by kind and result.", ["kind", "end"], registry=registry
        )
        self._segments = Counter(
            "ekdial_sms_segments", "Segments that a provider accepted, by kind.", ["kind"], registry=registry
        )
        self._messages = Gauge("ekdial_messages", "Messages by stage.", ["stage"], registry=registry)
        self._oldest_due = Gauge(
            "ekdial_messages_oldest_due_seconds", "Time the oldest queued message has been due.", registry=registry
        )
        self._suspended = Gauge(
            "ekdial_sms_held", "1 while no SMS is sent until a person fixes the provider account.", registry=registry
        )

    def record_send(self, kind: MessageKind, status: SendStatus, segments: int) -> None:
        """Count one attempt to send a message of this many segments."""
        self._sends.labels(kind, status).inc()
        if status == "sent":
            self._segments.labels(kind).inc(segments)

    def set_depth(self, depth: QueueDepth) -> None:
        """Set the number of messages in each stage."""
        for stage in ("queued", "sending", "unknown"):
            self._messages.labels(stage).set(getattr(depth, stage))
        self._oldest_due.set(depth.oldest_age.total_seconds())

    def set_suspended(self, suspended: bool) -> None:
        """Set whether sending is suspended."""
        self._suspended.set(suspended)
