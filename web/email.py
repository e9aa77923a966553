"""The page behind the link that verifies an e-mail address: it asks, and only a press of its button verifies.

Whatever guards a mailbox follows the links in its mail before a person does; none of it presses a button. So GET shows
and POST verifies.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Protocol, TypeAlias

import structlog
from aiohttp import web

from failures import told
from menus.words import Words, template
from services.emails import Email
from services.links import Links
from web.guesses import Guesses
from web.links import HEADERS
from web.plain_page import PlainPage, heading, said

LATER: Final = 600  # seconds to wait before it is tried again

log = structlog.get_logger()


class Refusals(Protocol):
    """The pages for a link that leads nowhere; see `web.link_pages.Pages`."""

    def gone(self, request: web.Request) -> web.Response:
        """It has expired, is used up, never was, or verifies an address that is nobody's any more."""

    def later(self, request: web.Request, status: int, seconds: int) -> web.Response:
        """Not now."""


Asked: TypeAlias = Callable[[str], Awaitable[Email | None]]
"""A link's subject, to the address it verifies; None when that is not the account's any more."""


@dataclass(frozen=True, slots=True)
class EmailPages:
    """Opens the links that verify addresses, and hears the button; `words` by language."""

    links: Links
    asked_about: Asked
    verify: Asked
    words: Mapping[str, Words]
    refusals: Refusals
    guesses: Guesses

    def routes(self) -> list[web.RouteDef]:
        """Where the button is heard: the link's own address."""
        return [web.post("/d/{token}", self.press)]

    async def open(self, request: web.Request, subject: str) -> web.StreamResponse:
        """What the link asks; its thanks where the button was pressed already."""
        email = await self.asked_about(subject)
        return self._page(email) if email else self.refusals.gone(request)

    async def press(self, request: web.Request) -> web.StreamResponse:
        """Verify, and thank."""
        try:
            answer = await self._pressed(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for a page
            log.error("an address could not be verified", **told(error))
            answer = self.refusals.later(request, web.HTTPServiceUnavailable.status_code, LATER)
        answer.headers.update(HEADERS)
        return answer

    async def _pressed(self, request: web.Request) -> web.Response:
        if await self.guesses.too_many(request):
            return self.refusals.later(request, web.HTTPTooManyRequests.status_code, LATER)
        followed = await self.links.follow(request.match_info["token"])
        email = await self.verify(followed.subject) if followed and followed.purpose == "email" else None
        if email is None:
            await self.guesses.count(request)
            return self.refusals.gone(request)
        log.info("an e-mail address was verified")
        return self._page(email)

    def _page(self, email: Email) -> web.Response:
        inside = f"{heading()}{''.join(_inside(email, self.words[email.language]))}"
        return PlainPage(inside, email.language, posts_to="self").response()


def _inside(email: Email, words: Words) -> Iterator[str]:
    def say(name: str) -> str:
        return words.say(template(words.common[name]), {"address": email.address})

    if email.verified:
        yield said(say("email_done"))
        return
    yield said(say("email_ask"))
    yield f'<form method="post"><button>{escape(say("email_yes"))}</button></form>'
