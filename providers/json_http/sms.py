"""Sends SMS over HTTP, one in a request, to a provider that a row of TOML describes."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core.errors import CommandError, ValidationFailedError
from core.http.client import HttpClient, HttpRequest, NoResponseError
from core.phone_numbers import find_calling_code, is_e164
from providers.json_http.provider_rows import Row
from providers.json_http.sms_answer import read_outcome
from providers.json_http.sms_request import build_request, choose_reference
from providers.json_http.sms_row import PLACEHOLDER, SmsRow, find_address_fault, parse_sms_row, texts_in
from providers.json_http.sms_webhooks import RowSmsWebhooks
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

MAX_ANSWER_BYTES: Final = 64 * 1024  # a real answer has less than 2 KB
CALLING_CODE_OF_INDIA: Final = "91"
NO_ENTITY: Final = "NoDltEntity"


class RowSms:
    """Sends each SMS in a request of its own."""

    def __init__(
        self,
        http: HttpClient,
        name: str,
        row: SmsRow,
        *,
        values: Mapping[str, str],
        callback_url: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`http` has half of the row's deadline for one request. `values` are the settings of the row, in plain text."""
        self.name: Final = name
        self.send_deadline: Final = row.deadline
        self.receives_replies: Final = row.receives_replies
        self._http = http
        self._row = row
        self._values = values
        self._callback_url = callback_url
        self._clock = clock
        self._zone = ZoneInfo(row.repeats_in_day_of) if row.repeats_in_day_of else None

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Send one SMS. Errors of the network or the provider are outcomes; nothing is raised.

        Where the provider refuses a second request with the same reference, a request whose answer is unclear is repeated
        once: either the first one counted, and the provider says so, or the second one does.
        """
        reference = choose_reference(message)
        refusal = self._find_refusal(message, reference)
        if refusal is not None:
            return refusal
        request = build_request(
            self._row, message, reference=reference, values=self._values, callback_url=self._callback_url
        )
        asked_at = self._clock()
        outcome = await self._request(request, reference)
        if isinstance(outcome, Suspended) and outcome.template_only and message.dlt is None:
            return Rejected(outcome.reason)  # nothing is registered for it that a person could mend
        if not isinstance(outcome, Unknown) or not self._refuses_repeats(asked_at):
            return outcome
        repeated = await self._request(request, reference)
        return repeated if isinstance(repeated, Accepted | Rejected) else outcome

    def _find_refusal(self, message: OutgoingMessage, reference: str) -> SendOutcome | None:
        """The outcome of a message that the provider need not be asked about."""
        if not is_e164(message.to):
            return Rejected("InvalidPhoneNumber")
        if len(message.text) > self._row.max_characters:
            return Rejected("TextTooLong")
        if len(reference) > self._row.max_reference:
            return Suspended("ReferenceTooLong")
        if self._row.dlt and find_calling_code(message.to) == CALLING_CODE_OF_INDIA and message.dlt is None:
            return Suspended(NO_ENTITY)
        return None

    def _refuses_repeats(self, asked_at: datetime) -> bool:
        """Whether the provider still knows the reference of a request that was sent at `asked_at`."""
        if self._zone is None:
            return False
        latest = self._clock() + timedelta(seconds=self.send_deadline)
        return asked_at.astimezone(self._zone).date() == latest.astimezone(self._zone).date()

    async def _request(self, request: HttpRequest, reference: str) -> SendOutcome:
        try:
            response = await self._http(request)
        except NoResponseError as error:
            return Retry("NotConnected", pauses_all=True) if error.never_arrived else Unknown("NoAnswer")
        return read_outcome(
            self._row.answer,
            response,
            name=self.name,
            reference=reference,
            values=self._values,
            now=self._clock(),
        )


def read_sms(row: Row) -> SmsRow:
    """The table `[sms]` of a row.

    Raises:
        ValidationFailedError: the table is not valid; there is a problem for each fault.
    """
    parsed = parse_sms_row(row.sms or {}, row.settings)
    if isinstance(parsed, SmsRow):
        return parsed
    raise ValidationFailedError(sorted(row.problem_at(*finding) for finding in parsed))


def build_sms_webhooks(row: Row) -> RowSmsWebhooks:
    """The parser of a row's webhooks.

    Raises:
        ValidationFailedError: the table `[sms]` is not valid.
    """
    return RowSmsWebhooks(row.name, read_sms(row))


@asynccontextmanager
async def open_sms(
    row: Row,
    values: Mapping[str, str],
    *,
    public_url: str = "",
    token: str = "",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[RowSms]:
    """Open the connections to a row's provider. `public_url` and `token` make the address of its delivery reports.

    Raises:
        ValidationFailedError: the table `[sms]` is not valid.
        CommandError: a setting that the row uses is empty, or the address to send to is none.
    """
    from aiohttp import ClientSession, DummyCookieJar

    from core.http.aiohttp_client import AiohttpClient, forbid_repeats

    table = read_sms(row)
    for setting, problem, fix in find_setting_faults(table, values):
        raise CommandError(f"providers.json.{row.name}.{setting}: {problem}; {fix}")
    deadline = table.deadline / 2 if table.repeats_in_day_of else table.deadline
    async with ClientSession(cookie_jar=DummyCookieJar(), middlewares=[forbid_repeats]) as session:
        http = AiohttpClient(session, deadline=deadline, max_bytes=MAX_ANSWER_BYTES)
        callback_url = build_callback_url(row.name, public_url, token)
        yield RowSms(http, row.name, table, values=values, callback_url=callback_url, clock=clock)


def build_callback_url(name: str, public_url: str, token: str) -> str:
    """The address that a provider posts delivery reports to; empty where the gateway has no public address."""
    guard = f"?{urlencode({'token': token})}" if token else ""
    return f"{public_url}/sms/{name}/delivery{guard}" if public_url else ""


def find_setting_faults(table: SmsRow, values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each setting that keeps a row from sending, with the problem and its fix: one that is empty, or no address."""
    texts = [*(text for _, text in texts_in(table.request.model_dump())), table.answer.accepts.word]
    used = {found for text in texts for found in PLACEHOLDER.findall(text)}
    for setting in sorted(used & values.keys()):
        if not values[setting]:
            yield setting, "it is empty", "give it, since the row uses it"
    first = PLACEHOLDER.match(table.request.url)
    if first and values[first[1]] and (fault := find_address_fault(values[first[1]], values)):
        yield first[1], *fault
