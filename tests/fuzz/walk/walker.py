"""Random walks over every journey: listed options mostly, answers that are accepted, and then what nobody would type."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from menus.model import Choice, Form, Goodbye, ListScreen, Position, Question, VisibleScreen, number_options
from services.catalogue.models import NoLongerOfferedError
from tests.fuzz.walk.caller import BUDGETS, Action, Caller, CallerKind, check_every_form
from tests.fuzz.walk.events import ACCOUNT_CHANGES, STATUSES, SYSTEM_STATES
from tests.fuzz.walk.gateway import FuzzGateway
from tests.fuzz.walk.inputs import choose_answer, choose_junk, choose_sms
from tests.fuzz.walk.route import Router

LANGUAGES = ("en", "bn", "hi")
ACTIONS_OF_A_CALLER = 120
EVENT_SHARE = 0.05  # of the actions
PATIENCE = 30  # actions towards one screen


@dataclass(kw_only=True)
class Walk:
    """One caller's walk; `actions` are those so far."""

    caller: Caller
    router: Router
    random: Random
    states: set[tuple[object, ...]]
    actions: list[Action] = field(default_factory=list)
    target: str = ""
    patience: int = 0

    async def run(self, count: int) -> None:
        """Do `count` actions."""
        for _ in range(count):
            action = self.choose()
            self.actions.append(action)
            await self.caller.act(action)
            self.note()

    def note(self) -> None:
        """Count the screens that were shown."""
        kind = self.caller.kind
        for position in self.caller.gateway.shown:
            facts = position.facts
            self.router.visits[position.screen] += 1
            size = (kind.septets, kind.units, kind.unicode) if kind.by != "sms" else ()
            place = (position.screen, position.language, size, position.page, position.field_index)
            self.states.add((*place, bool(facts.get("consent")), bool(facts.get("account")), facts.get("service")))
            shape = (position.screen, position.field_index, bool(facts.get("consent")), facts.get("service"))
            if shape not in self.states:
                self.states.add(shape)
                self._check_every_form(position)
            if position.screen == self.target:
                self.patience = 0

    def _check_every_form(self, position: Position) -> None:
        with suppress(NoLongerOfferedError):  # the catalogue was replaced since it was shown
            check_every_form(self.caller.gateway, position)

    def choose(self) -> Action:  # noqa: PLR0911 - one return for each kind of action
        """The next action."""
        random, caller = self.random, self.caller
        if self.patience <= 0:
            self.target, self.patience = self.router.choose_target(random), PATIENCE
            self.router.aimed_at[self.target] += 1
        self.patience -= 1
        if random.random() < EVENT_SHARE:
            return self._choose_event()
        chance = random.random()
        if caller.kind.by == "sms":
            return self._choose_sms()
        if caller.ended or caller.position is None:
            return (
                ("dial", random.choice(("2*1", "1*1*1", "99", "1*726", "8*2", "5*1"))) if chance < 0.08 else ("dial",)
            )
        if chance > 0.99:
            return ("dial",)
        if chance > 0.97:
            return ("repeat",)
        if chance > 0.965:
            return ("lose",)
        return ("key", self._choose_key_or_junk(caller.position))

    def _choose_event(self) -> Action:  # noqa: PLR0911 - one return for each event
        random, caller = self.random, self.caller
        name = random.choice(("move", "move", "catalogue", "account", "wallet", "email", "suspend", "system", "refuse"))
        match name:
            case "move":
                return (name, random.choice(STATUSES))
            case "catalogue":
                return (name, str(random.choice((0, 0, 1, 2))))
            case "account":
                return (name, random.choice(ACCOUNT_CHANGES))
            case "wallet":
                return (name, random.choice(("1234", "1234", "1234", "0000", "9999", "")))
            case "system":
                return (name, random.choice(SYSTEM_STATES))
            case "suspend" if caller.kind.role != "operator":
                return ("wallet", "1234")
        return (name,)

    def _choose_sms(self) -> Action:
        if self.caller.position is None or self.random.random() < 0.08:
            return ("sms", choose_sms(self.random))
        return ("sms", self._choose_key_or_junk(self.caller.position))

    def _choose_key_or_junk(self, position: Position) -> str:
        try:
            return self.choose_key(position)
        except NoLongerOfferedError:  # the catalogue was replaced; the engine says so whatever is typed
            return self.random.choice(("1", "0", "00", "x"))

    def choose_key(self, position: Position) -> str:
        """What the caller types at a position."""
        random, caller = self.random, self.caller
        menu = caller.gateway.checked_menu.menu
        chance = random.random()
        if chance < 0.05:
            return choose_junk(random)
        if chance < 0.09:
            return random.choice(("0", "0", "00"))
        if position.has_more and chance < 0.25:
            return "98"
        screen = menu.visible_screen(position)
        if position.screen == "languages" and chance < 0.9:
            return str(LANGUAGES.index(caller.kind.language) + 1)
        options = self._options(screen, position)
        nearest = min((distance for _, distance in options), default=None)
        if nearest is None:
            return random.choice(("0", "00"))
        wanted = (
            [key for key, distance in options if distance == nearest] if chance < 0.8 else [key for key, _ in options]
        )
        key = random.choice(wanted)
        return (
            choose_answer(menu, position, random, caller.gateway.sms.conversations.handler.today())
            if key == ""
            else key
        )

    def _options(self, screen: VisibleScreen, position: Position) -> Sequence[tuple[str, int]]:
        """What may be typed, each with its distance from the target; an empty key stands for an answer."""

        def away(name: str) -> int:
            return self.router.distance(name, self.target)

        match screen:
            case Choice():
                return [(key, away(it.goto)) for key, it in self._menu.options[screen.name].items()]
            case ListScreen():
                rows = screen.rows(position.facts)
                listed = [(str(self.random.randint(1, len(rows))), away(screen.goto))] if rows else []
                listed += [(key, away(it.goto)) for key, it in number_options(screen.options, len(rows))]
                return [*listed, ("", away(screen.free_text.goto))] if screen.free_text else listed
            case Question():
                options = [(key, away(it.goto)) for key, it in self._menu.options[screen.name].items()]
                return [("", away(screen.goto)), *options]
            case Form():
                return [("", away(screen.goto))]
            case Goodbye():
                return [("00", 0)]

    @property
    def _menu(self):
        return self.caller.gateway.checked_menu.menu


def choose_kind(random: Random) -> CallerKind:
    """Any caller on any phone."""
    septets, units = random.choice(BUDGETS)
    return CallerKind(
        role=random.choice(("new", "citizen", "citizen", "operator")),
        has_cases=random.random() < 0.7,
        by=random.choice(("path", "path", "path", "input", "sms")),
        language=random.choice(LANGUAGES),
        country=random.choice(("BD", "BD", "IN", "KE")),
        septets=septets,
        units=units,
        unicode=random.random() < 0.5,
        vouched=random.random() < 0.75,
        echoes=random.random() < 0.5,
    )


def build_walk(gateway: FuzzGateway, router: Router, random: Random, states: set[tuple[object, ...]]) -> Walk:
    """A walk of a new caller."""
    return Walk(caller=Caller(gateway=gateway, kind=choose_kind(random)), router=router, random=random, states=states)
