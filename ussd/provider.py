"""The interface to a provider of USSD.

Providers differ in two ways. A request carries everything typed in the session (`UssdRequest`) or the newest input only
(`UssdInput`). The reply is the HTTP response (`ResponseUssdProvider`) or a request of our own, made after the webhook
was acknowledged (`PushUssdProvider`). A provider that does not speak HTTP is a `ReplySender`: it gives its requests to
`UssdHandler.start_push` itself.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply
from menus.rendering.paging import ScreenBudget
from sessions.path_turns import UssdReply, UssdRequest

CHANNEL = "ussd"


@dataclass(frozen=True, slots=True)
class ShortCodeConfig:
    """Our short codes, the screen budget of each network by its code, and whether networks verify the caller's number."""

    service_codes: Sequence[str]
    default_budget: ScreenBudget
    network_budgets: Mapping[str, ScreenBudget]
    caller_number_verified: bool = True

    def find_used_code(self, dial_string: str = "") -> str:
        """The longest of our codes that begins what was dialled, else the only one; empty where there are several."""
        begins = [
            code for code in self.service_codes if f"{dial_string.removesuffix('#')}*".startswith(f"{code[:-1]}*")
        ]
        return max(begins, key=len, default=self.service_codes[0] if len(self.service_codes) == 1 else "")

    def budget_for(self, network_code: str) -> ScreenBudget:
        """The screen budget of a network; the default one for a network without its own."""
        return self.network_budgets.get(network_code, self.default_budget)


class HiddenCaller(msgspec.Struct, frozen=True):
    """A caller whose network hides their number: what it calls them, the same in every call, and its country such as `BD`."""

    identity: str
    country: str


class UssdInput(msgspec.Struct, frozen=True):
    """One request of a provider that sends the newest input only.

    `message_id` identifies the request: a repeated webhook has the same one. `starts_session` is true for the request
    that dials; its `text` is empty, or holds the digits dialled past the short code. `used_code` is our short code that was
    dialled, and `network` the code of the caller's network; both are empty where the provider does not tell. Of a `hidden`
    caller, `caller` is the calling code of the network's country, such as `+880`.
    """

    session_id: str
    message_id: str
    caller: str
    text: str
    starts_session: bool
    budget: ScreenBudget
    caller_number_verified: bool
    echoed_metadata: str = ""
    hidden: HiddenCaller | None = None
    used_code: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class UssdEndEvent:
    """A provider's report of an ended session. It holds neither the caller's number nor their input.

    `session_id` is empty where the report does not say it.
    """

    session_id: str
    status: str
    hop_count: int
    duration_ms: int
    has_error: bool


AnyUssdRequest: TypeAlias = UssdRequest | UssdInput


@dataclass(frozen=True, slots=True)
class EndReport:
    """A webhook for key presses that reports the end of a session, and the response to it."""

    event: UssdEndEvent
    acknowledgement: WebhookReply


class UssdProvider(Protocol):
    """Parses a provider's USSD webhooks."""

    @property
    def name(self) -> str:
        """The provider's name in routes, settings and logs."""

    @property
    def body_format(self) -> BodyFormat:
        """The format of its webhooks."""

    def parse_request(self, fields: Fields, headers: Mapping[str, str]) -> AnyUssdRequest | EndReport:
        """The key press that a webhook describes, or the end of a session that it reports.

        A provider that echoes metadata gives what it echoed as `echoed_metadata` of the request.

        Raises:
            BadWebhookError: a field is missing or malformed (400).
        """


@runtime_checkable
class EndEventParser(Protocol):
    """A provider that reports the end of a session in webhooks of their own."""

    @property
    def body_format(self) -> BodyFormat:
        """The format of these webhooks, which are posted."""

    def parse_end_event(self, fields: Fields) -> UssdEndEvent:
        """The report that a session has ended."""


@runtime_checkable
class ResponseUssdProvider(UssdProvider, Protocol):
    """A provider that takes the screen as the response to its webhook."""

    def render_reply(self, reply: UssdReply, fields: Fields) -> WebhookReply:
        """The response with the screen to the webhook with these fields.

        A provider that echoes metadata gets `reply.hop_metadata` with it.
        """


class ReplyNotShownError(Exception):
    """The provider did not take a reply. `facts` are words for the log, without anything personal.

    `is_usual`: nothing is wrong here or at the provider, such as where the caller hung up.
    """

    def __init__(self, facts: Mapping[str, str], *, is_usual: bool = False) -> None:
        super().__init__(*facts.values())
        self.facts = facts
        self.is_usual = is_usual


class ReplySender(Protocol):
    """Sends replies in requests of our own, over whatever the provider speaks."""

    @property
    def name(self) -> str:
        """The provider's name in settings and logs."""

    async def push_reply(self, request: AnyUssdRequest, reply: UssdReply) -> None:
        """Send the screen within a deadline of the provider's; any exception means that it was not sent."""


@runtime_checkable
class PushUssdProvider(UssdProvider, ReplySender, Protocol):
    """A provider that wants its webhook acknowledged at once and the screen as a request of ours."""

    def render_acknowledgement(self) -> WebhookReply:
        """The response to every webhook."""


@runtime_checkable
class ConnectedUssdProvider(Protocol):
    """A provider with connections of its own, which are open while the gateway runs."""

    def connections(self) -> AbstractAsyncContextManager[None]:
        """Keep the connections open for the block."""
