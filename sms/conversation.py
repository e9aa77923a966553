"""Conversations by SMS: the trees that a call walks, by numbered replies, in the room of a segment or two."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from menus.by_sms import SECRET
from menus.engine import takes
from menus.journeys.apply import SAID_BY_SMS
from menus.model import Form, Question
from screens.pages import Room
from services.messages import RULES, Message, Messages
from sessions import turns
from sessions.turns import Table, Turn

CHANNEL = "sms"


@dataclass(frozen=True, slots=True)
class Conversations:
    """Every person's. A number is E.164; an `effect` names one message, the same whenever that is worked on.

    `language_of` is what they are spoken to in where nothing they wrote says otherwise.
    """

    table: Table
    room: Room
    messages: Messages
    language_of: Callable[[str], Awaitable[str]]

    async def menu(self, number: str, effect: str) -> None:
        """Send the main menu to who rang for it; its numbers are heard when they are sent back, however late it comes."""
        lasting = replace(self.table, ttl=self.table.ttl + int(RULES["menu"].lives.total_seconds()))
        message, language = self._message(number, effect), await self.language_of(number)
        turn = await turns.enter(lasting, message, self.table.menu.home, language)
        await self.messages.send(Message(number, turn.answer.text, "menu", f"{effect}/menu"))

    async def standing(self, number: str, effect: str) -> Turn | None:
        """Where the running conversation stands; None where there is none."""
        return await turns.standing(self.table, self._message(number, effect))

    def takes(self, turn: Turn, typed: str) -> bool:
        """Whether `typed` is an answer where this conversation stands."""
        return takes(self.table.menu, turn.place, typed, self.table.today())

    def asks(self, turn: Turn) -> bool:
        """Whether something is to be typed where this conversation stands, and not only chosen."""
        return isinstance(self.table.menu.shown(turn.place), Question | Form)

    def asks_a_secret(self, turn: Turn) -> bool:
        """Whether what answers here is nobody else's business: a PIN, a code, what reopens an account, an identity number."""
        screen = self.table.menu.shown(turn.place)
        return isinstance(screen, Question) and (screen.secret or screen.saves in SECRET)

    async def answer(self, number: str, effect: str, typed: str) -> Turn | None:
        """The turn that an answer makes; None where there is no conversation."""
        return await turns.answer(self.table, self._message(number, effect), typed)

    async def enter(
        self, number: str, effect: str, screen: str, language: str, said: Mapping[str, str] | None = None
    ) -> Turn:
        """The turn that enters the menus at `screen`, whose steps are told what was `said`."""
        return await turns.enter(self.table, self._message(number, effect), screen, language, said)

    async def take_up(self, number: str, effect: str) -> Turn | None:
        """The turn that offers to go on with a call that was cut off; None where none was."""
        return await turns.take_up(self.table, self._message(number, effect))

    async def end(self, number: str) -> None:
        """Forget it."""
        await turns.end(self.table, self._message(number, ""))

    def _message(self, number: str, effect: str) -> turns.Message:
        # A number that an SMS names as its sender can be forged: nobody vouches for it.
        return turns.Message(effect, number, CHANNEL, self.room, vouched=False)


def reply_in(turn: Turn) -> str:
    """What is sent back: nothing where the last step has sent an SMS that says all of it."""
    return "" if turn.place.over and turn.place.facts.get(SAID_BY_SMS) else turn.answer.text
