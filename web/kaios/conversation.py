"""The conversation of a browser that is signed in: a post is an input, and what it leads to is a page."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from core.types import CHANNEL_KAIOS
from core.verified_caller import unverified_caller
from services.citizens.models import LanguageChoice
from sessions.message_turns import ConversationHandler, IncomingMessage, Turn
from web.kaios.browser_sessions import BrowserSession, create_id
from web.kaios.page_limit import PageLimit
from web.kaios.view import PageView, build_page_view

LANGUAGE_SCREEN: Final = "languages"

FindLanguage = Callable[[str], Awaitable[LanguageChoice | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KaiosConversations:
    """The conversations of all browsers. `find_language` returns the language that a number has chosen, or None."""

    handler: ConversationHandler
    limit: PageLimit
    find_language: FindLanguage

    async def begin(self, session: BrowserSession, facts: Mapping[str, Any]) -> Turn:
        """The first turn after the sign-in: whoever has not chosen a language yet is asked for it.

        Raises:
            ConcurrentUpdateError: other posts of the browser were saved first, each time.
            StoreUnavailableError: the store is down.
        """
        message = self._build_message(session, create_id())
        with _verifying(session):
            choice = await self.find_language(session.msisdn)
            screen = self.handler.menu.home if choice else LANGUAGE_SCREEN
            return await self.handler.begin(message, screen, choice.language if choice else session.language, facts)

    async def find_turn(self, session: BrowserSession) -> Turn | None:
        """The newest turn; None where there is none.

        Raises:
            StoreUnavailableError: the store is down.
        """
        return await self.handler.find_turn(self._build_message(session, ""))

    async def take_input(self, session: BrowserSession, post: str, follows: str, text: str) -> Turn | None:
        """The turn after a post, which answers the page `follows`; the newest turn where that is another page.

        None where there is no conversation, or where it has ended.

        Raises:
            ConcurrentUpdateError: other posts of the browser were saved first, each time.
            StoreUnavailableError: the store is down.
        """
        message = self._build_message(session, post, follows)
        with _verifying(session):
            return await self.handler.handle_input(message, text)

    async def go_home(self, session: BrowserSession, post: str, follows: str, language: str) -> Turn:
        """The turn at the main menu, after the last page of a conversation.

        Raises:
            ConcurrentUpdateError: other posts of the browser were saved first, each time.
            StoreUnavailableError: the store is down.
        """
        message = self._build_message(session, post, follows)
        with _verifying(session):
            return await self.handler.enter(message, self.handler.menu.home, language)

    async def end(self, session: BrowserSession) -> None:
        """Delete the conversation.

        Raises:
            StoreUnavailableError: the store is down.
        """
        await self.handler.end(self._build_message(session, ""))

    def build_view(self, turn: Turn) -> PageView:
        """What the page of a turn shows."""
        locale = self.handler.renderer.locale_for(turn.position.language, self.limit)
        return build_page_view(self.handler.menu, turn, locale)

    def _build_message(self, session: BrowserSession, post: str, follows: str = "") -> IncomingMessage:
        return IncomingMessage(
            _name_message(session, post),
            session.msisdn,
            CHANNEL_KAIOS,
            self.limit,
            session.has_phone,
            conversation=session.id,
            follows=_name_message(session, follows) if follows else "",
        )


def _verifying(session: BrowserSession) -> AbstractContextManager[None]:
    """The context of what is done for a browser: its number is verified by a code alone."""
    return nullcontext() if session.has_phone else unverified_caller()


def read_post_id(turn: Turn) -> str:
    """The id of the post that led to a turn."""
    return turn.message_id.rpartition("/")[2]


def _name_message(session: BrowserSession, post: str) -> str:
    return f"{CHANNEL_KAIOS}/{session.id}/{post}"
