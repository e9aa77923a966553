"""Complaints and feedback: written once, followed by a number, answered by the department that they concern.

`values` are what is said of them; `writing`, `following`, `cases`, `verdicts`, `escalating` and `digests` what is done by
whom; `moving` is how a complaint goes from one status to the next, whoever moves it.
"""

from services.complaints.cases import Cases
from services.complaints.digests import Digests
from services.complaints.escalating import Escalation
from services.complaints.following import Following
from services.complaints.moving import Moving
from services.complaints.values import (
    BY_DEPARTMENT,
    REASONS,
    STATUSES,
    Case,
    Complaint,
    Event,
    Feedback,
    Filed,
    Given,
    Listed,
    Moved,
    NotMoved,
    Office,
    Offices,
    Opinion,
    Past,
    Settled,
    Status,
)
from services.complaints.verdicts import Verdicts
from services.complaints.writing import Complaints

__all__ = [
    "BY_DEPARTMENT",
    "REASONS",
    "STATUSES",
    "Case",
    "Cases",
    "Complaint",
    "Complaints",
    "Digests",
    "Escalation",
    "Event",
    "Feedback",
    "Filed",
    "Following",
    "Given",
    "Listed",
    "Moved",
    "Moving",
    "NotMoved",
    "Office",
    "Offices",
    "Opinion",
    "Past",
    "Settled",
    "Status",
    "Verdicts",
]
