"""Africa's Talking: USSD webhooks and the replies to them.

Fields, casing and the `text` that grows with every key press are as captured; see docs/providers/africastalking.md.
"""

from collections.abc import Mapping
from typing import Final

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply, read_msisdn
from core.http.webhooks import BadWebhookError
from sessions.path_turns import UssdReply, UssdRequest
from ussd.dial_strings import build_path
from ussd.provider import CHANNEL, ShortCodeConfig, UssdEndEvent

HOP_METADATA = "at-ussd-hop-metadata"
MAX_SESSION_ID_LENGTH = 128
MAX_COUNT_DIGITS = 9
END_STATUSES = frozenset({"Success", "Incomplete", "Failed"})


class AfricasTalkingUssd:
    """Sends the whole path, echoes metadata in a header, and takes the screen as the response to its webhook."""

    name: Final = "africastalking"
    body_format: Final[BodyFormat] = "form"

    def __init__(self, config: ShortCodeConfig) -> None:
        self._config = config

    def parse_request(self, fields: Fields, headers: Mapping[str, str]) -> UssdRequest:
        """The key press that a form describes.

        Raises:
            BadWebhookError: a field is missing or malformed (400).
        """
        return parse_ussd_request(fields, headers.get(HOP_METADATA, ""), self._config)

    def parse_end_event(self, fields: Fields) -> UssdEndEvent:
        """The report that a form holds."""
        return parse_end_event(fields)

    def render_reply(self, reply: UssdReply, _: Fields) -> WebhookReply:
        """The screen with its prefix, and the metadata as a header."""
        screen, metadata = reply.reply, reply.hop_metadata
        text = f"END {screen.text}" if screen.ends else f"CON {screen.text}"
        return WebhookReply(text, (HOP_METADATA, str(metadata)) if metadata else None)


def parse_ussd_request(form: Mapping[str, str], echoed_metadata: str, config: ShortCodeConfig) -> UssdRequest:
    """The key press that a form describes; `echoed_metadata` is empty where the header is missing.

    Raises:
        BadWebhookError: a field is missing or malformed (400).
    """
    caller, session = read_msisdn(form.get("phoneNumber", "")), form.get("sessionId", "")
    if not caller:
        raise BadWebhookError(400, "phoneNumber is missing or not in the form +254700000001.")
    if not session or len(session) > MAX_SESSION_ID_LENGTH:
        raise BadWebhookError(400, f"sessionId is missing or longer than {MAX_SESSION_ID_LENGTH} characters.")
    if "text" not in form:
        raise BadWebhookError(400, "text is missing; it is empty on the first hop and there on every one.")
    path = build_path(form.get("serviceCode", ""), form["text"], config.service_codes)
    return UssdRequest(
        session_id=session,
        caller=caller,
        path=path,
        channel=CHANNEL,
        budget=config.network_budgets.get(form.get("networkCode", ""), config.default_budget),
        caller_number_verified=config.caller_number_verified,
        echoed_metadata=echoed_metadata,
        is_deep_dial=path != form["text"],
        used_code=config.find_used_code(form.get("serviceCode", "")),
        network=form.get("networkCode", ""),
    )


def parse_end_event(form: Mapping[str, str]) -> UssdEndEvent:
    """The report that a form holds; an unknown status is `other`, a missing number 0."""
    return UssdEndEvent(
        session_id=form.get("sessionId", ""),
        status=form["status"] if form.get("status") in END_STATUSES else "other",
        hop_count=_parse_count(form.get("hopsCount", "")),
        duration_ms=_parse_count(form.get("durationInMillis", "")),
        has_error=bool(form.get("errorMessage")),
    )


def _parse_count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_COUNT_DIGITS else 0
