"""Metrics of links: opens by purpose and handset, refusals by reason."""

from itertools import product
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter

from services.messaging.links import LinkPurpose
from web.links.handset import HANDSETS

REFUSAL_REASONS: Final = ("gone", "unknown", "guessing", "failed")


class LinkMetrics:
    """Counts every outcome of a request for a link."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._opened = Counter(
            "ekdial_links_opened", "Links opened, by purpose and handset.", ["purpose", "handset"], registry=registry
        )
        self._refused = Counter("ekdial_links_refused", "Links not opened, by reason.", ["reason"], registry=registry)
        self._previews = Counter("ekdial_links_looked_at", "Previews of links made by robots.", registry=registry)
        for purpose, handset in product(get_args(LinkPurpose), HANDSETS):
            self._opened.labels(purpose, handset)
        for reason in REFUSAL_REASONS:
            self._refused.labels(reason)

    def record_open(self, purpose: LinkPurpose, handset: str) -> None:
        """Count a link that was opened."""
        self._opened.labels(purpose, handset).inc()

    def record_refusal(self, reason: str) -> None:
        """Count a link that was not opened; `reason` is one of REFUSAL_REASONS."""
        self._refused.labels(reason).inc()

    def record_preview(self) -> None:
        """Count a preview by a robot, which opens nothing."""
        self._previews.inc()
