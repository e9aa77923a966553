"""hSenid TAP: send SMS, one recipient a request, so that one answer is about one message."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from core.phone_numbers import is_e164
from providers.tap.applications import ADDRESS_SCHEME, Application, Applications
from providers.tap.client import Answer, DestinationResponse, HttpFailure, NoAnswerError, NotSentError, TapClient
from providers.tap.status_codes import DAY_LIMIT, SUCCESS, OutcomeBuilder, find_status
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

ID_PREFIX: Final = "tap/"
MAX_ID_LENGTH: Final = 100
TEXT_ENCODING: Final = "0"
"""Text in any letters: the platform finds the alphabet of the network itself. 240 is a flash SMS, 245 hexadecimal octets."""
WITH_REPORT: Final = "1"

HTTP_OUTCOMES: Final[Mapping[int, tuple[str, OutcomeBuilder]]] = {
    400: ("BadRequest", Rejected),
    401: ("Unauthorized", Suspended),
    403: ("Forbidden", Suspended),
    404: ("NoSuchAddress", Suspended),
    429: ("TooManyRequests", partial(Retry, pauses_all=True)),
}
"""Outcomes by an HTTP status other than 200. A redirect suspends too; any other status is `Unknown`."""
HTTP_REDIRECT: Final = 3  # the first digit of a status


class TapSms:
    """Sends each SMS by the application that serves its number."""

    name: Final = "tap"

    def __init__(
        self,
        client: TapClient,
        applications: Applications,
        *,
        deadline: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`deadline` in seconds covers a send from connecting on."""
        self._client = client
        self._applications = applications
        self._clock = clock
        self.send_deadline = deadline
        self.receives_replies = applications.receive_replies

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Send one SMS. Errors of the network or the platform are outcomes; nothing is raised."""
        if not is_e164(message.to):  # `tel:all` would reach every subscriber
            return Rejected("InvalidPhoneNumber")
        application = self._applications.find_for_message(message.to, message.sender)
        if application is None:
            return Suspended("NoApplication")
        try:
            answer = await self._client.post(
                application,
                application.dialect.sms_path,
                build_request(application, message),
                deadline=self.send_deadline,
            )
        except NotSentError:
            return Retry("NotConnected", pauses_all=True)
        except NoAnswerError as no_answer:
            return Unknown(no_answer.reason)
        if isinstance(answer, HttpFailure):
            return _outcome_of_status(answer.status)
        return _outcome_of_answer(application, answer, self._clock())


def build_request(application: Application, message: OutgoingMessage) -> dict[str, object]:
    """The fields of a request beside those of the account; without a sender the platform takes its default one."""
    sender = message.sender or application.sender
    return {
        "message": message.text,
        "destinationAddresses": [f"{ADDRESS_SCHEME}{message.to.removeprefix('+')}"],
        "deliveryStatusRequest": WITH_REPORT,
        "encoding": TEXT_ENCODING,
        **({"sourceAddress": sender} if sender else {}),
    }


def build_id(message_id: str | int) -> str:
    """The id of a message with us; empty where the platform gave none that can be stored."""
    text = str(message_id)
    is_id = 0 < len(text) <= MAX_ID_LENGTH and text.isascii() and text.isprintable()
    return f"{ID_PREFIX}{text}" if is_id else ""


def _outcome_of_status(status: int) -> SendOutcome:
    if status // 100 == HTTP_REDIRECT:
        return Suspended("Redirected")
    name, build = HTTP_OUTCOMES.get(status, (f"Http{status}", Unknown))
    return build(name)


def _outcome_of_answer(application: Application, answer: Answer, now: datetime) -> SendOutcome:
    """The outcome of a message to one recipient. Where there is an answer for the recipient, it counts."""
    if len(answer.destination_responses) > 1:
        return Unknown("SeveralRecipients")
    recipient = answer.destination_responses[0] if answer.destination_responses else DestinationResponse()
    code = answer.status_code if answer.status_code != SUCCESS else recipient.status_code or SUCCESS
    status = find_status(application.dialect.status_codes, code)
    if status.sms is Accepted:
        provider_id = build_id(recipient.message_id or answer.message_id or answer.request_id)
        return Accepted(provider_id) if provider_id else Unknown("AcceptedWithoutId")
    outcome = status.sms(status.name)
    if isinstance(outcome, Retry) and code == DAY_LIMIT and status.name == "DayLimitExceeded":
        return replace(outcome, not_before=_next_midnight(application, now))
    return outcome


def _next_midnight(application: Application, now: datetime) -> datetime:
    there = now.astimezone(application.dialect.time_zone)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight.astimezone(UTC)
