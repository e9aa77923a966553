"""Africa's Talking: Insights, which knows when the SIM of a number was swapped.

The request is that of the official SDK, over our connections. The response only queues it; the state comes as a webhook.
"""

from collections.abc import Coroutine, Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec
from africastalking.Insights import InsightService
from aiohttp import ClientError, ClientSession

from core.phone_numbers import is_e164
from providers.africastalking.http import ProviderResponse, Transport, validated_base_url
from providers.africastalking.sms_webhooks import is_message_id, is_word
from services.citizens.number_checks import SimState, SimSwapPending, SimSwapReport, SimSwapResult

SIM_STATES: Final[Mapping[str, SimState]] = {
    "Swapped": "swapped",
    "NotSwapped": "unchanged",
    "NoSwapDate": "unchanged",
}
"""States by `status`. Any other status, such as Failed or UnsupportedPhoneNumber, is unknown."""

QUEUED: Final = "Queued"
HTTP_SUCCESS: Final = 2  # the first digit of a status
SMS_API_VERSION: Final = "/version1"


class AfricasTalkingSimSwap:
    """Asks Insights about one number at a time."""

    name: Final = "africastalking"

    def __init__(
        self,
        http: ClientSession,
        username: str,
        api_key: str,
        *,
        base_url: str = "",
        recent_days: int,
        deadline: float,
    ) -> None:
        """`base_url` is that of SMS: Insights is asked at `/v1` of the same host. `deadline` is in seconds."""
        self._insights = _AsyncInsightService(Transport(http, deadline), username, api_key, base_url)
        self.recent_days = recent_days
        self.deadline = deadline

    async def request_check(self, msisdn: str) -> SimSwapResult | SimSwapPending:
        """Ask with the SDK's `check_sim_swap_state`. Failures are results; nothing is raised."""
        if not is_e164(msisdn):  # the SDK accepts a trailing newline
            return SimSwapResult("unknown", reason="InvalidPhoneNumber")
        try:
            response = await self._insights.check_sim_swap_state([msisdn])
        except TimeoutError:
            return SimSwapResult("unknown", reason="NoAnswerInTime")
        except (ClientError, OSError):
            return SimSwapResult("unknown", reason="ConnectionLost")
        return result_from_response(response)

    def parse_report(self, body: bytes) -> SimSwapReport | None:
        """The report in the body of a notification; None without a request id and a status of one word."""
        try:
            notification = msgspec.json.decode(body, type=_Notification)
        except (msgspec.MsgspecError, RecursionError):
            return None
        if not (is_message_id(notification.request_id) and is_word(notification.status)):
            return None
        return SimSwapReport(notification.request_id, _build_result(notification.status, notification.last_date))


class _AsyncInsightService(InsightService):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's service with its addresses, sandbox switch, field names and checks, but with an async transport."""

    def __init__(self, transport: Transport, username: str, api_key: str, base_url: str) -> None:
        super().__init__(username, api_key)
        if base_url:
            self._baseUrl = f"{validated_base_url(base_url).removesuffix(SMS_API_VERSION)}/v1"
        self._transport = transport

    def _make_request(
        self, url: str, method: str, *, headers: Mapping[str, str], data: str, **_: object
    ) -> Coroutine[Any, Any, ProviderResponse]:
        """Replace the SDK's transport, which blocks on `requests` or starts a thread."""
        return self._transport.request(method, url, headers, data)


class _NumberResponse(msgspec.Struct, rename="camel"):
    """One entry of `responses`."""

    status: str
    request_id: str = ""


class _Response(msgspec.Struct):
    responses: list[_NumberResponse]


class _Notification(msgspec.Struct, rename="camel"):
    status: str
    request_id: str
    last_date: str | None = msgspec.field(name="lastSimSwapDate", default=None)


def result_from_response(response: ProviderResponse) -> SimSwapResult | SimSwapPending:
    """The result for the one number that was asked about, or the id of the queued request."""
    if response.status // 100 != HTTP_SUCCESS:
        return SimSwapResult("unknown", reason=f"Http{response.status}")
    try:
        entries = msgspec.json.decode(response.body, type=_Response).responses
    except (msgspec.MsgspecError, RecursionError):
        return SimSwapResult("unknown", reason="UnreadableAnswer")
    if len(entries) != 1:
        return SimSwapResult("unknown", reason="NotOneResponse")
    entry = entries[0]
    if entry.status != QUEUED:
        return _build_result(entry.status, None)
    if not is_message_id(entry.request_id):
        return SimSwapResult("unknown", reason="QueuedWithoutId")
    return SimSwapPending(entry.request_id)


def _build_result(status: str, last_date: str | None) -> SimSwapResult:
    state = SIM_STATES.get(status)
    if state is None:
        return SimSwapResult("unknown", reason=status if is_word(status) else "UnknownStatus")
    return SimSwapResult(state, _parse_date(last_date or "") if state == "swapped" else None)


def _parse_date(text: str) -> date | None:
    """The day of `31-12-2026`; None for any other text: then a swap counts as recent.

    01-01-1900 is a real value: the network knows of no swap within the months that it looks back.
    """
    try:
        return datetime.strptime(text, "%d-%m-%Y").date()  # noqa: DTZ007 - a day of the network, without a zone
    except ValueError:
        return None
