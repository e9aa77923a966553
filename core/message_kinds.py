"""The names of the kinds of message. Their rules are in `services.messaging.kinds`."""

from typing import Literal, TypeAlias

MessageKind: TypeAlias = Literal[
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
