"""Africa's Talking: voice webhooks and the action that answers them.

Fields and casing are as captured; see docs/missed-calls.md. A call has two webhooks, one while it rings and one when it
has ended. Either may arrive twice, late, or without the other.
"""

from collections.abc import Mapping
from typing import Final

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply, read_msisdn
from core.http.webhooks import BadWebhookError
from core.timestamps import parse_timestamp
from voice.provider import IncomingCall

REJECT_RESPONSE: Final = "<Response><Reject/></Response>"
MAX_SESSION_ID_LENGTH: Final = 128
ACTIVE_VALUES: Final[Mapping[str, bool]] = {"1": True, "0": False}


class AfricasTalkingVoice:
    """Two webhooks a call: one while it rings, one when it has ended."""

    name: Final = "africastalking"
    body_format: Final[BodyFormat] = "form"

    def parse_call(self, fields: Fields) -> IncomingCall:
        """The call that a form describes.

        Raises:
            BadWebhookError: a field is missing or malformed (400).
        """
        return parse_call(fields)

    def render_action(self, call: IncomingCall) -> WebhookReply:
        """The XML that rejects an active call, or nothing; as text/plain, like the provider's own samples."""
        return WebhookReply(render_call_action(call))


def parse_call(form: Mapping[str, str]) -> IncomingCall:
    """The call that a form describes. A hidden number is empty: `anonymous`, `Withheld`, `-1`.

    Raises:
        BadWebhookError: a field is missing or malformed (400).
    """
    session, active = form.get("sessionId", ""), form.get("isActive", "").strip()
    if not session.strip() or len(session) > MAX_SESSION_ID_LENGTH:
        raise BadWebhookError(400, f"sessionId is missing or longer than {MAX_SESSION_ID_LENGTH} characters.")
    if active not in ACTIVE_VALUES:
        raise BadWebhookError(400, "isActive is missing or neither 1 nor 0.")
    for name in ("direction", "destinationNumber"):
        if not form.get(name, "").strip():
            raise BadWebhookError(400, f"{name} is missing.")
    return IncomingCall(
        session_id=session,
        caller_msisdn=read_msisdn(form.get("callerNumber", "")),
        called_number=read_msisdn(form["destinationNumber"]),
        is_active=ACTIVE_VALUES[active],
        is_inbound=form["direction"].strip().casefold() == "inbound",
        is_from_client=bool(form.get("clientDialedNumber", "").strip()),
        began_at=parse_timestamp(form.get("callStartTime", "")),
    )


def render_call_action(call: IncomingCall) -> str:
    """The XML that rejects an active call; empty for one that has ended."""
    return REJECT_RESPONSE if call.is_active else ""
