"""What became of an SMS after the provider took it: which of two delivery reports counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Delivery(StrEnum):
    """How far an SMS has come, in words that every provider's are put into."""

    SENT = "sent"  # the provider has given it to the network
    SUBMITTED = "submitted"  # the network has it
    BUFFERED = "buffered"  # the handset could not be reached; the network will try again
    ABSENT = "absent"  # the same for long; not said to be the end
    EXPIRED = "expired"  # the network has stopped trying; not said to be the end
    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"
    UNHEARD_OF = "unheard_of"  # a status that no table of ours knows


RANK: Final[Mapping[Delivery, int]] = {
    Delivery.UNHEARD_OF: 0,
    Delivery.SENT: 1,
    Delivery.SUBMITTED: 2,
    Delivery.BUFFERED: 3,
    Delivery.ABSENT: 4,
    Delivery.EXPIRED: 4,
    Delivery.DELIVERED: 5,
    Delivery.FAILED: 5,
    Delivery.REJECTED: 5,
}
"""Reports come late, twice and in any order. Absent and expired are in between: Africa's Talking calls neither final."""


@dataclass(frozen=True, slots=True)
class Report:
    """One delivery report: `word` is the provider's own status, `reason` why it failed, or empty.

    `number` and `network` are the recipient's, each empty where the report does not tell.
    """

    provider_id: str
    delivery: Delivery
    word: str
    reason: str = ""
    number: str = field(default="", repr=False)
    network: str = ""


def further(known: Delivery | None, heard: Delivery) -> Delivery:
    """The one that counts of what is known (None: nothing yet) and what is heard now: never backwards, first final."""
    if known is None or RANK[heard] > RANK[known]:
        return heard
    return known
