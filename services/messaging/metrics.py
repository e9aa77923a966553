"""Prometheus metrics of the outbox; never who a message is for, and never what it says."""

import re
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.messaging.kinds import MessageKind
from services.messaging.message_status import QueueDepth
from services.messaging.models import SendResult

MAX_ERROR_CODES: Final = 50
OTHER: Final = "other"
_is_code: Final = re.compile(r"(?!.*\d{6})[A-Za-z][A-Za-z0-9_:. -]{0,39}|\d{1,5}").fullmatch
"""Whether a text is a code. A phone number has more digits."""


class OutboxMetrics:
    """Attempts to send by how they ended, and the number of messages in each stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sends = Counter(
            "ekdial_sms_sends",
            "Attempts to send an SMS, by provider, kind and outcome.",
            ["provider", "kind", "outcome"],
            registry=registry,
        )
        self._errors = Counter(
            "ekdial_sms_errors",
            "Attempts to send an SMS that did not succeed, by provider and by its code or by our reason.",
            ["provider", "error"],
            registry=registry,
        )
        self._error_codes: set[str] = set()
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
        self._oldest_of_provider = Gauge(
            "ekdial_sms_oldest_due_seconds",
            "Time the oldest queued SMS of a provider has been due.",
            ["provider"],
            registry=registry,
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

    def record_send(self, provider: str, kind: MessageKind, result: SendResult, segments: int) -> None:
        """Count one attempt of a provider to send a message of this many segments, and its result."""
        self._sends.labels(provider, kind, result.status).inc()
        if result.status == "sent":
            self._segments.labels(provider, kind).inc(segments)
        elif result.error:
            self._errors.labels(provider, self._name_error(result.error)).inc()

    def _name_error(self, error: str) -> str:
        """The error as a label. What does not look like a code, and what comes after MAX_ERROR_CODES others, is `other`."""
        if error not in self._error_codes:
            if len(self._error_codes) >= MAX_ERROR_CODES or not _is_code(error):
                return OTHER
            self._error_codes.add(error)
        return error

    def set_oldest_due(self, provider: str, age: timedelta) -> None:
        """Set how long the oldest SMS of a provider has been due."""
        self._oldest_of_provider.labels(provider).set(age.total_seconds())

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
