"""The pages on which staff sign in, with a password and then a code, and the button with which they sign out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from core.http.webhooks import BadWebhookError, read_form
from services.staff.sign_in import SignInResult
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute
from web.console.router import (
    CONSOLE_PATH,
    SIGN_IN_PATH,
    ConsoleAccess,
    answer_failures,
    find_browser_language,
    find_session,
    is_own_page,
    set_session_cookie,
)
from web.console.words import CONSOLE_LANGUAGES, build_translate

SIGN_IN_CODE_PATH: Final = "/console/sign-in/code"
SIGN_OUT_PATH: Final = "/console/sign-out"
OK: Final = web.HTTPOk.status_code
STATUSES: Final[Mapping[str, int]] = {"limited": web.HTTPTooManyRequests.status_code}
"""By the outcome of an attempt that failed; 401 for every other."""


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The forms, and what they do. Nobody is signed in yet, so they stand beside the router's checks and have their own."""

    access: ConsoleAccess

    def build_routes(self) -> list[web.RouteDef]:
        """The routes of the forms."""
        handlers = (
            ("GET", SIGN_IN_PATH, self.show),
            ("POST", SIGN_IN_PATH, self.sign_in),
            ("GET", SIGN_IN_CODE_PATH, self.show),
            ("POST", SIGN_IN_CODE_PATH, self.sign_in_with_code),
        )
        return [web.route(method, path, answer_failures(self.access, handler)) for method, path, handler in handlers]

    def build_page(self) -> ConsolePage:
        """The page of the one button for those who are signed in."""
        route = ConsoleRoute("POST", SIGN_OUT_PATH, self.sign_out, "sign_out")
        return ConsolePage("sign_in", SIGN_IN_PATH, "sign_out", (route,), in_menu=False)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The form for login and password."""
        return self._render(request, request.query)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Take login and password: sign in, or show the form for the code."""
        fields, refusal = await self._read_fields(request)
        if refusal:
            return refusal
        login, password = fields.get("login", "").strip().casefold(), fields.get("password", "")
        result = await self.access.sign_in.sign_in(login, password, self.access.find_address(request))
        if result.outcome == "code_needed":
            return self._render_code(request, fields, result.ticket)
        return await self._finish(request, fields, result)

    async def sign_in_with_code(self, request: web.Request) -> web.StreamResponse:
        """Take the code, or a recovery code, and sign in."""
        fields, refusal = await self._read_fields(request)
        if refusal:
            return refusal
        ticket, address = fields.get("ticket", ""), self.access.find_address(request)
        result = await self.access.sign_in.sign_in_with_code(ticket, fields.get("code", ""), address)
        if result.outcome == "wrong_code":
            return self._render_code(request, fields, ticket, result.outcome)
        return await self._finish(request, fields, result)

    async def sign_out(self, request: ConsoleRequest) -> web.StreamResponse:
        """End this sign-in."""
        await self.access.sessions.end(request.session.id)
        response = web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": SIGN_IN_PATH})
        response.headers["Clear-Site-Data"] = '"cache"'
        return set_session_cookie(response, "")

    async def _read_fields(self, request: web.Request) -> tuple[Mapping[str, str], web.Response | None]:
        """What was typed, or the response to a form that another site sent or that cannot be read."""
        if not is_own_page(request):
            return {}, self._render(request, {}, "other_site", web.HTTPForbidden.status_code)
        try:
            return await read_form(request), None
        except BadWebhookError as error:
            return {}, self._render(request, {}, "wrong", error.status)

    async def _finish(self, request: web.Request, fields: Mapping[str, str], result: SignInResult) -> web.Response:
        """Begin with a new token, and end a former sign-in of the same browser; or show the first form again."""
        if result.outcome != "signed_in":
            status = STATUSES.get(result.outcome, web.HTTPUnauthorized.status_code)
            return self._render(request, fields, result.outcome, status)
        if former := await find_session(self.access, request):
            await self.access.sessions.end(former.id)
        path = _check_next(fields.get("next", ""))
        response = web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": path})
        return set_session_cookie(response, result.token)

    def _render(
        self, request: web.Request, fields: Mapping[str, str], problem: str = "", status: int = OK
    ) -> web.Response:
        return self._render_page(
            request, fields, "sign_in.html", status, problem=problem, login=fields.get("login", "")
        )

    def _render_code(
        self, request: web.Request, fields: Mapping[str, str], ticket: str, problem: str = ""
    ) -> web.Response:
        status = web.HTTPUnauthorized.status_code if problem else OK
        return self._render_page(request, fields, "code.html", status, problem=problem, ticket=ticket)

    def _render_page(
        self, request: web.Request, fields: Mapping[str, str], template: str, status: int, **facts: Any
    ) -> web.Response:
        language = find_browser_language(request, fields.get("lang", ""))
        translate = build_translate(language, self.access.locales[language])
        return self.access.renderer.render(
            f"console/sign_in/{template}",
            status=status,
            language=language,
            languages=CONSOLE_LANGUAGES,
            t=translate,
            next=_check_next(fields.get("next", "")),
            **facts,
        )


def _check_next(path: str) -> str:
    """The path to go on to: one of the console, or its start."""
    is_ours = path.startswith(f"{CONSOLE_PATH}/") and path.isascii() and path.isprintable() and "\\" not in path
    return path if is_ours and "//" not in path else CONSOLE_PATH
