"""Members of staff: list, add, change role, disable and enable, reset password and app, end sign-ins."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from core.types import UtcClock, utc_now
from services.audit.staff_acts import StaffAct
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation
from services.staff.member_changes import StaffChanges
from services.staff.members import LoginTakenError, StaffMembers
from services.staff.models import MAX_NAME_LENGTH, ROLES, ChangeOutcome, Member, NewMember, Role, is_login
from web.console.forms.parsing import parse_id, parse_line
from web.console.forms.state import NO_FORM, FormState
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.words import CONSOLE_LANGUAGES

PATH: Final = "/console/staff"
ADD_PATH: Final = f"{PATH}/add"
MEMBER_PATH: Final = f"{PATH}/{{member:[0-9]+}}"
PAGE_SIZE: Final = 50
UNPROCESSABLE: Final = web.HTTPUnprocessableEntity.status_code
LANGUAGE_NAMES: Final = (("en", "English"), ("bn", "বাংলা"), ("hi", "हिन्दी"))

Change = Callable[[int, StaffAct], Awaitable[ChangeOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    """Shows and changes members of staff."""

    members: StaffMembers
    changes: StaffChanges
    current_catalogue: CurrentCatalogue
    clock: UtcClock = utc_now

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        changes = {
            "role": self.set_role,
            "disable": self.disable,
            "enable": self.enable,
            "password": self.reset_password,
            "code": self.reset_code,
            "sign-out": self.sign_out,
        }
        routes = (
            ConsoleRoute("GET", PATH, self.show_list, "staff.view"),
            ConsoleRoute("GET", MEMBER_PATH, self.show, "staff.view"),
            ConsoleRoute("POST", ADD_PATH, self.add, "staff.change"),
            *(ConsoleRoute("POST", f"{MEMBER_PATH}/{name}", act, "staff.change") for name, act in changes.items()),
        )
        return ConsolePage("staff", PATH, "staff.view", routes)

    async def show_list(self, request: ConsoleRequest) -> web.StreamResponse:
        """A page of members by login."""
        return await self._render_list(request, NO_FORM)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """One member."""
        return await self._render_one(request, NO_FORM)

    async def add(self, request: ConsoleRequest) -> web.StreamResponse:
        """Add a member, and show the first password once."""
        try:
            new, act = self._parse_new(request), request.build_act()
            _, password = await self.members.add(new, act)
        except FormError as error:
            return await self._render_list(request, FormState("add", request.fields, error))
        except LoginTakenError:
            taken = FormError(request.translate("staff.login_taken"), "login")
            return await self._render_list(request, FormState("add", request.fields, taken))
        return request.render("staff/password.html", login=new.login, password=password, is_new=True)

    async def set_role(self, request: ConsoleRequest) -> web.StreamResponse:
        """Give a member another role."""

        async def change(member: int, act: StaffAct) -> ChangeOutcome:
            role = self._parse_role(request)
            return await self.changes.set_role(member, role, self._parse_department(request, role), act)

        return await self._change(request, "role", change)

    async def disable(self, request: ConsoleRequest) -> web.StreamResponse:
        """Keep a member from signing in."""
        return await self._change(request, "disable", self.changes.disable)

    async def enable(self, request: ConsoleRequest) -> web.StreamResponse:
        """Let a member sign in again who is disabled or locked."""
        return await self._change(request, "enable", self.changes.enable)

    async def reset_code(self, request: ConsoleRequest) -> web.StreamResponse:
        """Remove the app of a member."""
        return await self._change(request, "code", self.changes.reset_code)

    async def sign_out(self, request: ConsoleRequest) -> web.StreamResponse:
        """End every sign-in of a member."""
        return await self._change(request, "sign_out", self.changes.sign_out)

    async def reset_password(self, request: ConsoleRequest) -> web.StreamResponse:
        """Give a member a new password, and show it once."""
        member = await self._find_of_path(request)
        try:
            outcome, password = await self.changes.reset_password(member.id, request.build_act())
        except FormError as error:
            return await self._render_one(request, FormState("password", request.fields, error))
        if outcome != "done":
            return await self._refuse(request, "password", outcome)
        return request.render("staff/password.html", login=member.login, password=password, is_new=False)

    async def _change(self, request: ConsoleRequest, form: str, change: Change) -> web.StreamResponse:
        member = await self._find_of_path(request)
        try:
            outcome = await change(member.id, request.build_act())
        except FormError as error:
            return await self._render_one(request, FormState(form, request.fields, error))
        if outcome != "done":
            return await self._refuse(request, form, outcome)
        return request.redirect(f"{PATH}/{member.id}", form)

    async def _refuse(self, request: ConsoleRequest, form: str, outcome: ChangeOutcome) -> web.Response:
        error = FormError(request.translate(f"staff.problem.{outcome}"))
        return await self._render_one(request, FormState(form, request.fields, error))

    def _parse_new(self, request: ConsoleRequest) -> NewMember:
        login = request.fields.get("login", "").strip().casefold()
        if not is_login(login):
            raise FormError(request.translate("staff.login_wrong"), "login")
        role, language = self._parse_role(request), request.fields.get("language", "")
        return NewMember(
            login=login,
            name=parse_line(request, "name", MAX_NAME_LENGTH, required=True),
            role=role,
            department=self._parse_department(request, role),
            language=language if language in CONSOLE_LANGUAGES else CONSOLE_LANGUAGES[0],
        )

    def _parse_role(self, request: ConsoleRequest) -> Role:
        role = request.fields.get("role", "")
        if role not in ROLES:
            raise FormError(request.translate("staff.role_wrong"), "role")
        return role

    def _parse_department(self, request: ConsoleRequest, role: Role) -> str:
        """The department of an officer; every other role has none.

        Raises:
            FormError: there is no such department.
        """
        if role != "officer":
            return ""
        department = request.fields.get("department", "")
        if department not in self.current_catalogue.catalogue.departments:
            raise FormError(request.translate("staff.department_wrong"), "department")
        return department

    async def _find_of_path(self, request: ConsoleRequest) -> Member:
        member = await self.members.find(parse_id(request.path_value("member")))
        if member is None:
            raise web.HTTPNotFound
        return member

    async def _render_list(self, request: ConsoleRequest, form: FormState) -> web.Response:
        found = await self.members.list_page(request.query.get("after", ""), PAGE_SIZE + 1)
        members = found[:PAGE_SIZE]
        return request.render(
            "staff/list.html",
            UNPROCESSABLE if form.error else web.HTTPOk.status_code,
            members=members,
            more=f"{PATH}?after={members[-1].login}" if len(found) > PAGE_SIZE else "",
            form=form,
            **self._build_choices(request),
        )

    async def _render_one(self, request: ConsoleRequest, form: FormState) -> web.Response:
        one = await self._find_of_path(request)
        return request.render(
            "staff/member.html",
            UNPROCESSABLE if form.error else web.HTTPOk.status_code,
            one=one,
            is_own=one.id == request.member.id,
            form=form,
            **self._build_choices(request),
        )

    def _build_choices(self, request: ConsoleRequest) -> dict[str, Sequence[tuple[str, str]]]:
        """The options of the choices, each with its text."""
        departments = self.current_catalogue.catalogue.departments
        language = request.member.language
        named = sorted((pick_translation(one.names, language), code) for code, one in departments.items())
        return {
            "roles": [(role, request.translate(f"common.role.{role}")) for role in ROLES],
            "departments": [("", request.translate("staff.no_department")), *((code, name) for name, code in named)],
            "languages": LANGUAGE_NAMES,
        }
