"""hSenid TAP: USSD. A key press is acknowledged at once; the screen is a request of ours to `/ussd/send`."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final, NamedTuple

from aiohttp import ClientSession, DummyCookieJar

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply, read_msisdn
from core.http.webhooks import BadWebhookError
from core.phone_numbers import find_country_code
from menus.rendering.paging import ScreenBudget
from providers.tap.applications import (
    ACKNOWLEDGEMENT,
    ADDRESS_SCHEME,
    UNKNOWN_APPLICATION,
    Application,
    Applications,
    name_hidden_caller,
    read_text,
)
from providers.tap.ascii import AsciiBudget, fold_to_ascii
from providers.tap.client import HttpFailure, NoAnswerError, NotSentError, TapClient
from providers.tap.status_codes import ScreenOutcome, find_status
from sessions.path_turns import UssdReply
from ussd.dial_strings import parse_digits_past_code
from ussd.provider import AnyUssdRequest, HiddenCaller, ReplyNotShownError, ShortCodeConfig, UssdInput

ASCII_ENCODING: Final = "440"
STARTS, GOES_ON = "mo-init", "mo-cont"
ASKS, ENDS = "mt-cont", "mt-fin"
RETRY_PAUSE: Final = 0.25  # seconds before a screen that was not shown is pushed again
FIRST_SHARE: Final = 0.6  # of the deadline, for the first attempt at a screen that ends a session
MAX_INPUT: Final = 182  # characters that a caller can type: one USSD message


class TapInput(UssdInput, frozen=True, kw_only=True):
    """A key press with what the screen that answers it needs: the application, the session, and the address as given."""

    application: Application
    session: str
    address: str


class ScreenResult(NamedTuple):
    """What became of one attempt to show a screen, and the name of the answer for logs."""

    outcome: ScreenOutcome
    name: str

    def may_be_repeated(self, *, ends: bool) -> bool:
        """Whether the screen is pushed again: it was not shown, or it ends the session and may have been shown."""
        return self.outcome == "not_now" or (ends and self.outcome == "unclear")


class TapUssd:
    """Reads key presses and pushes screens. Nothing can be pushed outside of `connections`."""

    name: Final = "tap"
    body_format: Final[BodyFormat] = "json"

    def __init__(
        self,
        applications: Applications,
        *,
        screen_characters: int,
        push_deadline: float,
        caller_number_verified: bool,
    ) -> None:
        """`push_deadline` are the seconds from a reply until its screen must be shown."""
        self._applications = applications
        self._budget = AsciiBudget(screen_characters, screen_characters, unicode=False)
        self._push_deadline = push_deadline
        self._caller_number_verified = caller_number_verified
        self._client: TapClient | None = None

    @asynccontextmanager
    async def connections(self) -> AsyncIterator[None]:
        """Keep the connections to the platforms open for the block."""
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            self._client = TapClient(http)
            yield
            self._client = None

    def parse_request(self, fields: Fields, _: Mapping[str, str]) -> TapInput:
        """The key press that a webhook describes.

        Raises:
            BadWebhookError: a field is missing or malformed (400).
        """
        application = self._applications.find_by_fields(fields)
        if application is None:
            raise BadWebhookError(400, UNKNOWN_APPLICATION)
        operation = fields.get("ussdOperation")
        if operation not in (STARTS, GOES_ON):  # it may be a list, which no set takes
            raise BadWebhookError(400, f"ussdOperation is missing or neither {STARTS} nor {GOES_ON}.")
        session, request_id = _require(fields, "sessionId"), _require(fields, "requestId")
        address = _require(fields, "sourceAddress")
        starts, caller = operation == STARTS, read_msisdn(address.removeprefix(ADDRESS_SCHEME))
        return TapInput(
            session_id=f"{application.name}/{session}",
            message_id=request_id,
            caller=caller or f"+{find_country_code(application.dialect.country)}",
            text=_read_input(fields, application, starts=starts),
            starts_session=starts,
            budget=self._budget,
            caller_number_verified=self._caller_number_verified,
            hidden=_read_hidden(application, address) if not caller else None,
            used_code=_find_used_code(fields, application, starts=starts),
            network="" if not caller else application.dialect.network,
            application=application,
            session=session,
            address=address,
        )

    def render_acknowledgement(self) -> WebhookReply:
        """The response to every key press; nobody sees it."""
        return WebhookReply(json.dumps(ACKNOWLEDGEMENT), content_type="application/json")

    async def push_reply(self, request: AnyUssdRequest, reply: UssdReply) -> None:
        """Show a screen, within `push_deadline` seconds.

        A screen that was certainly not shown is pushed again until then. One that may have been shown is pushed again only
        where it ends the session: a repeated question could cover the screen that follows the caller's answer to it.

        Raises:
            ReplyNotShownError: the platform did not take it.
        """
        if not isinstance(request, TapInput) or self._client is None:
            raise ReplyNotShownError({"outcome": "malformed", "status": "NotConnected"})
        until = monotonic() + self._push_deadline
        result = await self._push(self._client, request, reply, until)
        while result.may_be_repeated(ends=reply.reply.ends) and monotonic() + RETRY_PAUSE < until:
            await asyncio.sleep(RETRY_PAUSE)
            result = await self._push(self._client, request, reply, until)
        if result.outcome != "shown":
            facts = {"application": request.application.name, "outcome": result.outcome, "status": result.name}
            raise ReplyNotShownError(facts, is_usual=result.outcome == "call_over")

    async def _push(self, client: TapClient, request: TapInput, reply: UssdReply, until: float) -> ScreenResult:
        application, ends = request.application, reply.reply.ends
        screen = {
            "message": fold_to_ascii(reply.reply.text),
            "sessionId": request.session,
            "ussdOperation": ENDS if ends else ASKS,
            "destinationAddress": request.address,
            "encoding": ASCII_ENCODING,
        }
        left = until - monotonic()
        deadline = left * FIRST_SHARE if ends and left > self._push_deadline / 2 else left  # leaves time for another
        try:
            answer = await client.post(application, application.dialect.ussd_path, screen, deadline=deadline)
        except NotSentError:
            return ScreenResult("not_now", "NotConnected")
        except NoAnswerError as no_answer:
            return ScreenResult("unclear", no_answer.reason)
        if isinstance(answer, HttpFailure):
            return ScreenResult(HTTP_OUTCOMES.get(answer.status, "unclear"), f"Http{answer.status}")
        status = find_status(application.dialect.status_codes, answer.status_code)
        return ScreenResult(status.screen, status.name)


HTTP_OUTCOMES: Final[Mapping[int, ScreenOutcome]] = {
    400: "malformed",
    401: "not_allowed",
    403: "not_allowed",
    404: "not_allowed",
    429: "not_now",
    503: "not_now",
}
"""Outcomes of a screen by an HTTP status other than 200; with any other the platform may have shown it."""


def _require(fields: Fields, name: str) -> str:
    text = read_text(fields, name)
    if not text:
        raise BadWebhookError(400, f"{name} is missing or longer than 128 characters.")
    return text


def _read_hidden(application: Application, address: str) -> HiddenCaller:
    """The caller whose number the platform masks; two platforms never share an identity.

    Raises:
        BadWebhookError: the address is no masked number (400).
    """
    identity = name_hidden_caller(application, address)
    if not identity:
        raise BadWebhookError(400, "sourceAddress is neither a number such as tel:8801812345678 nor a masked one.")
    return HiddenCaller(identity, application.dialect.country)


def _read_input(fields: Fields, application: Application, *, starts: bool) -> str:
    message = fields.get("message")
    if not isinstance(message, str) or len(message) > MAX_INPUT:
        raise BadWebhookError(400, f"message is missing or longer than {MAX_INPUT} characters.")
    return parse_digits_past_code(message, application.service_codes) if starts else message


def _find_used_code(fields: Fields, application: Application, *, starts: bool) -> str:
    """Our short code that was dialled; where it is not told, the only one of the application."""
    codes = ShortCodeConfig(application.service_codes, ScreenBudget(), {})
    return codes.find_used_code(str(fields["message"]) if starts else "")
