"""The page on which staff sign in, and the button with which they sign out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from core.http.webhooks import BadWebhookError, read_form
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute
from web.console.router import (
    CONSOLE_PATH,
    COOKIE,
    SIGN_IN_PATH,
    ConsoleAccess,
    find_session,
    is_own_page,
    pick_language,
)
from web.console.words import CONSOLE_LANGUAGES, build_translate

SIGN_OUT_PATH: Final = "/console/sign-out"
UNAUTHORIZED: Final = web.HTTPUnauthorized.status_code


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form, and what it does. Nobody is signed in yet, so it stands beside the router's checks and has its own."""

    access: ConsoleAccess

    def build_routes(self) -> list[web.RouteDef]:
        """The routes of the form."""
        return [web.get(SIGN_IN_PATH, self.show), web.post(SIGN_IN_PATH, self.sign_in)]

    def build_page(self) -> ConsolePage:
        """The page of the one button for those who are signed in."""
        route = ConsoleRoute("POST", SIGN_OUT_PATH, self.sign_out, "sign_out")
        return ConsolePage("sign_in", SIGN_IN_PATH, "sign_out", (route,), in_menu=False)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The form."""
        return self._render(request)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Sign in, with a new token; a former sign-in of the same browser ends."""
        if not is_own_page(request):
            return self._render(request, "other_site", web.HTTPForbidden.status_code)
        try:
            fields = await read_form(request)
        except BadWebhookError as error:
            return self._render(request, "wrong", error.status)
        result = await self.access.sign_in.sign_in(
            fields.get("login", "").strip().casefold(), fields.get("password", "")
        )
        if result.outcome != "signed_in":
            return self._render(request, result.outcome, UNAUTHORIZED, fields)
        if former := await find_session(self.access, request):
            await self.access.sessions.end(former.id)
        response = web.Response(
            status=web.HTTPSeeOther.status_code, headers={"Location": _check_next(fields.get("next", ""))}
        )
        response.set_cookie(COOKIE, result.token, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    async def sign_out(self, request: ConsoleRequest) -> web.StreamResponse:
        """End this sign-in."""
        await self.access.sessions.end(request.session.id)
        response = web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": SIGN_IN_PATH})
        response.set_cookie(COOKIE, "", path="/", secure=True, httponly=True, samesite="Lax", max_age=0)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def _render(
        self, request: web.Request, problem: str = "", status: int = 200, fields: Mapping[str, str] | None = None
    ) -> web.Response:
        language = _find_language(request)
        return self.access.renderer.render(
            "console/sign_in/sign_in.html",
            status=status,
            language=language,
            languages=CONSOLE_LANGUAGES,
            t=build_translate(language, self.access.locales[language]),
            problem=problem,
            login=(fields or {}).get("login", ""),
            next=_check_next((fields or request.query).get("next", "")),
        )


def _check_next(path: str) -> str:
    """The path to go on to: one of the console, or its start."""
    is_ours = path.startswith(f"{CONSOLE_PATH}/") and path.isascii() and path.isprintable() and "\\" not in path
    return path if is_ours and "//" not in path else CONSOLE_PATH


def _find_language(request: web.Request) -> str:
    """The language that the page was asked for in, else the first that the browser accepts."""
    accepted = [one.strip()[:2].lower() for one in request.headers.get("Accept-Language", "").split(",")]
    wanted = [request.query.get("lang", ""), *accepted]
    return pick_language(next((one for one in wanted if one in CONSOLE_LANGUAGES), ""))
