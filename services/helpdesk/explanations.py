"""What became of a message, in words for the helpdesk: where it is, why, and what to do."""

from collections.abc import Mapping
from typing import Final

from services.messaging.kinds import MessageKind
from services.messaging.message_status import MessageState, Stage

BY_STAGE: Final[Mapping[Stage, str]] = {
    "queued": "it waits to be sent",
    "sending": "it is being sent",
    "sent": "the provider has it; no report from the network yet",
    "submitted": "the network has it; no report from the phone yet",
    "buffered": "the phone is off or out of reach; the network keeps trying",
    "expired": "the phone was off or out of reach for too long; the network gave up",
    "delivered": "it arrived on the phone",
    "failed": "it was not sent, or did not arrive",
    "dropped": "the gateway did not send it",
    "unknown": "nobody knows whether it was sent; messages settle records what you find out",
}
BY_REASON: Final[Mapping[str, str]] = {
    "TooLate": "it was not sent before it was of no use any more",
    "OptedOut": "the citizen sent STOP; START brings news by SMS again",
    "NumberReleased": "the number was taken from its holder",
    "LimitReached": "too many SMS were caused by senders whose number nobody vouches for; try again in an hour",
    "Unreadable": "another key encrypted its text",
    "TextForgotten": "its text was deleted before it could be sent again",
    "SettledByHand": "a person settled it as not sent",
    "WorkerGone": "the process that sent it ended; it may have been sent",
    "UserInBlacklist": "the phone refuses SMS from this sender; the holder asks the network to open it",
    "InvalidPhoneNumber": "the provider takes no SMS to this number",
    "InsufficientBalance": "the account at the provider has no money left",
    "NotConnected": "the provider could not be reached",
    "NoAnswerInTime": "the provider did not answer; it may have been sent",
    "ConnectionLost": "the connection broke; it may have been sent",
}
"""Our own reasons, and those of a provider that a citizen can do something about. Others are shown as they are."""
INSTEAD: Final[Mapping[MessageKind, str]] = {
    "code": "the citizen asks for a new code where the old one was asked for",
    "pin": "citizen reset-pin sends a new PIN",
    "document": "the citizen opens the documents again: SMS DOCS",
    "link": "the citizen makes the missed call again, or sends APP",
    "menu": "the citizen makes the missed call again",
    "status": "the citizen sends STATUS and the tracking number, and gets what is true now",
    "reply": "the citizen sends the SMS again",
    "info": "the citizen asks for it again",
}
"""What to do where a message is not sent again, by its kind."""


def explain_message(state: MessageState) -> str:
    """Where the message is, and why."""
    if not state.reason:
        return BY_STAGE[state.stage]
    return BY_REASON.get(state.reason, f"{BY_STAGE[state.stage]} ({state.reason})")


def suggest_instead(kind: MessageKind) -> str:
    """What to do instead of sending a message of this kind again; empty where nothing helps."""
    return INSTEAD.get(kind, "")
