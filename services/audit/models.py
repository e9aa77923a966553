"""Values of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ActorKind: TypeAlias = Literal["citizen", "operator", "officer", "department", "network", "staff", "gateway"]
SubjectKind: TypeAlias = Literal[
    "account",
    "application",
    "complaint",
    "feedback",
    "payment",
    "report",
    "consent",
    "operator",
    "key",
    "document",
    "number",
    "message",
    "staff",
    "statement",
    "template",
    "audit",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or system that acts, and the channel; `details` have codes, such as the id of an API key."""

    kind: ActorKind
    id: str
    channel: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActingOperator:
    """An operator who acts for a citizen with an account, and the id of the consent that allows it."""

    operator: int
    account: int
    consent: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act, in codes and ids alone: no name, MSISDN, PIN or text of a person.

    `actor` is the id of an account, an operator or a key, or the code of a department. `subject` is a tracking number, a
    complaint number or an id. `on_behalf_of` is the account of the citizen for whom an operator acted. `details` have
    codes, such as a status.
    """

    actor_kind: ActorKind
    actor: str
    act: str
    subject_kind: SubjectKind
    subject: str
    channel: str
    idempotency_key: str
    on_behalf_of: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
