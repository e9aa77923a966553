"""What follows a link out of an SMS: `GET /d/{token}`, counted, throttled, and never used up by a robot that looks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog
from aiohttp import web

from failures import told
from services.links import Followed, Links, Purpose, State, well_formed
from web.guesses import WITHIN, Guesses
from web.handset import Handset, handset_of, looks_only
from web.link_pages import Pages
from web.opens import Opens

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",  # or it would be opened again without being counted
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
"""What every answer to a link says; an opener that streams its answer puts them on itself."""

Opener: TypeAlias = Callable[[web.Request, str], Awaitable[web.StreamResponse]]
"""Returns what a link leads to, given the request and the link's subject; what it raises is a failure of ours."""

log = structlog.get_logger()


def routes(
    links: Links, openers: Mapping[Purpose, Opener], *, pages: Pages, guesses: Guesses, opens: Opens
) -> list[web.RouteDef]:
    """The route, over all links; each purpose has its opener."""
    return [web.get("/d/{token:[^/]+}", _Door(links, openers, pages, guesses, opens).follow)]


@dataclass(frozen=True, slots=True)
class _Door:
    """Lets in who has a link that works; a use is put back when what it led to cannot be shown."""

    links: Links
    openers: Mapping[Purpose, Opener]
    pages: Pages
    guesses: Guesses
    opens: Opens

    async def follow(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for a page
            log.error("a link could not be opened", **told(error))
            answer = self._later(request, "failed", web.HTTPServiceUnavailable.status_code)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        if well_formed(token) and await self.guesses.too_many(request):
            return self._later(request, "guessing", web.HTTPTooManyRequests.status_code)
        state = await self.links.state(token)  # a guess is only read about: writers are few
        if state != "open":
            return await self._refused(request, token, state)
        if request.method == "HEAD" or looks_only(request.headers):
            self.opens.looked_at()
            return self.pages.nothing_to_see()
        followed = await self.links.follow(token)
        if followed is None:  # somebody else has just made the last use of it
            return await self._refused(request, token, "gone")
        return await self._opened(request, token, followed)

    async def _opened(self, request: web.Request, token: str, followed: Followed) -> web.StreamResponse:
        try:
            answer = await self.openers[followed.purpose](request, followed.subject)
        except Exception:
            await self.links.give_back(token)
            raise
        if answer.status >= web.HTTPInternalServerError.status_code:
            await self.links.give_back(token)
            self.opens.refused("failed")
        else:
            self.opens.opened(followed.purpose, handset_of(request.headers))
        return answer

    async def _refused(self, request: web.Request, token: str, state: State) -> web.StreamResponse:
        if state == "unknown" and well_formed(token):
            await self.guesses.count(request)
        self.opens.refused(state)
        return self.pages.gone(request)

    def _later(self, request: web.Request, why: str, status: int) -> web.StreamResponse:
        self.opens.refused(why)
        return self.pages.later(request, status, int(WITHIN.total_seconds()))


def app_opener(stores: Mapping[Handset, str], pages: Pages) -> Opener:
    """Sends each handset to its own store; the subject of an app link is the language it was sent in.

    `stores` has an address for every kind but `apple`, which is shown both of those that it may want.
    """

    async def open_app(request: web.Request, language: str) -> web.StreamResponse:
        handset = handset_of(request.headers)
        if handset == "apple":
            return pages.which(language, stores["ios"], stores["other"])
        return web.Response(status=web.HTTPFound.status_code, headers={"Location": stores[handset]})

    return open_app
