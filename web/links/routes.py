"""`/d/{token}`: opens a link from an SMS or an e-mail.

GET shows only a page with a button or a question, and POST opens the link: mail scanners and previews send GET requests, also
with the name of a browser. The link to the app has nothing personal behind it, and GET opens it.

A link that exists is never refused by a limit. Only requests for links that do not exist are counted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import structlog
from aiohttp import web

from core.http.security_headers import SECURITY_HEADERS
from core.http.webhooks import BadWebhookError, read_form
from core.logging import error_facts
from services.messaging.links import LinkPurpose, Links, LinkState, ResolvedLink, is_well_formed
from web.links.handset import Handset, detect_handset, is_preview_request
from web.links.metrics import LinkMetrics
from web.links.miss_limiter import WINDOW, AddressMissLimiter
from web.links.pages import LinkPages

LINK_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": SECURITY_HEADERS["Cache-Control"],  # a cached page would be shown without being counted
    "Referrer-Policy": SECURITY_HEADERS["Referrer-Policy"],  # the token is part of the URL
    "X-Content-Type-Options": SECURITY_HEADERS["X-Content-Type-Options"],
    "X-Robots-Tag": "noindex, nofollow",
}
"""The headers of every response to a link; an opener that streams its response sets them itself."""

_TOKEN: Final = re.compile("[0-9A-Za-z]+")

FormFields: TypeAlias = Mapping[str, str]

log = structlog.get_logger()


class LinkOpener(Protocol):
    """What is behind the links of one purpose; `subject` is that of the link. An exception is an internal error."""

    async def ask(self, request: web.Request, subject: str) -> web.StreamResponse | None:
        """The response to GET, which takes no use and shows nothing personal; None where GET opens the link."""

    async def check(self, request: web.Request, subject: str, fields: FormFields) -> web.StreamResponse | None:
        """The response to a POST that may not open the link; None for one that may. It takes no use."""

    async def open(self, request: web.Request, subject: str, fields: FormFields) -> web.StreamResponse:
        """The response that takes one use."""


def build_routes(
    links: Links,
    openers: Mapping[LinkPurpose, LinkOpener],
    *,
    pages: LinkPages,
    miss_limiter: AddressMissLimiter,
    metrics: LinkMetrics,
) -> list[web.RouteDef]:
    """The routes for all links; `openers` by purpose."""
    handler = _LinkHandler(links, openers, pages, miss_limiter, metrics)
    return [web.get("/d/{token:[^/]+}", handler.handle), web.post("/d/{token:[^/]+}", handler.handle)]


@dataclass(frozen=True, slots=True)
class _LinkHandler:
    """Opens valid links. A use is given back when the response fails."""

    links: Links
    openers: Mapping[LinkPurpose, LinkOpener]
    pages: LinkPages
    miss_limiter: AddressMissLimiter
    metrics: LinkMetrics

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            response = await self._respond(request)
        except Exception as error:  # noqa: BLE001 - the person must get a page whatever fails
            log.error("link_failed", **error_facts(error))
            response = self._retry_later(request, "failed", web.HTTPServiceUnavailable.status_code)
        if not response.prepared:
            response.headers.update(LINK_HEADERS)
        return response

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        token = find_token(request.match_info["token"])
        state, link = await self.links.find(token)  # reads only: a guess must not take the write lock
        if link is None:
            return await self._reject(request, token, state)
        if request.method == "HEAD" or is_preview_request(request.headers):
            self.metrics.record_preview()
            return self.pages.preview_page()
        opener, fields = self.openers[link.purpose], await _read_fields(request)
        rejection = (
            await opener.ask(request, link.subject)
            if request.method == "GET"
            else await opener.check(request, link.subject, fields)
        )
        if rejection is not None:
            return rejection
        if await self.links.resolve(token) is None:  # another request has just made the last use
            return await self._reject(request, token, "gone")
        return await self._open(request, token, link, fields)

    async def _open(
        self, request: web.Request, token: str, link: ResolvedLink, fields: FormFields
    ) -> web.StreamResponse:
        try:
            response = await self.openers[link.purpose].open(request, link.subject, fields)
        except Exception:
            await self.links.restore_use(token)
            raise
        if response.status >= web.HTTPInternalServerError.status_code:
            await self.links.restore_use(token)
            self.metrics.record_refusal("failed")
        else:
            self.metrics.record_open(link.purpose, detect_handset(request.headers))
        return response

    async def _reject(self, request: web.Request, token: str, state: LinkState) -> web.StreamResponse:
        if state == "unknown" and is_well_formed(token):
            if await self.miss_limiter.is_over_limit(request):
                return self._retry_later(request, "guessing", web.HTTPTooManyRequests.status_code)
            await self.miss_limiter.record_miss(request)
        self.metrics.record_refusal(state)
        return self.pages.gone_page(request)

    def _retry_later(self, request: web.Request, reason: str, status: int) -> web.StreamResponse:
        self.metrics.record_refusal(reason)
        return self.pages.retry_later_page(request, status, int(WINDOW.total_seconds()))


def find_token(text: str) -> str:
    """The token in what follows `/d/`: the first letters and digits, without the marks or the words of a sentence around them.

    Phones and mail programs take a full stop, a danda, a bracket or a quote behind an address for a part of it.
    """
    found = _TOKEN.search(text)
    return found[0] if found else ""


async def _read_fields(request: web.Request) -> FormFields:
    """The fields of the form; none for a body that cannot be read."""
    if request.method != "POST":
        return {}
    try:
        return await read_form(request)
    except BadWebhookError:
        return {}


@dataclass(frozen=True, slots=True)
class AppOpener:
    """Redirects each handset to its app store. The subject of an app link is the language of its SMS.

    `stores` has a URL for every handset except `apple`, which gets a page with both possible stores.
    """

    stores: Mapping[Handset, str]
    pages: LinkPages

    async def ask(self, _request: web.Request, _subject: str) -> web.StreamResponse | None:
        """None: nothing personal is behind this link."""
        return None

    async def check(self, _request: web.Request, _subject: str, _fields: FormFields) -> web.StreamResponse | None:
        """None: anybody may follow it."""
        return None

    async def open(self, request: web.Request, subject: str, _fields: FormFields) -> web.StreamResponse:
        """The redirect, or the page with both stores."""
        handset = detect_handset(request.headers)
        if handset == "apple":
            return self.pages.app_choice_page(subject, self.stores["ios"], self.stores["other"])
        return web.Response(status=web.HTTPFound.status_code, headers={"Location": self.stores[handset]})
