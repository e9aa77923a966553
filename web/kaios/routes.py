"""The routes of the page. Everything is shown at one address: GET shows where somebody is, POST changes that and redirects.

The token of the cookie says who it is. A form carries a keyed hash of it: the browser of KaiOS 2.5 sends neither
`Sec-Fetch-Site` nor `Origin`, and knows no `SameSite`.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any, Final, TypeAlias

import structlog
from aiohttp import web

from core.deadline import Deadline, running_until
from core.hop_metrics import HopCounts
from core.http.origins import is_cross_site
from core.http.server_protocol import arrival_time
from core.http.webhooks import BadWebhookError, read_form
from core.logging import error_facts
from core.rate_limit import REDIS_ERRORS
from core.timeouts import Timeout
from sessions.failures import explain_failure
from sessions.message_turns import Turn
from sessions.store import StoreUnavailableError
from web.kaios.browser_sessions import BrowserSession, BrowserSessions, create_id, create_token, was_signed_in
from web.kaios.conversation import KaiosConversations, read_post_id
from web.kaios.rendering import PAGE_PATH, KaiosRenderer, build_static_routes
from web.kaios.sign_in import KaiosSignIn, SignedIn

COOKIE: Final = "__Host-kaios"
IDLE_PATH: Final = "/kaios/idle"
OUT_PATH: Final = "/kaios/out"
UNPROCESSABLE: Final = 422
SECONDS: Final = 12.0
"""From the arrival of a post to its response: the mobile network is slow enough."""

OUTCOMES: Final = ("answered", "repeated", "refused", "failed", "shed")
"""Every outcome of a key press, as metrics count them."""

NoteLive: TypeAlias = Callable[[str, bool], None]
"""Told the id of a session after each key press, and whether it ended the session."""
Fields: TypeAlias = Mapping[str, str]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()
_match_post_id = re.compile(r"[0-9a-f]{16}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request: the token of its browser, the sign-in that the token opens, and the fields of a form."""

    http: web.Request
    token: str
    session: BrowserSession | None
    language: str
    fields: Fields

    @property
    def is_in(self) -> bool:
        """Whether somebody is signed in."""
        return self.session is not None and self.session.stage == "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class KaiosPage:
    """The page. `hops` counts key presses. `client_address` gives the address of a browser behind our proxies, "" where it is unknown."""

    sessions: BrowserSessions
    sign_in: KaiosSignIn
    conversations: KaiosConversations
    renderer: KaiosRenderer
    hops: HopCounts
    note_live: NoteLive
    keyed_hash: Callable[[str, str], str]
    client_address: Callable[[web.Request], str]
    default_language: str

    def build_routes(self) -> list[web.RouteDef]:
        """All routes."""
        shown = {PAGE_PATH: self.show, IDLE_PATH: self.ask_idle, OUT_PATH: self.show_out}
        posted = {
            "sign-in": self.begin_sign_in,
            "prove": self.complete_sign_in,
            "press": self.press,
            "stay": self.stay,
            "sign-out": self.sign_out,
        }
        return [
            *(web.get(path, self._build_handler(handler)) for path, handler in shown.items()),
            *(web.post(f"{PAGE_PATH}/{name}", self._build_handler(handler)) for name, handler in posted.items()),
            *build_static_routes(),
        ]

    async def show(self, request: PageRequest) -> web.Response:
        """Where the browser is: at the number, at the code or PIN, or in the menus."""
        if request.session is None:
            return self._ask_number(request, "over" if was_signed_in(request.token) else "")
        if not request.is_in:
            return self._ask_proof(request, request.session)
        turn = await self.conversations.find_turn(request.session)
        return self._show_turn(request, request.session, turn) if turn else await self._end(request)

    async def show_out(self, request: PageRequest) -> web.Response:
        """The page after somebody has signed out."""
        return self._render(request, "out.html")

    async def ask_idle(self, request: PageRequest) -> web.Response:
        """The question whether somebody is still there, for browsers without scripts; it is no key press."""
        if not request.is_in or request.session is None:
            return _redirect()
        seconds = max(1, ceil(self.sessions.left(request.session).total_seconds()))
        return self._render(request, "idle.html", seconds=min(seconds, self.renderer.answer_seconds))

    async def begin_sign_in(self, request: PageRequest) -> web.Response:
        """Take a number, and send a code or ask for the PIN."""
        typed, way = request.fields.get("number", ""), "pin" if request.fields.get("way") == "pin" else "code"
        begun = await self.sign_in.begin(
            typed, "pin" if way == "pin" else "code", request.language, self.client_address(request.http)
        )
        if not isinstance(begun, BrowserSession):
            return self._ask_number(request, begun, typed, status=UNPROCESSABLE)
        return _redirect(await self.sessions.open(request.token, begun))

    async def complete_sign_in(self, request: PageRequest) -> web.Response:
        """Take a code or a PIN."""
        if request.session is None or request.is_in:
            return _redirect()
        if "other" in request.fields:
            await self.sessions.end(request.token)
            return _redirect(create_token())
        result = await self.sign_in.prove(
            request.session, request.fields.get("secret", ""), self.client_address(request.http)
        )
        if isinstance(result, SignedIn):
            await self.conversations.begin(result.session, result.facts)
            return _redirect(await self.sessions.open(request.token, result.session))
        if result == "code_gone":
            await self.sessions.end(request.token)
            return self._ask_number(request, result, status=UNPROCESSABLE)
        return self._ask_proof(request, request.session, result, status=UNPROCESSABLE)

    async def press(self, request: PageRequest) -> web.Response:
        """Take a key or an answer. A post that is repeated, or is about another page than the newest, does nothing."""
        if request.session is None or not request.is_in:
            return _redirect()
        await self.sessions.touch(request.token, request.session)
        post, follows = request.fields.get("post", ""), request.fields.get("turn", "")
        text = request.fields.get("key") or request.fields.get("text", "")
        if not _match_post_id(post) or not _match_post_id(follows) or not text.strip():
            self._count(request, "refused")
            return _redirect()
        turn = await self._take(request.session, post, follows, text)
        if turn is None:
            return await self._end(request)
        self._count(request, "answered" if read_post_id(turn) == post else "repeated")
        self.note_live(request.session.id, turn.reply.ends)
        return _redirect()

    async def stay(self, request: PageRequest) -> web.Response:
        """Note that somebody is still there."""
        if request.session is not None and request.is_in:
            await self.sessions.touch(request.token, request.session)
        return _redirect()

    async def sign_out(self, request: PageRequest) -> web.Response:
        """End the sign-in, and have the browser forget what it keeps."""
        if request.session is not None:
            await self.conversations.end(request.session)
            await self.sessions.end(request.token)
            self.note_live(request.session.id, True)
        response = _redirect(path=f"{OUT_PATH}?lang={request.language}")
        response.set_cookie(COOKIE, "", path="/", secure=True, httponly=True, samesite="Strict", max_age=0)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def _take(self, session: BrowserSession, post: str, follows: str, text: str) -> Turn | None:
        turn = await self.conversations.take_input(session, post, follows, text)
        if turn is not None:
            return turn
        last = await self.conversations.find_turn(session)
        if last is None:
            return None
        return await self.conversations.go_home(session, post, follows, last.position.language)

    async def _end(self, request: PageRequest) -> web.Response:
        """The conversation was lost: nobody can know what was open in it."""
        await self.sessions.end(request.token)
        return _redirect()

    def _build_handler(self, handler: Callable[[PageRequest], Awaitable[web.Response]]) -> Handler:
        async def handle(http: web.Request) -> web.StreamResponse:
            deadline = Deadline(arrival_time(http), SECONDS)
            request = PageRequest(http, http.cookies.get(COOKIE, ""), None, self._find_language(http, {}), {})
            with running_until(deadline):
                try:
                    async with Timeout(max(0.0, deadline.answer_by - monotonic())):
                        return await self._run(handler, request)
                except (StoreUnavailableError, *REDIS_ERRORS) as error:
                    log.warning("kaios_store_unavailable", **error_facts(error))
                    return self._show_failure(request, "unavailable", "failed")
                except Exception as error:  # noqa: BLE001 - whatever fails, somebody waits for a page
                    failure = explain_failure(error, "kaios")
                    key = "unavailable" if failure.text_key == "sorry" else failure.text_key
                    return self._show_failure(request, key, failure.handled_as)

        return handle

    async def _run(
        self, handler: Callable[[PageRequest], Awaitable[web.Response]], request: PageRequest
    ) -> web.Response:
        http, fields = request.http, request.fields
        if http.method == "POST":
            try:
                fields = await read_form(http)
            except BadWebhookError as error:
                return self._ask_number(request, "expired", status=error.status)
        session = await self.sessions.find(request.token)
        language = session.language if session else self._find_language(http, fields)
        request = PageRequest(http, request.token, session, language, fields)
        if http.method == "POST" and not self._is_own_form(request):
            return (
                self._ask_number(request, "expired", status=web.HTTPForbidden.status_code)
                if session is None
                else _redirect()
            )
        return await handler(request)

    def _is_own_form(self, request: PageRequest) -> bool:
        """Whether a page that we rendered for this browser sent the form."""
        given = request.fields.get("form", "").encode("utf-8", "surrogatepass")
        is_ours = hmac.compare_digest(given, self._form_key(request.token).encode())
        return bool(request.token) and is_ours and not is_cross_site(request.http)

    def _form_key(self, token: str) -> str:
        return self.keyed_hash("kaios form", token)

    def _find_language(self, http: web.Request, fields: Fields) -> str:
        """The language that was chosen on the page, else the first one of the browser that is offered."""
        accepted = [one.strip()[:2].lower() for one in http.headers.get("Accept-Language", "").split(",")]
        wanted = [fields.get("lang", ""), http.query.get("lang", ""), *accepted]
        return next((one for one in wanted if one in self.renderer.offered), self.default_language)

    def _ask_number(self, request: PageRequest, note: str = "", number: str = "", *, status: int = 200) -> web.Response:
        """The first page; a browser without a token that opens nothing gets one."""
        token = (
            create_token() if request.session or was_signed_in(request.token) or not request.token else request.token
        )
        response = self._render(request, "number.html", token, note=note, number=number, status=status)
        if token != request.token:
            _set_token(response, token)
        return response

    def _ask_proof(
        self, request: PageRequest, session: BrowserSession, note: str = "", *, status: int = 200
    ) -> web.Response:
        return self._render(request, "proof.html", note=note, stage=session.stage, number=session.msisdn, status=status)

    def _show_turn(self, request: PageRequest, session: BrowserSession, turn: Turn) -> web.Response:
        view = self.conversations.build_view(turn)
        left = ceil(self.sessions.left(session).total_seconds()) - self.renderer.answer_seconds
        return self.renderer.render(
            "screen.html",
            view.language,
            view=view,
            turn=read_post_id(turn),
            post=create_id(),
            form=self._form_key(request.token),
            idle=max(1, left),
        )

    def _count(self, request: PageRequest, outcome: str) -> None:
        self.hops.record(outcome, monotonic() - arrival_time(request.http))

    def _show_failure(self, request: PageRequest, key: str, outcome: str) -> web.Response:
        self._count(request, outcome)
        return self._render(request, "failure.html", key=key, status=web.HTTPServiceUnavailable.status_code)

    def _render(
        self, request: PageRequest, template: str, cookie: str = "", *, status: int = 200, **facts: Any
    ) -> web.Response:
        form = self._form_key(cookie or request.token)
        return self.renderer.render(template, request.language, status=status, form=form, **facts)


def _redirect(cookie: str = "", *, path: str = PAGE_PATH) -> web.Response:
    response = web.Response(
        status=web.HTTPSeeOther.status_code, headers={"Location": path, "Cache-Control": "no-store"}
    )
    if cookie:
        _set_token(response, cookie)
    return response


def _set_token(response: web.Response, token: str) -> None:
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Strict")
