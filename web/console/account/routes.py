"""The page of one's own account."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.words import CONSOLE_LANGUAGES

PATH: Final = "/console/account"
LANGUAGE_PATH: Final = "/console/account/language"


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Shows and changes what is one's own. `set_language` takes the id of a member and a language."""

    set_language: Callable[[int, str], Awaitable[None]]

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show, "account.view"),
            ConsoleRoute("POST", LANGUAGE_PATH, self.change_language, "account.language"),
        )
        return ConsolePage("account", PATH, "account.view", routes)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """The page."""
        return request.render("account/account.html", languages=CONSOLE_LANGUAGES)

    async def change_language(self, request: ConsoleRequest) -> web.StreamResponse:
        """Show the console in another language from now on.

        Raises:
            FormError: the console has no such language.
        """
        language = request.fields.get("language", "")
        if language not in CONSOLE_LANGUAGES:
            raise FormError(request.translate("account.language_wrong"), "language")
        await self.set_language(request.member.id, language)
        return request.redirect(PATH, "language")
