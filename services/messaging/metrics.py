"""Prometheus metrics of the outbox; never who a message is for, and never what it says."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.messaging.kinds import MessageKind
from services.messaging.message_status import QueueDepth
from services.messaging.models import SendStatus


class OutboxMetrics:
    """Attempts to send by how they ended, and the number of messages in each stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sends = Counter(
            "ekdial_sms_sends",
            "Attempts to send an SMS, by provider, kind and outcome.",
            ["provider", "kind", "outcome"],
            registry=registry,
        )
        self._segments = Counter(
            "ekdial_sms_segments",
            "Segments that a provider accepted, by provider and kind.",
            ["provider", "kind"],
            registry=registry,
        )
        self._messages = Gauge("ekdial_messages", "Messages by stage.", ["stage"], registry=registry)
        self._oldest_due = Gauge(
            "ekdial_messages_oldest_due_seconds", "Time the oldest queued message has been due.", registry=registry
        )
        self._suspended = Gauge(
            "ekdial_sms_held",
            "1 while no SMS is sent by a provider until a person fixes the account.",
            ["provider"],
            registry=registry,
        )
        self._moved = Counter(
            "ekdial_sms_moved",
            "SMS that were moved to the fallback of a suspended provider, by that provider.",
            ["provider"],
            registry=registry,
        )

    def record_send(self, provider: str, kind: MessageKind, status: SendStatus, segments: int) -> None:
        """Count one attempt of a provider to send a message of this many segments."""
        self._sends.labels(provider, kind, status).inc()
        if status == "sent":
            self._segments.labels(provider, kind).inc(segments)

    def record_moved(self, provider: str, count: int) -> None:
        """Count messages of a suspended provider that another one sends."""
        self._moved.labels(provider).inc(count)

    def set_depth(self, depth: QueueDepth) -> None:
        """Set the number of messages in each stage."""
        for stage in ("queued", "sending", "unknown"):
            self._messages.labels(stage).set(getattr(depth, stage))
        self._oldest_due.set(depth.oldest_age.total_seconds())

    def set_suspended(self, provider: str, suspended: bool) -> None:
        """Set whether sending by a provider is suspended."""
        self._suspended.labels(provider).set(suspended)
