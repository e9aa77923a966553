"""Counts of the page: key presses by outcome, and sign-ins."""

from collections import Counter
from typing import Final

from core.hop_metrics import HopCounts

OUTCOMES: Final = ("answered", "repeated", "refused", "failed", "shed")
SIGN_INS: Final = (
    *("code", "pin"),
    *("too_many_codes", "too_many_tries", "wrong_code", "code_gone", "wrong_pin"),
)


class KaiosMetrics:
    """The counts of one process."""

    def __init__(self, hops: HopCounts) -> None:
        """`hops` counts key presses by outcome, one of OUTCOMES."""
        self._hops = hops
        self.sign_ins: Counter[str] = Counter(dict.fromkeys(SIGN_INS, 0))
        """Sign-ins by the way, and refusals by their reason."""

    def count(self, outcome: str) -> None:
        """Count a key press."""
        self._hops.count(outcome)

    def count_sign_in(self, outcome: str) -> None:
        """Count a sign-in, or a refusal."""
        self.sign_ins[outcome] += 1
