"""Applications: handed in once, followed by their tracking number, moved on by the department they belong to.

`values` are what is said of them; `handing_in`, `following` and `filings` what is done by whom.
"""

from services.applications.filings import Filings
from services.applications.following import Following
from services.applications.handing_in import Applications
from services.applications.values import (
    COLLISIONS,
    FINAL,
    STATUSES,
    Event,
    Filed,
    Moved,
    NotMoved,
    NumbersExhausted,
    Receipt,
    Status,
    Submission,
)

__all__ = [
    "COLLISIONS",
    "FINAL",
    "STATUSES",
    "Applications",
    "Event",
    "Filed",
    "Filings",
    "Following",
    "Moved",
    "NotMoved",
    "NumbersExhausted",
    "Receipt",
    "Status",
    "Submission",
]
