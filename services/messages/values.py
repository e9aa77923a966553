"""A message as it is asked for, as a worker gets it, and what is noted of its send."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from services.messages.kinds import Kind, Medium

Ended: TypeAlias = Literal["sent", "failed", "unknown", "queued"]


@dataclass(frozen=True, slots=True)
class Message:
    """A text to one E.164 number; by e-mail: to one address, with the first line of `text` as its subject.

    Two with the same `effect` are one: the first.
    """

    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: Kind
    effect: str
    medium: Medium = "sms"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker, and no other, is to send now.

    `attempts` counts this try and those before it that could have done it; `holds` those that somebody's account or
    configuration held up. `segments` is what it costs of a sender's throughput.
    """

    id: int
    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: Kind
    attempts: int
    holds: int = 0
    segments: int = 1


@dataclass(frozen=True, slots=True)
class Ending:
    """What is noted of a send. `queued`: it certainly was not sent and may be tried again, not before `due`.

    `held`: and this try does not count. `unknown`: it may have been sent, and is never sent again by itself, unless its
    kind is safe to repeat.
    """

    status: Ended
    provider_id: str = ""
    cost: str = ""
    error: str = ""
    due: datetime | None = None
    held: bool = False
