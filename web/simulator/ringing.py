"""One missed call in Africa's Talking's wire format."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import ClientSession

from core.phone_numbers import find_calling_code
from web.simulator.sim_card import SimCard, WebhookResponse, format_timestamp, new_id, post_webhook

ENDED_CALL_FIELDS = {"durationInSeconds": "0", "amount": "0.000", "status": "Success", "currencyCode": "KES"}

NO_SMS = {
    "cooling": "No SMS comes: this number got one for an earlier call.",
    "spent": "No SMS comes: missed_calls.daily_limit is reached.",
    "limited": "No SMS comes: a limit of [unverified_sms] is reached.",
    "abroad": "No SMS comes but once a day: this number's country is not in countries.allowed.",
    "not_ours": "No SMS comes: the called number is not in missed_calls.numbers.",
    "hidden": "No SMS comes: the number of the caller is withheld.",
    "failed": "No SMS comes: the gateway failed. Its log says why.",
}
"""Why no SMS comes, by the outcome of the call."""

_is_rejection = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*<Response>\s*<Reject\s*/>\s*</Response>\s*").fullmatch


@dataclass(frozen=True, slots=True)
class RingResult:
    """The result of a call. `failure` describes the response if the call was not rejected.

    `no_sms` says why no SMS comes; it is empty where one comes, or where the gateway does not say.
    """

    was_rejected: bool
    was_answered: bool
    failure: str = ""
    no_sms: str = ""


async def ring(http: ClientSession, sim_card: SimCard, to: str) -> RingResult:
    """Ring `to` until the gateway responds, and report that the call has ended."""
    form = {
        "callSessionState": "Ringing",
        "direction": "Inbound",
        "callerCountryCode": calling_code(sim_card.msisdn),
        "callerNumber": sim_card.msisdn,
        "sessionId": new_id("ATVId_"),
        "destinationNumber": to,
        "callerCarrierName": sim_card.network_name,
        "callStartTime": format_timestamp(datetime.now(UTC)),
        "isActive": "1",
    }
    try:
        return _build_ring_result(await post_webhook(http, sim_card.voice_path, form))
    finally:
        await post_webhook(
            http, sim_card.voice_path, form | {"callSessionState": "Completed", "isActive": "0"} | ENDED_CALL_FIELDS
        )


def find_dialled_number(dial_string: str, numbers: Iterable[str]) -> str | None:
    """The dialled one of `numbers`, dialled with `+`, `00` or neither; None for another number."""
    plain = re.sub(r"\D", "", dial_string).removeprefix("00")
    return next((number for number in numbers if re.sub(r"\D", "", number) == plain), None)


def calling_code(msisdn: str) -> str:
    """`+8801700000001` → `880`; `-1`, like the provider, for a number without a country code."""
    return find_calling_code(msisdn) or "-1"


def _build_ring_result(response: WebhookResponse) -> RingResult:
    rejected = response.status == HTTPStatus.OK and _is_rejection(response.body) is not None
    no_sms = _explain_missing_sms(response.headers) if rejected else ""
    return RingResult(rejected, bool(response.status), "" if rejected else response.failure, no_sms)


def _explain_missing_sms(headers: Mapping[str, str]) -> str:
    """Why no SMS comes, from the headers of the response."""
    reason = NO_SMS.get(headers.get("Ekdial-Call-Outcome", ""), "")
    until = headers.get("Ekdial-Cooldown-Until", "")
    return f"{reason} Ring again after {datetime.fromisoformat(until).astimezone():%H:%M}." if until else reason
