"""A caller of the walk: who it is, what it does, and what must hold after each of its actions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from core.gsm7 import count_septets, count_utf16_units
from core.languages import LATIN_SUFFIX
from menus.model import Form, ListScreen, Navigation, Position, Question
from menus.rendering.paging import BACK_KEY, HOME_KEY, MORE_KEY, PREFIX_LENGTH, Page, ScreenBudget, paginate
from menus.rendering.view import build_view
from services.assisted.models import NewOperator
from services.catalogue.models import NoLongerOfferedError
from services.citizens.models import NewAccount
from services.messaging.inbound import ClaimedSms
from sessions.message_turns import _decode as decode_turn
from sessions.path_turns import UssdRequest
from sessions.session import decode_session
from sms.segments import measure
from tests.fuzz.walk import events
from tests.fuzz.walk.gateway import FuzzGateway
from tests.support.staff import staff_act
from ussd.provider import UssdInput

PIN = "4826"
ANSWERS = (("first_school", "Sonar Bangla"), ("birthplace", "Comilla 4"))
PREFIXES = {"BD": "+88017", "IN": "+9198", "KE": "+25471"}
MAX_NUMBERS = 6  # tracking numbers that a caller remembers
NUMBER_LENGTHS = {"BD": 14, "IN": 13, "KE": 13}
EMAIL_ADDRESSES = ("amina@example.org", "a.b@example.org")
MIN_PERSONAL_LENGTH = 6  # characters of a typed text that is looked for in the log; shorter ones are found by chance
EXPECTED_ERRORS = ("event=bill_rejected_and_refunded",)  # what staff must look at, though nothing of ours failed
BUDGETS = ((160, 70), (160, 70), (160, 70), (182, 80), (120, 66), (100, 50), (60, 45), (40, 40))
"""Septets and UTF-16 units: what networks have, and what the settings allow at the least."""
REFUSALS = ("not_an_option", "not_one_of", "not_the_option")
_find_option = re.compile(r"^(\d+) ", re.MULTILINE).findall
_find_number = re.compile(r"\b\d{4} \d{4} \d{4}\b").findall
_find_placeholder = re.compile(r"\{[a-z_]+(:[a-z_]+)?\}").search


class WalkError(AssertionError):
    """Something that must hold did not hold after an action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerKind:
    """Who calls, from what phone and network.

    `role`: `new`, `citizen` with an account, or `operator`; `has_cases`: the citizen has applications and a complaint. `by`: `path`, `input` (the newest input only) or `sms`.
    """

    role: str = "new"
    has_cases: bool = False
    by: str = "path"
    language: str = "en"
    country: str = "BD"
    septets: int = 160
    units: int = 70
    unicode: bool = False
    vouched: bool = True
    echoes: bool = True

    @property
    def budget(self) -> ScreenBudget:
        return ScreenBudget(self.septets, self.units, self.unicode)


Action = tuple[str, ...]
"""The name of an action, and its text where it has one."""


@dataclass(kw_only=True)
class Caller:
    """One person with a phone."""

    gateway: FuzzGateway
    kind: CallerKind
    msisdn: str = ""
    partner: str = ""
    numbers: list[str] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)
    session: str = ""
    path: str = ""
    sequence: int = 0
    echoed: str = ""
    is_steady: bool = True
    ended: bool = True
    text: str = ""
    position: Position | None = None
    slowest: float = 0.0

    async def start(self) -> None:
        """Get a number, and an account where the kind has one."""
        self.msisdn, self.partner = self._new_msisdn(), self._new_msisdn()
        services = self.gateway.services
        if self.kind.role == "citizen":
            account = await self._register(self.msisdn)
            if self.kind.has_cases:
                self.numbers += await events.open_cases(self.gateway, account, self.msisdn, self.partner)
        if self.kind.role == "operator":
            operator, _ = await services.operators.add(
                NewOperator(self.msisdn, "Karim Mia", "mirpur", self.kind.language), staff_act()
            )
            pin_hash = await self.gateway.hasher.hash(PIN)
            await services.operators.choose_pin(operator, pin_hash, f"setup-{self.msisdn}:1")
            if self.gateway.count % 4:
                await self._register(self.partner)

    def _new_msisdn(self) -> str:
        prefix = PREFIXES[self.kind.country]
        digits = NUMBER_LENGTHS[self.kind.country] - len(prefix)
        return f"{prefix}{self.gateway.next_number():0{digits}}"

    async def _register(self, msisdn: str) -> int:
        hasher = self.gateway.hasher
        new = NewAccount(
            msisdn=msisdn,
            name="Amina Begum",
            language=self.kind.language,
            pin_hash=await hasher.hash(PIN),
            questions=tuple([(question, await hasher.hash(answer)) for question, answer in ANSWERS]),
        )
        return await self.gateway.services.accounts.register(new, f"setup-{msisdn}:1")

    # Actions ---------------------------------------------------------------------------------------------------------

    async def act(self, action: Action) -> None:
        """Do an action, and check what came of it.

        Raises:
            WalkError: something did not hold; any other error is of the code under test.
        """
        before, name = self.position, action[0]
        self.gateway.log.clear()
        self.gateway.shown.clear()
        began = perf_counter()
        await ACTIONS[name](self, *action[1:])
        self.slowest = max(self.slowest, perf_counter() - began)
        self._check_log()
        if name in {"key", "sms"} and self.is_steady:
            self._check_move(before, self.position, self.fill(action[1]))
        if name in EVENTS:
            self.is_steady = False

    async def dial(self, digits: str = "") -> None:
        """Dial; `digits` were dialled past the short code."""
        self.session, self.path, self.echoed, self.sequence = f"S{self.gateway.next_number()}", digits, "", 0
        self.is_steady = True
        if self.kind.by == "input":
            await self._send_input(digits, starts=True)
        else:
            await self._send_path(self.path)

    async def type(self, text: str) -> None:
        """Type something in the call that is open."""
        filled = self.fill(text)
        self.typed.add(filled)
        if self.kind.by == "input":
            await self._send_input(filled)
            return
        self.path = f"{self.path}*{filled}" if self.path else filled
        await self._send_path(self.path)

    async def repeat(self) -> None:
        """Send the newest request again; its reply is the same."""
        if self.kind.by == "input":
            return
        before = self.text
        await self._send_path(self.path, is_repeat=True)
        if self.text != before and self.is_steady:
            raise WalkError(f"a repeat got {self.text!r} and not {before!r}")

    async def lose(self) -> None:
        """Let the store forget the session. What the provider echoes leads back, but where the call went on with another."""
        if not self.ended and self.kind.by != "sms":
            self.gateway.store.lose(self.msisdn, self.session)
            self.is_steady = self.is_steady and self.kind.echoes and not self.echoed.startswith("resume")

    async def write(self, text: str) -> None:
        """Send an SMS."""
        filled = self.fill(text)
        self.typed.add(filled)
        number = self.gateway.next_number()
        handled = await self.gateway.sms.handle(ClaimedSms(number, f"m{number}", self.msisdn, filled, 1))
        self.text = handled.reply
        self._remember(handled.reply)
        stored = await self.gateway.store.load(f"sms {self.msisdn}")
        turn = decode_turn(stored.data) if stored else None
        self.position = turn.position if turn and not turn.position.ended else None
        self.ended = self.position is None
        if handled.handled_as not in {"answer", "resumed", "stop", "app"} and not handled.reply and self.position:
            raise WalkError(f"no reply to {handled.handled_as}")
        if self.position and turn and turn.reply.text == handled.reply:
            self._check_screen(handled.reply, sms=True)

    async def edit_catalogue(self, which: str) -> None:
        """Replace the catalogue."""
        self.gateway.services.current_catalogue.replace(self.gateway.snapshots[int(which)])

    async def move_case(self, status: str) -> None:
        """Let the department set the caller's newest application or complaint to a status."""
        for number in self.numbers[-1:] + self.numbers[:1]:
            await events.move_case(self.gateway, number, status)

    async def change_account(self, change: str) -> None:
        """Let staff or another session change the account of the caller, or of whom an operator acts for."""
        await events.change_account(self.gateway, self.partner if self.kind.role == "operator" else self.msisdn, change)

    async def use_wallet(self, pin: str) -> None:
        """Answer what the wallet asks."""
        await events.use_wallet(self.gateway, self.msisdn, pin)

    async def open_email(self) -> None:
        """Open the link in the newest e-mail."""
        for address in EMAIL_ADDRESSES:
            await events.open_email(self.gateway, address)

    async def suspend(self) -> None:
        """Suspend the caller as an operator, or let the operator work again."""
        await events.suspend_operator(self.gateway, self.msisdn)

    async def change_system(self, state: str) -> None:
        """Let another system fail, or work again."""
        events.change_system(self.gateway, state)

    async def refuse(self) -> None:
        """Let the person whom an application is for refuse it by SMS."""
        number = self.gateway.next_number()
        sms = ClaimedSms(number, f"m{number}", self.partner, self.fill("REFUSE {number}"), 1)
        self._remember((await self.gateway.sms.handle(sms)).reply)

    # What is typed ---------------------------------------------------------------------------------------------------

    def fill(self, text: str) -> str:
        """The text with what only the run knows: codes, PINs, numbers."""
        if "{" not in text:
            return text
        values = {
            "{pin}": PIN,
            "{texted_pin}": self.gateway.newest_digits(self.msisdn, 4),
            "{code}": self.gateway.newest_digits(self.msisdn, 6),
            "{their_code}": self.gateway.newest_digits(self.partner, 6),
            "{partner}": self.partner,
            "{number}": self.numbers[-1] if self.numbers else "",
            "{older}": self.numbers[0] if self.numbers else "",
        }
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    # Requests --------------------------------------------------------------------------------------------------------

    async def _send_path(self, path: str, *, is_repeat: bool = False) -> None:
        request = UssdRequest(
            session_id=self.session,
            caller=self.msisdn,
            path=path,
            channel="ussd",
            budget=self.kind.budget,
            caller_number_verified=self.kind.vouched,
            echoed_metadata=self.echoed if self.kind.echoes else "",
        )
        reply = await self.gateway.answer_ussd(request)
        if not is_repeat:
            self.echoed = str(reply.hop_metadata) if reply.hop_metadata else ""
        stored = await self.gateway.store.load(self.msisdn)
        session = decode_session(stored.data) if stored else None
        self._take(reply, session.position if session else None)

    async def _send_input(self, text: str, *, starts: bool = False) -> None:
        self.sequence += 1
        request = UssdInput(
            session_id=self.session,
            message_id=str(self.sequence),
            caller=self.msisdn,
            text=text,
            starts_session=starts,
            budget=self.kind.budget,
            caller_number_verified=self.kind.vouched,
        )
        reply = await self.gateway.answer_ussd(request)
        stored = await self.gateway.store.load(f"ussd {self.msisdn}")
        self._take(reply, decode_turn(stored.data).position if stored else None)

    def _take(self, reply: Any, position: Position | None) -> None:
        self.text, self.ended, self.position = reply.reply.text, reply.reply.ends, position
        self._remember(self.text)
        if reply.handled_as == "failed":
            raise WalkError(f"the request failed: {self.gateway.log}")
        self._check_screen(self.text)

    def _remember(self, text: str) -> None:
        self.numbers += [found.replace(" ", "") for found in _find_number(text)]
        del self.numbers[:-MAX_NUMBERS]

    # Checks ----------------------------------------------------------------------------------------------------------

    def _check_screen(self, text: str, *, sms: bool = False) -> None:
        menu = self.gateway.checked_menu.menu
        if not text.strip():
            raise WalkError("an empty screen")
        fits = (self.ended or measure(text).segments <= 2) if sms else self.kind.budget.fits(text)
        if not fits:
            raise WalkError(f"{_cost(text)} on a screen of {self.kind.budget}: {text!r}")
        if _find_placeholder(text) and not any("{" in typed for typed in self.typed):
            raise WalkError(f"a placeholder is shown: {text!r}")
        if self.position is None or self.ended:
            return
        if self.position.screen == menu.stuck:
            raise WalkError("the steps run in a circle")
        screen = menu.visible_screen(self.position)
        takes_text = isinstance(screen, Question | Form) or (isinstance(screen, ListScreen) and screen.free_text)
        if not _find_option(text) and not takes_text:
            raise WalkError(f"nothing leads on from {self.position.screen}: {text!r}")

    def _check_move(self, before: Position | None, after: Position | None, key: str) -> None:
        """A key that the screen lists leads on; 0 and 00 lead somewhere else than here."""
        if before is None or before.ended or after is None or self.ended or self.kind.by == "sms":
            return
        locale = self.gateway.locales[before.language if self.kind.unicode else f"{before.language}_Latn"]
        if key == HOME_KEY:
            home = self.gateway.checked_menu.menu.home
            if _place(after) == _place(before) and before.screen not in {home, "assist_menu", "languages"}:
                raise WalkError(f"00 does not lead away from {before.screen}")
        elif key == BACK_KEY and (before.page or before.field_index or before.history):
            if _place(after) == _place(before):
                raise WalkError(f"0 does not lead away from {before.screen}")
        elif key != MORE_KEY and key in self.listed_keys(before):
            notes = [locale.validation_messages[name].source.split("{")[0] for name in REFUSALS]
            if any(note and self.text.startswith(note) for note in notes):
                raise WalkError(f"{before.screen} refuses its option {key}: {self.text!r}")

    def listed_keys(self, position: Position) -> Sequence[str]:
        """The keys that the screen of a position offers, on any page of it."""
        menu = self.gateway.checked_menu.menu
        screen = menu.visible_screen(position)
        if isinstance(screen, ListScreen):
            try:
                rows = len(screen.rows(position.facts))
            except NoLongerOfferedError:
                return []
            return [str(key) for key in range(1, rows + len(screen.options) + 1)]
        if isinstance(screen, Form):
            return []
        options = menu.options.get(screen.name, {})
        return [key for key, option in options.items() if menu.is_offered(option, position.facts)]

    def _check_log(self) -> None:
        for line in self.gateway.log:
            if (line.startswith("error") or " ERROR " in line) and not any(event in line for event in EXPECTED_ERRORS):
                raise WalkError(f"the log says: {line}")
            personal = [self.msisdn[4:], self.partner[4:], *(it for it in self.typed if len(it) >= MIN_PERSONAL_LENGTH)]
            for one in personal:
                if one in line:
                    raise WalkError(f"{one!r} is in the log: {line}")


def check_every_form(gateway: FuzzGateway, position: Position) -> None:
    """Check every page of a position in every language, script and size of screen."""
    menu, page = gateway.checked_menu.menu, Page("")
    for locale in gateway.locales.values():
        for septets, units in sorted(set(BUDGETS)):
            is_latin = locale.code.endswith(LATIN_SUFFIX)
            budget = ScreenBudget(septets, units, unicode=not is_latin)
            view, number = build_view(menu, Navigation(position), locale), 0
            while number == 0 or page.has_more:
                page, number = paginate(view, budget, number), number + 1
                if not budget.fits(page.text):
                    raise WalkError(f"{_cost(page.text)} in {locale.code} on a screen of {budget}: {page.text!r}")


def _place(position: Position) -> tuple[object, ...]:
    return position.screen, position.page, position.field_index, position.history


def _cost(text: str) -> str:
    septets = count_septets(text)
    if septets is None:
        return f"{count_utf16_units(text) + PREFIX_LENGTH} units"
    return f"{septets + PREFIX_LENGTH} septets"


EVENTS: Mapping[str, Any] = {
    "catalogue": Caller.edit_catalogue,
    "move": Caller.move_case,
    "account": Caller.change_account,
    "wallet": Caller.use_wallet,
    "email": Caller.open_email,
    "suspend": Caller.suspend,
    "system": Caller.change_system,
    "refuse": Caller.refuse,
}
ACTIONS: Mapping[str, Any] = {
    **EVENTS,
    "dial": Caller.dial,
    "key": Caller.type,
    "repeat": Caller.repeat,
    "lose": Caller.lose,
    "sms": Caller.write,
}
