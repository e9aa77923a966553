"""The pages of one's own account: language, password, authenticator app, recovery codes, sign-ins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.staff.codes import build_enrolment_uri, generate_code_secret, is_code_secret
from services.staff.members import StaffMembers
from services.staff.models import PasswordOutcome
from services.staff.own_account import OwnAccount
from services.staff.passwords import MAX_LENGTH, MIN_LENGTH
from services.staff.sessions import StaffSessions
from web.console.account.qr_code import draw_qr_code
from web.console.forms.parsing import parse_id
from web.console.forms.state import NO_FORM, FormState
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.router import CODE_PATH, PASSWORD_PATH, set_session_cookie
from web.console.words import CONSOLE_LANGUAGES

PATH: Final = "/console/account"
LANGUAGE_PATH: Final = f"{PATH}/language"
RECOVERY_PATH: Final = f"{PATH}/recovery-codes"
SIGN_INS_PATH: Final = f"{PATH}/sign-ins"
UNPROCESSABLE: Final = web.HTTPUnprocessableEntity.status_code
SECRET_GROUP: Final = 4
FIELD_OF_PROBLEM: Final[Mapping[PasswordOutcome, str]] = {"wrong": "old", "locked": "old"}
"""The field that is wrong; the new password where none is named."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Shows and changes what is one's own."""

    members: StaffMembers
    account: OwnAccount
    sessions: StaffSessions

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show, "account.view"),
            ConsoleRoute("POST", LANGUAGE_PATH, self.change_language, "account.language"),
            ConsoleRoute("GET", PASSWORD_PATH, self.show_password, "account.password"),
            ConsoleRoute("POST", PASSWORD_PATH, self.change_password, "account.password"),
            ConsoleRoute("GET", CODE_PATH, self.show_enrolment, "account.code"),
            ConsoleRoute("POST", CODE_PATH, self.enrol_app, "account.code"),
            ConsoleRoute("POST", RECOVERY_PATH, self.renew_recovery_codes, "account.code"),
            ConsoleRoute("POST", f"{SIGN_INS_PATH}/end-others", self.end_others, "account.sign_ins"),
            ConsoleRoute("POST", f"{SIGN_INS_PATH}/{{sign_in:[0-9]+}}/end", self.end_one, "account.sign_ins"),
        )
        return ConsolePage("account", PATH, "account.view", routes)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """What is set, and the sign-ins that have not ended."""
        return request.render(
            "account/account.html",
            languages=CONSOLE_LANGUAGES,
            sign_ins=await self.sessions.list_own(request.member.id),
            this_sign_in=request.session.id,
            codes_left=await self.account.count_recovery_codes(request.member),
        )

    async def change_language(self, request: ConsoleRequest) -> web.StreamResponse:
        """Show the console in another language from now on.

        Raises:
            FormError: the console has no such language.
        """
        language = request.fields.get("language", "")
        if language not in CONSOLE_LANGUAGES:
            raise FormError(request.translate("account.language_wrong"), "language")
        await self.members.set_language(request.member.id, language)
        return request.redirect(PATH, "language")

    async def show_password(self, request: ConsoleRequest) -> web.StreamResponse:
        """The form for another password."""
        return _render_password(request, NO_FORM)

    async def change_password(self, request: ConsoleRequest) -> web.StreamResponse:
        """Replace the password; every other sign-in ends."""
        old, new, again = (request.fields.get(name, "") for name in ("old", "new", "again"))
        if new != again:
            return _render_password(request, _password_problem(request, "differ", "again"))
        change = await self.account.change_password(request.member, old, new, request.build_own_act())
        if change.outcome != "changed":
            field_name = FIELD_OF_PROBLEM.get(change.outcome, "new")
            return _render_password(request, _password_problem(request, change.outcome, field_name))
        return set_session_cookie(request.redirect(PATH, "password"), change.token)

    async def show_enrolment(self, request: ConsoleRequest) -> web.StreamResponse:
        """A fresh secret as a QR code and as text."""
        return _render_enrolment(request, generate_code_secret(), NO_FORM)

    async def enrol_app(self, request: ConsoleRequest) -> web.StreamResponse:
        """Enrol the app whose code is right, and show the recovery codes once; every other sign-in ends.

        Raises:
            FormError: the form is not the one that was shown.
        """
        secret, code = request.fields.get("secret", ""), request.fields.get("code", "")
        if not is_code_secret(secret):
            raise FormError(request.translate("account.secret_wrong"))
        enrolment = await self.account.enrol_app(request.member, secret, code, request.build_own_act())
        if enrolment is None:
            error = FormError(request.translate("account.code_wrong"), "code")
            return _render_enrolment(request, secret, FormState("code", {}, error))
        response = _render_recovery_codes(request, enrolment.recovery_codes, is_enrolled=True)
        return set_session_cookie(response, enrolment.token)

    async def renew_recovery_codes(self, request: ConsoleRequest) -> web.StreamResponse:
        """Show ten new recovery codes once.

        Raises:
            FormError: no app is enrolled, so there is nothing to recover.
        """
        if not request.member.has_code:
            raise FormError(request.translate("account.no_app"))
        codes = await self.account.renew_recovery_codes(request.member, request.build_own_act())
        return _render_recovery_codes(request, codes, is_enrolled=False)

    async def end_one(self, request: ConsoleRequest) -> web.StreamResponse:
        """End one of one's own sign-ins."""
        sign_in = parse_id(request.path_value("sign_in"))
        await self.account.end_sign_in(request.member, sign_in, request.build_own_act())
        return request.redirect(PATH, "ended")

    async def end_others(self, request: ConsoleRequest) -> web.StreamResponse:
        """End every sign-in but this one."""
        await self.account.end_other_sign_ins(request.member, request.session.id, request.build_own_act())
        return request.redirect(PATH, "ended")


def _password_problem(request: ConsoleRequest, problem: str, field_name: str) -> FormState:
    text = request.translate(f"account.password_problem.{problem}", least=MIN_LENGTH, most=MAX_LENGTH)
    return FormState("password", {}, FormError(text, field_name))


def _render_password(request: ConsoleRequest, form: FormState) -> web.Response:
    status = UNPROCESSABLE if form.error else web.HTTPOk.status_code
    return request.render("account/password.html", status, form=form, least=MIN_LENGTH, most=MAX_LENGTH)


def _render_enrolment(request: ConsoleRequest, secret: str, form: FormState) -> web.Response:
    return request.render(
        "account/code.html",
        UNPROCESSABLE if form.error else web.HTTPOk.status_code,
        form=form,
        secret=secret,
        groups=[secret[start : start + SECRET_GROUP] for start in range(0, len(secret), SECRET_GROUP)],
        qr_code=draw_qr_code(build_enrolment_uri(secret, request.member.login)),
    )


def _render_recovery_codes(request: ConsoleRequest, codes: Sequence[str], *, is_enrolled: bool) -> web.Response:
    return request.render("account/recovery_codes.html", codes=codes, is_enrolled=is_enrolled)
