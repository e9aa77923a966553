"""Africa's Talking: its official SDK's own call on our connections, and one table of what its answers mean."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from africastalking.SMS import SMSService
from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, ConnectionTimeoutError
from yarl import URL

from services.messages.delivery import Delivery, Report
from sms.provider import Accepted, Held, Outcome, Refused, Retry, Unclear, is_e164

SEVERAL_TIMES = partial(Retry, tries=4)
ONCE_MORE = partial(Retry, tries=2)
Ends = Callable[[str], Outcome]  # an outcome, but for its reason

CASES: Mapping[int, tuple[str, Ends]] = {
    100: ("Processed", Accepted),
    101: ("Sent", Accepted),
    102: ("Queued", Accepted),
    401: ("RiskHold", partial(Unclear, alarm=True)),  # held for a look at the account: it may yet go out
    402: ("InvalidSenderId", Held),
    403: ("InvalidPhoneNumber", Refused),
    404: ("UnsupportedNumberType", Refused),
    405: ("InsufficientBalance", Held),
    406: ("UserInBlacklist", Refused),
    407: ("CouldNotRoute", ONCE_MORE),  # nearly always for good; a network that is away comes back
    409: ("DoNotDisturbRejection", Retry),
    500: ("InternalServerError", SEVERAL_TIMES),  # this and the next may have sent it
    501: ("GatewayError", SEVERAL_TIMES),
    502: ("RejectedByGateway", Refused),  # its meaning is disputed, so it is not tried again
}
"""What is said of a recipient (`statusCode`): names from the documentation, outcomes from what others learned."""

STATUSES: Mapping[int, tuple[str, Ends]] = {
    400: ("BadRequest", Refused),
    401: ("InvalidApiKey", Held),  # plain text; a new key takes up to twenty minutes to be known
    402: ("PaymentRequired", Held),
    403: ("Forbidden", Held),
    404: ("NoSuchAddress", Held),
    429: ("TooManyRequests", partial(Retry, everybody=True)),
}
"""What is said of the whole request (HTTP status); a redirect is held too, and every other one is unclear."""

DELIVERIES: Mapping[str, Delivery] = {
    "Sent": Delivery.SENT,
    "Submitted": Delivery.SUBMITTED,
    "Buffered": Delivery.BUFFERED,
    "AbsentSubscriber": Delivery.ABSENT,
    "Expired": Delivery.EXPIRED,
    "Success": Delivery.DELIVERED,
    "Failed": Delivery.FAILED,
    "Rejected": Delivery.REJECTED,
}
"""What a delivery report says (`status`)."""

REQUESTS: Mapping[str, Ends] = {name: Unclear if ends is Accepted else ends for name, ends in CASES.values()}
"""What is said of a request that names no recipient (`Message`), by the same names: who took it must say under which id."""

LAGOS = ZoneInfo("Africa/Lagos")
MORNING = 8  # o'clock; Nigeria's operators take no promotional sender from 20:00 until then
ROUTED_AGAIN = timedelta(minutes=30)
HTTP_SUCCESS, HTTP_REDIRECT = 2, 3  # the hundreds of a status
CONNECTS_WITHIN = 3.05  # seconds, the SDK's own; a shorter deadline shortens it
MOST = 64 * 1024  # octets of an answer that are kept; a real one has about 300
NO_ID = "None"
LONGEST_ID = 128
LONGEST_WORD = 40
LONGEST_NETWORK = 8
LONGEST_WAIT, LONGEST_WAIT_DIGITS = timedelta(hours=1), 6


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as it came; `retry_after` is the header of that name."""

    status: int
    body: bytes
    retry_after: str = ""


class AfricasTalking:
    """Sends each SMS in a request of its own, so that one answer is about one message."""

    name = "africastalking"

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
        """`base_url` replaces scheme, host and `/version1`; `deadline` in seconds is for everything from connecting on."""
        self._sms = _OnOurConnections(http, username, api_key, base_url, deadline)
        self._sender_id = sender_id or None
        self._clock = clock

    async def send(self, to: str, text: str) -> Outcome:
        """Send by the SDK's `send`. Never raises for what the network or the provider does."""
        if not is_e164(to):  # the SDK lets `+1234`, Bengali digits and a trailing newline pass
            return Refused("InvalidPhoneNumber")
        try:
            answer = await self._sms.send(text, [to], self._sender_id)
        except (ClientConnectorError, ConnectionTimeoutError):
            return Retry("NotConnected")
        except TimeoutError:
            return Unclear("NoAnswerInTime")
        except (ClientError, OSError):
            return Unclear("ConnectionLost")
        return judged(answer, self._clock())


class _OnOurConnections(SMSService):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's SMS service (its addresses, sandbox switch, field names and checks); what it asks returns a coroutine."""

    def __init__(self, http: ClientSession, username: str, api_key: str, base_url: str, deadline: float) -> None:
        super().__init__(username, api_key)
        if base_url:
            self._baseUrl = self._contentUrl = _checked(base_url)
        self._http = http
        self._timeout = ClientTimeout(total=deadline, connect=min(CONNECTS_WITHIN, deadline / 2))

    def _make_request(
        self, url: str, method: str, *, headers: Mapping[str, str], data: Mapping[str, Any], **_: object
    ) -> Coroutine[Any, Any, Answer]:
        """What the SDK calls with its own words; where it would block on `requests` or start a thread, we do not."""
        return self._ask(method, url, dict(headers), urlencode(data))

    async def _ask(self, method: str, url: str, headers: dict[str, str], body: str) -> Answer:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        async with self._http.request(
            method, URL(url), data=body.encode(), headers=headers, timeout=self._timeout, allow_redirects=False
        ) as answer:
            text = bytearray()
            async for piece in answer.content.iter_any():
                text += piece[: MOST - len(text)]
            return Answer(answer.status, bytes(text), answer.headers.get("Retry-After", ""))


class _Recipient(msgspec.Struct, rename="camel"):
    """One entry of `Recipients`; one that was refused carries the message id "None", as text."""

    status_code: int
    message_id: str = NO_ID
    cost: str | float | None = None


class _Said(msgspec.Struct, rename="pascal"):
    recipients: list[_Recipient]
    message: str = ""


class _Body(msgspec.Struct):
    said: _Said = msgspec.field(name="SMSMessageData")


def judged(answer: Answer, now: datetime) -> Outcome:
    """What an answer to one message for one recipient says of it; `now` is aware."""
    if answer.status // 100 != HTTP_SUCCESS:
        return _of_status(answer, now)
    try:
        said = msgspec.json.decode(answer.body, type=_Body, strict=False).said
    except (msgspec.MsgspecError, RecursionError):
        return Unclear("UnreadableAnswer")
    match said.recipients:
        case []:
            return _of_nobody(said.message)
        case [recipient]:
            return _of_recipient(recipient, now)
        case _:
            return Unclear("SeveralRecipients")


def _of_status(answer: Answer, now: datetime) -> Outcome:
    if answer.status // 100 == HTTP_REDIRECT:
        return Held("Redirected")
    name, ends = STATUSES.get(answer.status, (f"Http{answer.status}", Unclear))
    return _not_before(ends(name), _after(answer.retry_after, now))


def _of_nobody(message: str) -> Outcome:
    """201 with no recipients is a refusal of the request, and its message is the reason, if it is one word."""
    return REQUESTS.get(message, Refused)(message if is_word(message) else "NoRecipients")


def _of_recipient(recipient: _Recipient, now: datetime) -> Outcome:
    name, ends = CASES.get(recipient.status_code, (f"Status{recipient.status_code}", Unclear))
    if ends is Accepted:
        return _accepted(recipient)
    due = DUE.get(recipient.status_code)
    return _not_before(ends(name), due(now) if due else None)


def _not_before(outcome: Outcome, due: datetime | None) -> Outcome:
    return replace(outcome, due=due) if isinstance(outcome, Retry) else outcome


def _accepted(recipient: _Recipient) -> Outcome:
    if not is_id(recipient.message_id):
        return Unclear("AcceptedWithoutId")
    return Accepted(recipient.message_id, str(recipient.cost or ""))


def _after(header: str, now: datetime) -> datetime | None:
    """What Retry-After asks for, in seconds or as a date, at most an hour from now; None where it asks for nothing."""
    if header.isascii() and header.isdigit() and len(header) <= LONGEST_WAIT_DIGITS:
        asked = now + timedelta(seconds=int(header))
    else:
        asked = _date(header) or now
    return min(asked, now + LONGEST_WAIT) if asked > now else None


def _date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def next_morning(now: datetime) -> datetime:
    """The next 08:00 in Lagos, in UTC."""
    there = now.astimezone(LAGOS)
    morning = there.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return (morning if morning > there else morning + timedelta(days=1)).astimezone(UTC)


DUE: Mapping[int, Callable[[datetime], datetime]] = {
    407: lambda now: now + ROUTED_AGAIN,
    409: next_morning,
}
"""When those codes after which a later try may do better say that it may; the others leave it to us."""


def read_report(form: Mapping[str, str]) -> Report | None:
    """A posted delivery report; None where nothing could be matched by it. No time is given: it counts from receipt."""
    provider_id, word, reason = form.get("id", ""), form.get("status", ""), form.get("failureReason", "")
    if not (is_id(provider_id) and is_word(word)):
        return None
    number, network = form.get("phoneNumber", ""), form.get("networkCode", "")
    return Report(
        provider_id,
        DELIVERIES.get(word, Delivery.UNHEARD_OF),
        word,
        reason=reason if is_word(reason) else "",
        number=number if is_e164(number) else "",
        network=network if is_network(network) else "",
    )


def read_optout(form: Mapping[str, str]) -> str | None:
    """The number that wants nothing unasked any more; None where none can be read. We have one sender: it is not asked."""
    number = form.get("phoneNumber", "")
    return number if is_e164(number) else None


def is_network(text: str) -> bool:
    """Whether this is a network's code: country and network as the provider joins them, such as 63902."""
    return len(text) <= LONGEST_NETWORK and text.isascii() and text.isdigit()


def is_word(text: str) -> bool:
    """Whether this is a name such as `DeliveryFailure`, fit for logs, and not a sentence, a number or a flood."""
    return len(text) <= LONGEST_WORD and text.isascii() and text.isalpha()


def is_id(text: str) -> bool:
    """Whether this can be a message id: an opaque printable text. `None`, as text, says that there is none."""
    return text != NO_ID and 0 < len(text) <= LONGEST_ID and text.isascii() and text.isprintable()


def _checked(base_url: str) -> str:
    """Without a slash at the end; ValueError where requests could not be sent there."""
    url = URL(base_url)
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string:
        raise ValueError("africastalking.base_url must be like https://api.africastalking.com/version1")
    return base_url.rstrip("/")
