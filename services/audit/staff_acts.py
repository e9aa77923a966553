"""Acts of staff on the records of others: who acts, why, and the idempotency key."""

import re
from dataclasses import dataclass, replace
from typing import Final

from services.audit.models import Actor

MAX_REASON_LENGTH: Final = 120
MAX_REASON_DIGITS: Final = 6
"""A reason may name a ticket. A phone number has more digits; it would stay in the audit log for ever."""


class ReasonError(ValueError):
    """A reason that cannot be recorded; the message says why."""


@dataclass(frozen=True, slots=True)
class StaffAct:
    """An act of a member of staff: who acts, why, and the idempotency key. `reason` is as `parse_reason` returns it."""

    actor: Actor
    reason: str
    idempotency_key: str

    @property
    def actor_with_reason(self) -> Actor:
        """The actor, whose entries in the audit log have the reason."""
        return replace(self.actor, details={**self.actor.details, "reason": self.reason})


def parse_reason(text: str) -> str:
    """The reason as one line, for the audit log, from which nothing can be deleted.

    Raises:
        ReasonError: it is empty or too long, or has the number or address of a person.
    """
    reason = " ".join(text.split())
    if not reason or len(reason) > MAX_REASON_LENGTH or not reason.isprintable():
        raise ReasonError(f"A reason is one line of 1 to {MAX_REASON_LENGTH} characters")
    if len(re.findall(r"\d", reason)) > MAX_REASON_DIGITS or "@" in reason:
        raise ReasonError("A reason names no person: no phone number and no e-mail address; write a ticket or a cause")
    return reason
