"""The kinds of message, and the rules of each: how long it is worth sending, its priority, whether it may be repeated."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from core import message_kinds

MessageKind: TypeAlias = message_kinds.MessageKind
Medium: TypeAlias = Literal["sms", "email"]

URGENT, INTERACTIVE, NORMAL = range(3)
"""The priorities, most urgent first: a person waits at an open screen, a person waits with the phone in hand, the rest."""


class MessageRule(NamedTuple):
    """The rules of all messages of a kind.

    ttl: a message that is older is dropped instead of sent.
    priority: lower numbers go first.
    secret: the text is deleted once the message is sent.
    proactive: unsolicited; not sent to numbers that opted out.
    deferrable: held back during quiet hours at the recipient.
    safe_to_repeat: sent once more if the result of a send is unknown.
    """

    ttl: timedelta
    priority: int = NORMAL
    secret: bool = False
    proactive: bool = False
    deferrable: bool = False
    safe_to_repeat: bool = False


# A receipt and a status may come twice: they stay true, and the tracking number shows that both are one. Nobody can ask
# again for a number they never received. A person who waits for any other message can ask again.
RULES: Final[Mapping[MessageKind, MessageRule]] = {
    "code": MessageRule(timedelta(minutes=10), URGENT, secret=True),  # as long as the code itself
    "pin": MessageRule(timedelta(hours=24), URGENT, secret=True),
    "reply": MessageRule(timedelta(minutes=10), INTERACTIVE),  # to an SMS of a moment ago
    "receipt_reply": MessageRule(
        timedelta(days=3), INTERACTIVE, safe_to_repeat=True
    ),  # a receipt, to an SMS of a moment ago
    "menu": MessageRule(timedelta(hours=1), INTERACTIVE),  # requested by a missed call; later, the person calls again
    "receipt": MessageRule(timedelta(days=3), deferrable=True, safe_to_repeat=True),
    "status": MessageRule(timedelta(days=3), proactive=True, deferrable=True, safe_to_repeat=True),
    "info": MessageRule(timedelta(days=3)),  # requested a moment ago
    "link": MessageRule(timedelta(days=3)),  # requested by a missed call
    "payment": MessageRule(timedelta(days=3), INTERACTIVE, safe_to_repeat=True),  # the payer has just paid
    "document": MessageRule(
        timedelta(hours=1), INTERACTIVE, secret=True
    ),  # quotes a person's document, and has a link that opens it
    "notice": MessageRule(timedelta(days=3), safe_to_repeat=True),  # to a department; names a complaint by its number
    "digest": MessageRule(timedelta(days=3), secret=True),  # to a department; quotes citizens' feedback
}
PRIORITIES: Final = tuple(sorted({rule.priority for rule in RULES.values()}))
SAFE_TO_REPEAT: Final = tuple(kind for kind, rule in RULES.items() if rule.safe_to_repeat)
