"""The audit: who did what to whose record over which channel. It is written with what was done, or neither is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from services.channels import channel_of
from services.given import Clock, utc_now
from services.records.database import Records, Transaction
from services.records.tables import audit

Actor: TypeAlias = Literal["citizen", "operator", "officer", "department", "staff", "gateway"]
Subject: TypeAlias = Literal[
    "account", "application", "complaint", "feedback", "payment", "consent", "operator", "key", "document"
]


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts, and over which channel; `details` say by what, such as the id of a key."""

    kind: Actor
    id: str
    channel: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class By:
    """An operator who acts for a citizen with an account, and the consent under which they do."""

    operator: int
    account: int
    consent: int


_by: ContextVar[By | None] = ContextVar("by", default=None)


@contextmanager
def acting(by: By) -> Iterator[None]:
    """Within it, whatever is noted as the citizen's doing was the operator's: no journey can forget to say so."""
    token = _by.set(by)
    try:
        yield
    finally:
        _by.reset(token)


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
        act = _signed(act, _by.get())
        row = {
            "at": self._clock(),
            **{name: getattr(act, name) for name in _PLAIN},
            "on_behalf_of": act.on_behalf_of or None,
            "details": dict(act.details),
            "effect": f"{act.effect}/{act.act}",
        }
        await transaction.execute(self._records.insert_once(audit), row)


def act_of(who: Who, act: str, subject_kind: Subject, subject: str, effect: str, **details: str) -> Act:
    """What `who` did to whose record; what they did it by stands beside what it was."""
    known = {**who.details, **details}
    return Act(who.kind, who.id, act, subject_kind, subject, who.channel, effect, details=known)


def citizen(account: int, effect: str) -> Who:
    """A citizen, over the channel that this effect came by."""
    return Who("citizen", str(account), channel_of(effect))


def _signed(act: Act, by: By | None) -> Act:
    if by is None or act.actor_kind not in {"citizen", "operator"}:
        return act
    details = {**act.details, "consent": str(by.consent)}
    return replace(act, actor_kind="operator", actor=str(by.operator), on_behalf_of=str(by.account), details=details)


_PLAIN = ("actor_kind", "actor", "act", "subject_kind", "subject", "channel")
