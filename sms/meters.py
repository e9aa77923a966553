"""What is counted of messages on their way, for Prometheus to ask; never for whom, and never what they say."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.messages import Depth, Ended, Kind


class Meters:
    """Sends by how they ended, and how many messages stand where."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ends = Counter(
            "ekdial_sms_sends",
            "Tries to send an SMS, by kind and by how they ended.",
            ["kind", "end"],
            registry=registry,
        )
        self._segments = Counter(
            "ekdial_sms_segments", "Segments that a provider took, by kind.", ["kind"], registry=registry
        )
        self._messages = Gauge("ekdial_messages", "Messages by where they stand.", ["stage"], registry=registry)
        self._oldest = Gauge(
            "ekdial_messages_oldest_due_seconds",
            "For how long the oldest message that waits is due.",
            registry=registry,
        )
        self._held = Gauge(
            "ekdial_sms_held", "1 while no SMS goes out before a person mends something.", registry=registry
        )

    def ended(self, kind: Kind, ended: Ended, segments: int) -> None:
        """One try more; `segments` are what the message takes."""
        self._ends.labels(kind, ended).inc()
        if ended == "sent":
            self._segments.labels(kind).inc(segments)

    def stand(self, depth: Depth) -> None:
        """How many stand where now."""
        for stage in ("queued", "sending", "unknown"):
            self._messages.labels(stage).set(getattr(depth, stage))
        self._oldest.set(depth.oldest.total_seconds())

    def held(self, held: bool) -> None:
        """Whether nothing goes out."""
        self._held.set(held)
