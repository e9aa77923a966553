"""The audit: who did what to whose record over which channel. It is written with what was done, or neither is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from services.given import Clock, utc_now
from services.records.database import Records, Transaction
from services.records.tables import audit

Actor: TypeAlias = Literal["citizen", "operator", "officer", "department", "staff", "gateway"]
Subject: TypeAlias = Literal[
    "account", "application", "complaint", "feedback", "payment", "consent", "operator", "key", "document"
]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done, in codes and ids alone: no name, number, PIN or word of a person.

    `actor` is an account's or an operator's id, a department's code or a key's id; `subject` a tracking number, a
    complaint's number or an id. `on_behalf_of` is the account of the citizen for whom an operator acted. `details`
    hold codes too, such as a status.
    """

    actor_kind: Actor
    actor: str
    act: str
    subject_kind: Subject
    subject: str
    channel: str
    effect: str
    on_behalf_of: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Audit:
    """Every act; nothing is changed here once it is written."""

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def note(self, transaction: Transaction, act: Act) -> None:
        """Write it down within `transaction`; the same effect and act are written once."""
        row = {
            "at": self._clock(),
            **{name: getattr(act, name) for name in _PLAIN},
            "on_behalf_of": act.on_behalf_of or None,
            "details": dict(act.details),
            "effect": f"{act.effect}/{act.act}",
        }
        await transaction.execute(self._records.insert_once(audit), row)


_PLAIN = ("actor_kind", "actor", "act", "subject_kind", "subject", "channel")
