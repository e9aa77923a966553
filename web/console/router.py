"""Serve the pages of the console: who is signed in, whether they may, whether their own browser page asked, by what proof."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeAlias
from urllib.parse import urlencode

import structlog
from aiohttp import web

from core.http.origins import is_cross_site
from core.http.webhooks import BadWebhookError, read_form
from core.logging import error_facts
from core.types import UtcClock, utc_now
from menus.rendering.localization import Locale
from services.staff.models import Member, StaffSession
from services.staff.sessions import StaffSessions
from services.staff.sign_in import StaffSignIn
from web.console.access import ACTIONS, CODE_PROOFS, is_allowed
from web.console.rendering import STATIC_FILES, ConsoleRenderer, MenuEntry
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.uploads import read_upload
from web.console.words import CONSOLE_LANGUAGES, build_translate

CONSOLE_PATH: Final = "/console"
SIGN_IN_PATH: Final = "/console/sign-in"
PASSWORD_PATH: Final = "/console/account/password"  # noqa: S105 - an address
CODE_PATH: Final = "/console/account/code"
COOKIE: Final = "__Host-console"
PROOF_LIFETIME: Final = timedelta(minutes=10)
"""How long a code that was given counts for what asks for one."""
OWN_ACTIONS: Final = frozenset({"account.password", "account.code", "account.language", "sign_out"})
"""What may be done before the password is one's own, or the app is enrolled where everybody needs it."""
RETRY_AFTER: Final = "10"
"""Seconds after which a browser may ask again."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleAccess:
    """The services that find out who asks.

    `needs_two_steps`: everybody must enrol an authenticator app. `find_address` returns the network of the client of a request,
    for the limit of failures.
    """

    sessions: StaffSessions
    sign_in: StaffSignIn
    locales: Mapping[str, Locale]
    renderer: ConsoleRenderer
    needs_two_steps: bool
    find_address: Callable[[web.Request], str]
    clock: UtcClock = utc_now


def build_routes(access: ConsoleAccess, pages: Sequence[ConsolePage]) -> list[web.RouteDef]:
    """The routes of all pages, of `/console`, which leads to the first page, and of the static files."""
    access.renderer.menu = tuple(MenuEntry(page.name, page.path, page.view) for page in pages if page.in_menu)
    routes = [
        web.route(route.method, route.path, answer_failures(access, _guard(access, page, route)))
        for page in pages
        for route in page.routes
    ]
    start = web.get(CONSOLE_PATH, answer_failures(access, _build_start_handler(access)))
    return [start, *routes, *STATIC_FILES.build_routes(), _build_missing_route(access)]


def answer_failures(access: ConsoleAccess, handler: Handler) -> Handler:
    """The handler, which answers with a page whatever fails, also where nobody knows who asks: the database may be down."""

    async def handle(http: web.Request) -> web.StreamResponse:
        try:
            return await handler(http)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - whoever asks must get a page
            log.error("console_unavailable", **error_facts(error))
            language = find_browser_language(http)
            translate = build_translate(language, access.locales[language])
            status = web.HTTPServiceUnavailable.status_code
            response = access.renderer.render("console/unavailable.html", status=status, language=language, t=translate)
            response.headers["Retry-After"] = RETRY_AFTER
            return response

    return handle


def find_browser_language(http: web.Request, wanted: str = "") -> str:
    """The language `wanted`, if the console has it, else the first that the browser accepts."""
    accepted = [one.strip()[:2].lower() for one in http.headers.get("Accept-Language", "").split(",")]
    return pick_language(next((one for one in (wanted, *accepted) if one in CONSOLE_LANGUAGES), ""))


async def find_session(access: ConsoleAccess, request: web.Request) -> StaffSession | None:
    """The sign-in whose token is in the cookie of the request; None where nobody is signed in."""
    token = request.cookies.get(COOKIE, "")
    return await access.sessions.find(token) if token else None


def set_session_cookie(response: web.Response, token: str) -> web.Response:
    """The response, which gives the browser the token of a sign-in; an empty one removes the cookie."""
    lifetime = None if token else 0
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Lax", max_age=lifetime)
    return response


def is_own_page(request: web.Request) -> bool:
    """Whether a page of our own sent this request: the browser says so, in `Sec-Fetch-Site` or in `Origin`."""
    names_its_page = "Sec-Fetch-Site" in request.headers or "Origin" in request.headers
    return names_its_page and not is_cross_site(request)


def pick_language(language: str) -> str:
    """The language of the console for somebody with this language."""
    return language if language in CONSOLE_LANGUAGES else CONSOLE_LANGUAGES[0]


def find_first_page(menu: Sequence[MenuEntry], member: Member) -> str:
    """The path of the first page that the member may see."""
    return next((one.path for one in menu if is_allowed(member.role, one.view)), PASSWORD_PATH)


def _build_start_handler(access: ConsoleAccess) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        session = await find_session(access, request)
        path = find_first_page(access.renderer.menu, session.member) if session else SIGN_IN_PATH
        return _redirect(path)

    return handle


def _build_missing_route(access: ConsoleAccess) -> web.RouteDef:
    """The route of every address that no page has. It comes last."""

    async def handle(_: ConsoleRequest) -> web.StreamResponse:
        raise web.HTTPNotFound

    route = ConsoleRoute("GET", f"{CONSOLE_PATH}/{{missing:.*}}", handle, "account.view")
    page = ConsolePage("missing", CONSOLE_PATH, route.action, (route,), in_menu=False)
    return web.route(route.method, route.path, _guard(access, page, route))


def _guard(access: ConsoleAccess, page: ConsolePage, route: ConsoleRoute) -> Handler:
    """The handler of a route behind every check."""

    async def handle(http: web.Request) -> web.StreamResponse:
        session = await find_session(access, http)
        if session is None:
            return _ask_to_sign_in(http)
        request = _build_request(access, page, http, session)
        if refusal := _find_refusal(access, request, route):
            return refusal
        if http.method in SAFE_METHODS:
            return await _run(route, request)
        try:
            fields, file = await read_upload(http) if route.takes_file else (await read_form(http), b"")
        except BadWebhookError as error:
            return _refuse(request, "too_long", error.status)
        request = replace(request, fields=fields, file=file)
        question = await _ask_for_proof(access, request) if ACTIONS[route.action].proof in CODE_PROOFS else None
        return question or await _run(route, request)

    return handle


def _find_refusal(access: ConsoleAccess, request: ConsoleRequest, route: ConsoleRoute) -> web.StreamResponse | None:
    """The response to a request that may not reach its route; None for one that may. The body is not read yet."""
    if not request.may(route.action):
        return _refuse(request, "not_allowed", web.HTTPForbidden.status_code)
    if (path := _find_required_step(access, request.member)) and route.action not in OWN_ACTIONS:
        return _redirect(path)
    if request.http.method not in SAFE_METHODS and not is_own_page(request.http):
        return _refuse(request, "other_site", web.HTTPForbidden.status_code)
    return None


async def _run(route: ConsoleRoute, request: ConsoleRequest) -> web.StreamResponse:
    try:
        return await route.handler(request)
    except FormError as error:
        facts = {"text": error.text, "fields": request.fields}
        return request.render("form_error.html", web.HTTPUnprocessableEntity.status_code, **facts)
    except web.HTTPException as error:
        if error.status == web.HTTPNotFound.status_code:
            return _refuse(request, "not_found", error.status)
        raise
    except Exception as error:  # noqa: BLE001 - the member must get a page whatever fails
        log.error("console_page_failed", route=route.path, **error_facts(error))
        return _refuse(request, "failed", web.HTTPInternalServerError.status_code)


async def _ask_for_proof(access: ConsoleAccess, request: ConsoleRequest) -> web.StreamResponse | None:
    """The page that asks for a code, or for the password where no app is enrolled; None where one was given just now."""
    session = request.session
    if access.clock() - session.proved_at < PROOF_LIFETIME:
        return None
    proof, problem = request.fields.get("proof", ""), ""
    if proof:
        outcome = await access.sign_in.check_proof(session.member.id, proof)
        if outcome == "right":
            await access.sessions.mark_proved(session.id)
            return None
        problem = outcome
    fields = {name: value for name, value in request.fields.items() if name != "proof"}
    return request.render("proof.html", web.HTTPForbidden.status_code, fields=fields, problem=problem)


def _build_request(
    access: ConsoleAccess, page: ConsolePage, http: web.Request, session: StaffSession
) -> ConsoleRequest:
    language = pick_language(session.member.language)
    translate = build_translate(language, access.locales[language])
    return ConsoleRequest(http, session, translate, access.renderer, page.name)


def _find_required_step(access: ConsoleAccess, member: Member) -> str:
    """The page that comes before all others; empty where there is none."""
    if not member.password_chosen:
        return PASSWORD_PATH
    return CODE_PATH if access.needs_two_steps and not member.has_code else ""


def _refuse(request: ConsoleRequest, reason: str, status: int) -> web.Response:
    return request.render("error.html", status, reason=reason)


def _ask_to_sign_in(http: web.Request) -> web.Response:
    path = http.path if http.method in SAFE_METHODS else CONSOLE_PATH
    address = f"{SIGN_IN_PATH}?{urlencode({'next': path})}"
    if http.headers.get("HX-Request") == "true":
        return web.Response(status=web.HTTPUnauthorized.status_code, headers={"HX-Redirect": address})
    return _redirect(address)


def _redirect(path: str) -> web.Response:
    return web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": path})
