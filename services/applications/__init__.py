"""Applications: handed in once, followed by their tracking number, moved on by the department they belong to.

`values` are what is said of them; `handing_in`, `following` and `filings` what is done by whom.
"""

from services.applications.drafts import Draft, Drafts
from services.applications.filings import Filings
from services.applications.following import Following
from services.applications.handing_in import Applications
from services.applications.values import (
    ANSWERED,
    COLLISIONS,
    FINAL,
    STATUSES,
    Event,
    Filed,
    Listed,
    Moved,
    NotMoved,
    NumbersExhausted,
    Past,
    Receipt,
    Status,
    Submission,
)
from services.applications.withdrawing import TakenBack, Withdrawing

__all__ = [
    "ANSWERED",
    "COLLISIONS",
    "FINAL",
    "STATUSES",
    "Applications",
    "Draft",
    "Drafts",
    "Event",
    "Filed",
    "Filings",
    "Following",
    "Listed",
    "Moved",
    "NotMoved",
    "NumbersExhausted",
    "Past",
    "Receipt",
    "Status",
    "Submission",
    "TakenBack",
    "Withdrawing",
]
