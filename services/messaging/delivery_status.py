"""The delivery status of an SMS after the provider accepted it, and which of two reports counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class DeliveryStatus(StrEnum):
    """How far an SMS has come; the statuses of every provider are mapped to these."""

    SENT = "sent"  # the provider has passed it to the network
    SUBMITTED = "submitted"  # the network has accepted it
    BUFFERED = "buffered"  # the handset is unreachable; the network will try again
    ABSENT = "absent"  # the handset has been unreachable for long; not final
    EXPIRED = "expired"  # the network has stopped trying; not said to be final
    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"
    UNRECOGNIZED = "unheard_of"  # the provider's status is not in our table


DELIVERY_RANK: Final[Mapping[DeliveryStatus, int]] = {
    DeliveryStatus.UNRECOGNIZED: 0,
    DeliveryStatus.SENT: 1,
    DeliveryStatus.SUBMITTED: 2,
    DeliveryStatus.BUFFERED: 3,
    DeliveryStatus.ABSENT: 4,
    DeliveryStatus.EXPIRED: 4,
    DeliveryStatus.DELIVERED: 5,
    DeliveryStatus.FAILED: 5,
    DeliveryStatus.REJECTED: 5,
}
"""Reports come late, twice and in any order. Africa's Talking calls neither absent nor expired final."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One delivery report: the provider's own status, and the reason of a failure or an empty text.

    `msisdn` and `network` are the recipient's, each empty where the report does not say.
    """

    provider_id: str
    status: DeliveryStatus
    provider_status: str
    reason: str = ""
    msisdn: str = field(default="", repr=False)
    network: str = ""


def furthest_status(current: DeliveryStatus | None, reported: DeliveryStatus) -> DeliveryStatus:
    """Return the status that counts, of the current one (None: nothing reported yet) and a reported one; first final wins."""
    if current is None or DELIVERY_RANK[reported] > DELIVERY_RANK[current]:
        return reported
    return current
