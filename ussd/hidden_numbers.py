"""Calls from a network that hides the number of the caller.

A caller whose number was linked is served as anybody else. Another one may find services and see the status of a number that
they type, and may give their own number: a code goes to it by SMS, and whoever types the code here is linked to it. Their
position in this short dialogue is kept in the session store, encrypted as every session, until the call is over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

import msgspec
from msgspec.structs import replace

from core.phone_numbers import PhoneNumberError, parse_msisdn
from core.typed_input import normalize_input
from core.typed_numbers import read_digits
from core.verified_caller import unverified_caller
from services.citizens.models import CheckOutcome, SendOutcome
from sessions.failures import explain_failure
from sessions.message_turns import ConcurrentUpdateError, ConversationHandler, IncomingMessage, Turn
from sessions.path_turns import UssdReply
from sessions.session import Reply
from sessions.shared_deadline import SharedDeadline
from sessions.store import SessionStore, StoredSession
from ussd.provider import CHANNEL, HiddenCaller, UssdInput

BROWSE, GIVE_NUMBER, BACK = "1", "2", "0"
MAX_SAVE_ATTEMPTS: Final = 3
MAX_ANSWERED: Final = 16
"""Requests of a call of which a late repeat is recognized."""

TextKey: TypeAlias = Literal[
    "hidden_start",
    "hidden_number",
    "hidden_not_served",
    "hidden_code",
    "hidden_wrong_code",
    "hidden_code_gone",
    "hidden_too_many",
    "hidden_linked",
]
FINAL_TEXTS: Final[frozenset[TextKey]] = frozenset(("hidden_code_gone", "hidden_too_many", "hidden_linked"))
TEXTS_BY_CHECK: Final[dict[CheckOutcome, TextKey]] = {
    "right": "hidden_linked",
    "wrong": "hidden_wrong_code",
    "gone": "hidden_code_gone",
}


class NumberLinks(Protocol):
    """Knows the numbers of callers whose network hides them; see `services.citizens.hidden_numbers`."""

    async def find(self, identity: str) -> str:
        """The MSISDN that is linked to an identity; empty where there is none."""

    async def send_code(self, identity: str, msisdn: str, language: str, idempotency_key: str) -> SendOutcome:
        """Send a code to the number that the caller says is theirs."""

    async def link(self, identity: str, msisdn: str, code: str, idempotency_key: str) -> CheckOutcome:
        """Link the number to the identity where the code is right."""

    def name_caller(self, identity: str) -> str:
        """A name for the caller in the place of a number."""


class HiddenPosition(msgspec.Struct, frozen=True, array_like=True):
    """Where a caller is: the id of the newest request, what they answer to, and the number that a code went to.

    `text` is empty while the caller is in the menus. `answered` are the ids of requests before the newest one.
    """

    message_id: str
    text: TextKey | Literal[""] = "hidden_start"
    msisdn: str = ""
    answered: tuple[str, ...] = ()

    def has_answered(self, message_id: str) -> bool:
        """Whether the request with this id is a repeated one."""
        return message_id == self.message_id or message_id in self.answered

    def list_answered(self) -> tuple[str, ...]:
        """The ids of the newest MAX_ANSWERED requests, oldest first."""
        return (*self.answered, self.message_id)[-MAX_ANSWERED:]


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenNumberHandler:
    """Answers callers whose network hides their number. `session_ttl` is how long a position is kept, in seconds."""

    links: NumberLinks
    sessions: SessionStore
    answer_known: Callable[[UssdInput], Awaitable[UssdReply]]
    """Answers a caller whose number is known."""
    browsing: ConversationHandler
    """The menus that are public."""
    default_language_of: Callable[[str], str]
    is_supported_number: Callable[[str], bool]
    session_ttl: int
    deadline: SharedDeadline

    async def handle(self, request: UssdInput, hidden: HiddenCaller) -> UssdReply:
        """The reply to one input; a failure of ours is a reply that says so and ends the session."""
        try:
            with self.deadline:
                msisdn = await self.links.find(hidden.identity)
                if not msisdn:
                    with unverified_caller():
                        return UssdReply(await self._answer(request, hidden), "answered")
        except Exception as error:  # noqa: BLE001 - after any failure the caller still waits for a screen
            failure = explain_failure(error, CHANNEL)
            return UssdReply(Reply(self._find_text(request, failure.text_key), ends=True), failure.handled_as)
        return await self.answer_known(replace(request, caller=msisdn, hidden=None))

    async def _answer(self, request: UssdInput, hidden: HiddenCaller) -> Reply:
        """Move on, save, then reply; a repeated request, of whatever age, gets the newest reply.

        Raises:
            ConcurrentUpdateError: other processes saved first, each time.
        """
        name, message_id = self.links.name_caller(hidden.identity), f"{request.session_id}/{request.message_id}"
        for _ in range(MAX_SAVE_ATTEMPTS):
            stored = await self.sessions.load(_build_key(name))
            before = _read_position(stored, request)
            if before and before.has_answered(message_id):
                return await self._show(request, name, before, before)
            moved = await self._move(request, hidden, before, message_id)
            position = replace(moved, answered=before.list_answered() if before else ())
            if await self._save(name, position, stored):
                return await self._show(request, name, position, before)
        raise ConcurrentUpdateError

    async def _save(self, name: str, position: HiddenPosition, stored: StoredSession | None) -> bool:
        version, key = stored.version if stored else 0, _build_key(name)
        return await self.sessions.save(key, _encode(position), expected_version=version, ttl=self.session_ttl)

    async def _move(
        self, request: UssdInput, hidden: HiddenCaller, before: HiddenPosition | None, message_id: str
    ) -> HiddenPosition:
        typed = normalize_input(request.text)
        if request.starts_session or before is None:
            return HiddenPosition(message_id)
        match before.text:
            case "hidden_start":
                return HiddenPosition(message_id, STARTS.get(typed, "hidden_start"))
            case "hidden_number" | "hidden_not_served":
                return await self._take_number(request, hidden, typed, message_id)
            case "hidden_code" | "hidden_wrong_code":
                outcome = await self.links.link(hidden.identity, before.msisdn, read_digits(typed), message_id)
                return HiddenPosition(message_id, TEXTS_BY_CHECK[outcome], before.msisdn)
            case _:
                return HiddenPosition(message_id, "")

    async def _take_number(
        self, request: UssdInput, hidden: HiddenCaller, typed: str, message_id: str
    ) -> HiddenPosition:
        if typed == BACK:
            return HiddenPosition(message_id)
        try:
            msisdn = parse_msisdn(typed, hidden.country)
        except PhoneNumberError:
            return HiddenPosition(message_id, "hidden_not_served")
        if not self.is_supported_number(msisdn):
            return HiddenPosition(message_id, "hidden_not_served")
        language = self.default_language_of(request.caller)
        outcome = await self.links.send_code(hidden.identity, msisdn, language, message_id)
        return HiddenPosition(message_id, "hidden_code" if outcome == "sent" else "hidden_too_many", msisdn)

    async def _show(
        self, request: UssdInput, name: str, position: HiddenPosition, before: HiddenPosition | None
    ) -> Reply:
        if position.text:
            return Reply(self._find_text(request, position.text), ends=position.text in FINAL_TEXTS)
        message = IncomingMessage(position.message_id, name, CHANNEL, request.budget)
        is_inside = before is not None and not before.text
        return (await self._browse(request, message, is_inside=is_inside)).reply

    async def _browse(self, request: UssdInput, message: IncomingMessage, *, is_inside: bool) -> Turn:
        """The next turn in the public menus; the first one is at home."""
        if is_inside:
            turn = await self.browsing.handle_input(message, request.text)
            if turn is not None:
                return turn
        language = self.default_language_of(request.caller)
        return await self.browsing.enter(message, self.browsing.menu.home, language)

    def _find_text(self, request: UssdInput, key: str) -> str:
        language = self.default_language_of(request.caller)
        return self.browsing.renderer.locale_for(language, request.budget).common[key]


STARTS: Final[dict[str, TextKey | Literal[""]]] = {BROWSE: "", GIVE_NUMBER: "hidden_number"}
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(HiddenPosition).decode


def _read_position(stored: StoredSession | None, request: UssdInput) -> HiddenPosition | None:
    """The position in this call; None where there is none, or where another version of the program wrote it."""
    if stored is None:
        return None
    try:
        position = _decode(stored.data)
    except msgspec.MsgspecError:
        return None
    return position if position.message_id.startswith(f"{request.session_id}/") else None


def _build_key(name: str) -> str:
    return f"link {name}"
