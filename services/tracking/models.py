"""Values of a tracking lookup."""

from typing import Literal, NamedTuple, TypeAlias

from services.applications.models import Status
from services.complaints import models as complaints
from services.payments.models import FeeState

NumberKind: TypeAlias = Literal["application", "complaint", "feedback", "unknown", "held"]


class LookupResult(NamedTuple):
    """The result of a lookup. `held`: the caller has to wait. `fee` and `is_waiting` belong to an application.

    `may_answer`: the department asks for more information, and the caller is the applicant.
    """

    kind: NumberKind
    application: Status | None = None
    fee: FeeState = "none"
    is_waiting: bool = False
    complaint: complaints.Status | None = None
    feedback: complaints.FeedbackStatus | None = None
    may_answer: bool = False
