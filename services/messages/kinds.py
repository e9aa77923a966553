"""The kinds of message, and what follows from each: how long it is worth sending, before which others, how often."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal[
    "code",
    "pin",
    "reply",
    "receipt_reply",
    "menu",
    "receipt",
    "status",
    "info",
    "link",
    "document",
    "payment",
    "notice",
    "digest",
]
Medium: TypeAlias = Literal["sms", "email"]

URGENT, ANSWER, ORDINARY = range(3)
"""What is claimed first: what somebody waits for with a screen open, then with a phone in the hand, then the rest."""


class Rule(NamedTuple):
    """What holds for every message of a kind.

    lives: after it, it is dropped instead of sent.
    priority: the lower goes first.
    secret: its text is forgotten once it has left.
    proactive: nobody asked for it, so that who has opted out does not get it.
    can_wait: it is held back while it is night where it goes to.
    safe_to_repeat: where nobody knows whether it was sent, it is sent once more.
    """

    lives: timedelta
    priority: int = ORDINARY
    secret: bool = False
    proactive: bool = False
    can_wait: bool = False
    safe_to_repeat: bool = False


# A receipt and a status may come twice: they stay true, their tracking number shows that both are one, and nobody can
# ask again for a number that was never heard. Whoever waits for any other kind is there, and asks again.
RULES: Final[Mapping[Kind, Rule]] = {
    "code": Rule(timedelta(minutes=10), URGENT, secret=True),  # as long as the code itself
    "pin": Rule(timedelta(hours=24), URGENT, secret=True),
    "reply": Rule(timedelta(minutes=10), ANSWER),  # to an SMS that somebody sent just now
    "receipt_reply": Rule(timedelta(days=3), ANSWER, safe_to_repeat=True),  # a receipt, to an SMS of just now
    "menu": Rule(timedelta(hours=1), ANSWER),  # that somebody rang for; who still wants it then, rings again
    "receipt": Rule(timedelta(days=3), can_wait=True, safe_to_repeat=True),
    "status": Rule(timedelta(days=3), proactive=True, can_wait=True, safe_to_repeat=True),
    "info": Rule(timedelta(days=3)),  # asked for a moment ago
    "link": Rule(timedelta(days=3)),  # that somebody rang for
    "payment": Rule(timedelta(days=3), ANSWER, safe_to_repeat=True),  # the payer has just put their wallet away
    "document": Rule(timedelta(hours=1), ANSWER, secret=True),  # what it says of a person, and a link that opens it
    "notice": Rule(timedelta(days=3), safe_to_repeat=True),  # to a department: it names a complaint by its number
    "digest": Rule(timedelta(days=3), secret=True),  # to a department: what people think of it, in their words
}
PRIORITIES: Final = tuple(sorted({rule.priority for rule in RULES.values()}))
SAFE_TO_REPEAT: Final = tuple(kind for kind, rule in RULES.items() if rule.safe_to_repeat)
