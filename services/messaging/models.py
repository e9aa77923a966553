"""The values of messages, without any I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from core.types import Template
from services.messaging.kinds import Medium, MessageKind

__all__ = [
    "ClaimedMessage",
    "DltIds",
    "Message",
    "OutgoingMessage",
    "Refusal",
    "Resolution",
    "SendResult",
    "SendStatus",
    "Template",
]

SendStatus: TypeAlias = Literal["sent", "failed", "unknown", "queued"]
Resolution: TypeAlias = Literal["sent", "failed", "again"]


@dataclass(frozen=True, slots=True)
class Message:
    """A text to one E.164 number, or an e-mail to one address with the first line of `text` as its subject.

    A second message with the same idempotency key is ignored.
    """

    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: MessageKind
    idempotency_key: str
    medium: Medium = "sms"


@dataclass(frozen=True, slots=True)
class DltIds:
    """What an operator of India asks of every SMS: the registered sender's entity and the registered template.

    Each is a number of 19 digits as text; `template` is empty where the text is not registered.
    """

    entity: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message as a provider sends it: to an E.164 number, or to an e-mail address with the first line as the subject.

    `reference` is ours and is the same at every attempt: at most 20 letters and digits. It is empty for a message that no
    outbox holds. `sender` is the short code or the name that the message comes from; empty: the provider's own.
    """

    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: MessageKind = "info"
    reference: str = ""
    sender: str = ""
    template: Template | None = None
    dlt: DltIds | None = None


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that one worker has claimed.

    `attempts` counts this attempt and earlier ones, without those that `suspensions` counts: attempts while the provider
    account was suspended. `segments` counts against the throttle. `sender` is that of the route; empty: the provider's own.
    """

    id: int
    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: MessageKind
    attempts: int
    suspensions: int = 0
    segments: int = 1
    template: Template | None = None
    sender: str = ""


class Refusal(NamedTuple):
    """A text that an operator refuses, by `Template.name`, with the id that it was sent with, or without one."""

    name: str
    template_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of a send. `queued`: not sent, and may be sent again from `not_before` on; `suspended`: and not counted.

    `refusal`: it waits until its text is released, or it expires.
    `unknown`: it may have been sent, and is not sent again by itself unless its kind is safe to repeat.
    """

    status: SendStatus
    provider_id: str = ""
    cost: str = ""
    error: str = ""
    not_before: datetime | None = None
    suspended: bool = False
    refusal: Refusal | None = None
