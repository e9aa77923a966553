"""Africa's Talking: send SMS with its official SDK over our connections. One table maps its responses to outcomes."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from africastalking.SMS import SMSService
from aiohttp import ClientConnectorError, ClientError, ClientSession, ConnectionTimeoutError
from msgspec import UNSET, UnsetType

from core.phone_numbers import is_e164
from core.retry import parse_retry_after
from providers.africastalking.http import ProviderResponse, Transport, validated_base_url
from providers.africastalking.sms_webhooks import NO_ID, is_message_id, is_word
from services.messaging.provider import Accepted, OutgoingMessage, Rejected, Retry, SendOutcome, Suspended, Unknown

RETRY_UP_TO_FOUR = partial(Retry, max_attempts=4)
RETRY_ONCE = partial(Retry, max_attempts=2)
OutcomeBuilder = Callable[[str], SendOutcome]  # builds an outcome from its reason

RECIPIENT_OUTCOMES: Mapping[int, tuple[str, OutcomeBuilder]] = {
    100: ("Processed", Accepted),
    101: ("Sent", Accepted),
    102: ("Queued", Accepted),
    401: ("RiskHold", partial(Unknown, needs_attention=True)),  # under review at the provider: it may still be sent
    402: ("InvalidSenderId", Suspended),
    403: ("InvalidPhoneNumber", Rejected),
    404: ("UnsupportedNumberType", Rejected),
    405: ("InsufficientBalance", Suspended),
    406: ("UserInBlacklist", Rejected),
    407: ("CouldNotRoute", RETRY_ONCE),  # nearly always permanent, except while a network is down
    409: ("DoNotDisturbRejection", Retry),
    500: ("InternalServerError", RETRY_UP_TO_FOUR),  # this one and 501 may have sent it
    501: ("GatewayError", RETRY_UP_TO_FOUR),
    502: ("RejectedByGateway", Rejected),  # reports about its meaning differ, so it is not retried
}
"""Outcomes by a recipient's `statusCode`: names from the documentation, outcomes from reports of other users."""

HTTP_OUTCOMES: Mapping[int, tuple[str, OutcomeBuilder]] = {
    400: ("BadRequest", Rejected),
    401: ("InvalidApiKey", Suspended),  # plain text; a new key works after up to twenty minutes
    402: ("PaymentRequired", Suspended),
    403: ("Forbidden", Suspended),
    404: ("NoSuchAddress", Suspended),
    429: ("TooManyRequests", partial(Retry, pauses_all=True)),
}
"""Outcomes by HTTP status. A redirect suspends too; any other status is `Unknown`."""

REQUEST_OUTCOMES: Mapping[str, OutcomeBuilder] = {
    name: Unknown if build is Accepted else build for name, build in RECIPIENT_OUTCOMES.values()
}
"""Outcomes by `Message` of a response without recipients. `Accepted` needs an id, so without one it is `Unknown`."""

OLDER_SUCCESS: Final = "Success"
"""The status of an accepted recipient in the older form, without a code."""

LAGOS_ZONE = ZoneInfo("Africa/Lagos")
DO_NOT_DISTURB_END_HOUR = 8  # Nigeria's operators reject promotional senders from 20:00 until 08:00
ROUTE_RETRY_DELAY = timedelta(minutes=30)
HTTP_SUCCESS, HTTP_REDIRECT = 2, 3  # the first digit of a status


class AfricasTalkingSms:
    """Sends each SMS in a request of its own, so that one response is about one message."""

    name: Final = "africastalking"

    def __init__(
        self,
        http: ClientSession,
        username: str,
        api_key: str,
        *,
        sender_id: str = "",
        base_url: str = "",
        deadline: float = 10.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`base_url` replaces scheme, host and `/version1`. `deadline` in seconds covers a send from connecting on."""
        self._sms = _AsyncSmsService(http, username, api_key, base_url, deadline)
        self._sender_id = sender_id or None
        self._clock = clock
        self.send_deadline = deadline
        self.receives_replies = not sender_id or sender_id.isdecimal()  # nobody can reply to a sender of letters

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Send with the SDK's `send`. Errors of the network or the provider are outcomes; nothing is raised."""
        if not is_e164(message.to):  # the SDK accepts `+1234`, Bengali digits and a trailing newline
            return Rejected("InvalidPhoneNumber")
        try:
            answer = await self._sms.send(message.text, [message.to], message.sender or self._sender_id)
        except (ClientConnectorError, ConnectionTimeoutError):
            return Retry("NotConnected", pauses_all=True)
        except TimeoutError:
            return Unknown("NoAnswerInTime")
        except (ClientError, OSError):
            return Unknown("ConnectionLost")
        return outcome_from_response(answer, self._clock())


class _AsyncSmsService(SMSService):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's SMS service with its addresses, sandbox switch, field names and checks, but with an async transport."""

    def __init__(self, http: ClientSession, username: str, api_key: str, base_url: str, deadline: float) -> None:
        super().__init__(username, api_key)
        if base_url:
            self._baseUrl = self._contentUrl = validated_base_url(base_url)
        self._transport = Transport(http, deadline)

    def _make_request(
        self, url: str, method: str, *, headers: Mapping[str, str], data: Mapping[str, Any], **_: object
    ) -> Coroutine[Any, Any, ProviderResponse]:
        """Replace the SDK's transport, which blocks on `requests` or starts a thread."""
        form_headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self._transport.request(method, url, form_headers, urlencode(data))


class _Recipient(msgspec.Struct, rename="camel"):
    """One entry of `Recipients`; a rejected one has the message id "None", as text. In an older form it has no code."""

    status_code: int | UnsetType = UNSET
    status: str = ""
    message_id: str = NO_ID
    cost: str | float | None = None


class _SmsMessageData(msgspec.Struct, rename="pascal"):
    recipients: list[_Recipient]
    message: str = ""


class _Body(msgspec.Struct):
    data: _SmsMessageData = msgspec.field(name="SMSMessageData")


def outcome_from_response(response: ProviderResponse, now: datetime) -> SendOutcome:
    """The outcome of a message to one recipient; `now` is timezone-aware."""
    if response.status // 100 != HTTP_SUCCESS:
        return _outcome_from_status(response, now)
    try:
        data = msgspec.json.decode(response.body, type=_Body, strict=False).data
    except (msgspec.MsgspecError, RecursionError):
        return Unknown("UnreadableAnswer")
    match data.recipients:
        case []:
            return _outcome_without_recipient(data.message)
        case [recipient]:
            return _outcome_from_recipient(recipient, now)
        case _:
            return Unknown("SeveralRecipients")


def _outcome_from_status(response: ProviderResponse, now: datetime) -> SendOutcome:
    if response.status // 100 == HTTP_REDIRECT:
        return Suspended("Redirected")
    name, build = HTTP_OUTCOMES.get(response.status, (f"Http{response.status}", Unknown))
    wait = parse_retry_after(response.retry_after, now)
    return _with_due(build(name), now + wait if wait else None)


def _outcome_without_recipient(message: str) -> SendOutcome:
    """201 without recipients rejects the request; its message is the reason if it is one word."""
    return REQUEST_OUTCOMES.get(message, Rejected)(message if is_word(message) else "NoRecipients")


def _outcome_without_code(recipient: _Recipient) -> SendOutcome:
    """The outcome of the older form, such as `Could Not Send`: what has no id was not accepted."""
    name = "".join(recipient.status.split())
    if not is_word(name):
        return Unknown("UnreadableAnswer")
    if name == OLDER_SUCCESS:
        return _build_accepted(recipient)
    if is_message_id(recipient.message_id):
        return Unknown(name)
    return REQUEST_OUTCOMES.get(name, Rejected)(name)


def _outcome_from_recipient(recipient: _Recipient, now: datetime) -> SendOutcome:
    if isinstance(recipient.status_code, UnsetType):
        return _outcome_without_code(recipient)
    name, build = RECIPIENT_OUTCOMES.get(recipient.status_code, (f"Status{recipient.status_code}", Unknown))
    if build is Accepted:
        return _build_accepted(recipient)
    due = RETRY_TIMES.get(recipient.status_code)
    return _with_due(build(name), due(now) if due else None)


def _with_due(outcome: SendOutcome, due: datetime | None) -> SendOutcome:
    return replace(outcome, not_before=due) if isinstance(outcome, Retry) else outcome


def _build_accepted(recipient: _Recipient) -> SendOutcome:
    if not is_message_id(recipient.message_id):
        return Unknown("AcceptedWithoutId")
    return Accepted(recipient.message_id, str(recipient.cost or ""))


def next_morning(now: datetime) -> datetime:
    """The next 08:00 in Lagos, in UTC."""
    there = now.astimezone(LAGOS_ZONE)
    morning = there.replace(hour=DO_NOT_DISTURB_END_HOUR, minute=0, second=0, microsecond=0)
    return (morning if morning > there else morning + timedelta(days=1)).astimezone(UTC)


RETRY_TIMES: Mapping[int, Callable[[datetime], datetime]] = {
    407: lambda now: now + ROUTE_RETRY_DELAY,
    409: next_morning,
}
"""The time of the next attempt for codes that imply one; for other codes the outbox backs off."""
