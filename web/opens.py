"""What is counted of links, for Prometheus to ask: opens by handset, refusals by reason; never which link."""

from itertools import product
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter

from services.links import Purpose
from web.handset import HANDSETS

REFUSED_FOR: Final = ("gone", "unknown", "guessing", "failed")


class Opens:
    """Every way that asking for a link can end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._opened = Counter(
            "ekdial_links_opened", "Links opened, by what for and on what.", ["purpose", "handset"], registry=registry
        )
        self._refused = Counter("ekdial_links_refused", "Links not opened, by why.", ["why"], registry=registry)
        self._looked_at = Counter("ekdial_links_looked_at", "Previews of links made by robots.", registry=registry)
        for purpose, handset in product(get_args(Purpose), HANDSETS):
            self._opened.labels(purpose, handset)
        for why in REFUSED_FOR:
            self._refused.labels(why)

    def opened(self, purpose: Purpose, handset: str) -> None:
        """Somebody was led where the link leads."""
        self._opened.labels(purpose, handset).inc()

    def refused(self, why: str) -> None:
        """Somebody was not; `why` is one of REFUSED_FOR."""
        self._refused.labels(why).inc()

    def looked_at(self) -> None:
        """Nobody was: a robot looked."""
        self._looked_at.inc()
