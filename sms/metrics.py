"""Metrics of inbound SMS. No label contains a number or a text."""

from collections.abc import Collection

from core.hop_metrics import HopCounts, HopMetrics
from sms.conversation import CHANNEL
from sms.inbound_handler import HANDLED_AS


class InboundMetrics:
    """The number of inbound SMS of each provider, by outcome."""

    def __init__(self, hops: HopMetrics, providers: Collection[str], unnamed: str) -> None:
        """The id of an SMS begins with the name of its provider and a slash; `unnamed` is the provider whose ids do not."""
        self._unnamed = unnamed
        self._counts = {name: hops.open(CHANNEL, name, HANDLED_AS) for name in {*providers, unnamed}}

    def count(self, provider_id: str, outcome: str) -> None:
        """Count the SMS with this id by its outcome, one of HANDLED_AS, where nothing was done for it."""
        self._find(provider_id).count(outcome)

    def record(self, provider_id: str, outcome: str, seconds: float) -> None:
        """Count the SMS with this id: its outcome, one of HANDLED_AS, and the duration of the work on it."""
        self._find(provider_id).record(outcome, seconds)

    def _find(self, provider_id: str) -> HopCounts:
        return self._counts.get(provider_id.partition("/")[0]) or self._counts[self._unnamed]
