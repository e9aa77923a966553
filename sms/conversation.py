"""Conversations by SMS: the menus of a call, with numbered replies, in pages of one or two SMS segments."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.types import TextRenderer
from menus.engine import accepts
from menus.journeys.apply import SAID_BY_SMS_FACT
from menus.journeys.sms_keywords import NAME_QUESTION
from menus.journeys.track import FAILED_LOOKUPS
from menus.model import Form, ListScreen, Question
from menus.rendering.paging import SizeLimit
from menus.rendering.sms_texts import SECRET_FACTS
from services.messaging.kinds import RULES, MessageKind
from services.messaging.messages import Messages
from services.messaging.models import Message
from sessions.message_turns import ConversationHandler, IncomingMessage, Turn

CHANNEL: Final = "sms"

TakesReplies: TypeAlias = Callable[[str, MessageKind], Awaitable[bool]]
"""Whether a reply of an MSISDN to our SMS of this kind reaches us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsConversations:
    """The SMS conversations of all people.

    `msisdn` is an E.164 number. `idempotency_key` is the key of one SMS, the same whenever the SMS is handled again.
    `find_language` returns the language of a person who has not written yet. `takes_replies` returns whether a reply of a number
    to our SMS of a kind reaches us: the menus are not sent to a number whose replies do not, which gets `render_text` of
    `by_call` instead.
    """

    handler: ConversationHandler
    size_limit: SizeLimit
    messages: Messages
    find_language: Callable[[str], Awaitable[str]]
    render_text: TextRenderer
    takes_replies: TakesReplies

    async def send_main_menu(self, msisdn: str, idempotency_key: str) -> None:
        """Send the main menu. A number in reply is understood as long as the SMS may still be under way, and longer."""
        message, language = self._build_message(msisdn, idempotency_key), await self.find_language(msisdn)
        if not await self.takes_replies(msisdn, "menu"):
            text = self.render_text(language, "by_call", {})
            await self.messages.send(Message(msisdn, text, "menu", f"{idempotency_key}/menu"))
            return
        extra_ttl = int(RULES["menu"].ttl.total_seconds())
        turn = await self.handler.enter(message, self.handler.menu.home, language, extra_ttl=extra_ttl)
        await self.messages.send(Message(msisdn, turn.reply.text, "menu", f"{idempotency_key}/menu"))

    async def find_running_turn(self, msisdn: str, idempotency_key: str) -> Turn | None:
        """The last turn of the running conversation; None where none runs."""
        return await self.handler.find_running_turn(self._build_message(msisdn, idempotency_key))

    def accepts(self, turn: Turn, text: str) -> bool:
        """Whether `text` is a valid input at this turn."""
        return accepts(self.handler.menu, turn.position, text, self.handler.today())

    def takes_search(self, turn: Turn) -> bool:
        """Whether the screen of this turn is a list on which the name of a service may be typed."""
        screen = self.handler.menu.visible_screen(turn.position)
        return isinstance(screen, ListScreen) and screen.free_text is not None

    def expects_text(self, turn: Turn) -> bool:
        """Whether the screen of this turn asks for typed text, not only for the number of an option."""
        return isinstance(self.handler.menu.visible_screen(turn.position), Question | Form)

    def expects_private_number(self, turn: Turn) -> bool:
        """Whether a number without a word of ours may be part of a form, or a secret."""
        return self.expects_secret(turn) or isinstance(self.handler.menu.visible_screen(turn.position), Form)

    def is_given_up(self, turn: Turn) -> bool:
        """Whether the only question of a keyword was refused an answer, or a number was not found: it is not asked again."""
        screen = self.handler.menu.visible_screen(turn.position)
        if screen.name in FAILED_LOOKUPS:
            return True
        is_only = isinstance(screen, Question) and not turn.position.history and not self.expects_secret(turn)
        return is_only and turn.is_refusal

    def expects_name(self, turn: Turn) -> bool:
        """Whether the screen of this turn asks for the name of a new account."""
        return self.handler.menu.visible_screen(turn.position).name == NAME_QUESTION

    def expects_secret(self, turn: Turn) -> bool:
        """Whether the screen of this turn asks for a secret: a PIN, a code, a security answer, an identity number."""
        screen = self.handler.menu.visible_screen(turn.position)
        return isinstance(screen, Question) and (screen.secret or screen.save_as in SECRET_FACTS)

    async def handle_input(self, msisdn: str, idempotency_key: str, text: str) -> Turn | None:
        """The turn after the input `text`; None where no conversation runs."""
        return await self.handler.handle_input(self._build_message(msisdn, idempotency_key), text)

    async def enter(
        self, msisdn: str, idempotency_key: str, screen: str, language: str, entry_data: Mapping[str, str] | None = None
    ) -> Turn:
        """The turn that enters the menus at `screen`, whose steps see `entry_data`."""
        message = self._build_message(msisdn, idempotency_key)
        return await self.handler.enter(message, screen, language, entry_data)

    async def offer_resume(self, msisdn: str, idempotency_key: str) -> Turn | None:
        """The turn that offers to resume an interrupted call; None where no call was interrupted."""
        return await self.handler.offer_resume(self._build_message(msisdn, idempotency_key))

    async def end(self, msisdn: str) -> None:
        """Delete the conversation."""
        await self.handler.end(self._build_message(msisdn, ""))

    def _build_message(self, msisdn: str, idempotency_key: str) -> IncomingMessage:
        # The sender of an SMS can be forged, so its number is never verified.
        return IncomingMessage(idempotency_key, msisdn, CHANNEL, self.size_limit, caller_number_verified=False)


def build_reply_text(turn: Turn) -> str:
    """The text of the reply SMS; empty where the last step has sent an SMS that says the same."""
    return "" if turn.position.ended and turn.position.facts.get(SAID_BY_SMS_FACT) else turn.reply.text
