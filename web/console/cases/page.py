"""A page of one type of case: the list, a search by number, one case, its move with a preview, and who it is about."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from core.languages import LANGUAGES
from core.pagination import Page
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from core.typed_numbers import read_digits
from core.types import Translations, utc_now
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.cases.models import DepartmentScope, StatusChanged, StatusPreview, StatusRejected, days_overdue
from services.catalogue.current import CurrentCatalogue
from web.console.cases.listing import (
    CaseFilter,
    build_next_address,
    build_options,
    find_scope,
    format_moment,
    parse_moment,
    read_filter,
)
from web.console.cases.moving import MoveForm, SentSms, SmsMeter, explain_rejection, measure_notices, read_form
from web.console.cases.names import CatalogueNames
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.words import CONSOLE_LANGUAGES

LANGUAGE_NAMES: Final[Mapping[str, str]] = {language.code: language.own_name for language in LANGUAGES}
TONES: Final[Mapping[str, str]] = {
    "received": "wait",
    "under_review": "wait",
    "more_information": "wait",
    "approved": "good",
    "rejected": "bad",
    "ready": "good",
    "delivered": "good",
    "withdrawn": "plain",
    "answered": "good",
    "escalated": "bad",
    "closed": "plain",
}
"""The tone of the badge of each status."""


class CaseService(Protocol):
    """The acts on one type of case; `DepartmentApplications` and `DepartmentComplaints` have them."""

    async def has(self, scope: DepartmentScope, number: str, /) -> bool:
        """Whether the scope has a case with this number."""

    async def get(self, scope: DepartmentScope, number: str, /, *, by: Actor | None = None) -> Any:
        """The case; None where it is not in the scope."""

    async def reveal(self, scope: DepartmentScope, number: str, act: StaffAct, /) -> Any:
        """The case, whose citizen will be seen unmasked; None where it is not in the scope."""

    async def move(
        self,
        scope: DepartmentScope,
        number: str,
        status: str,
        note: Translations,
        key: str,
        /,
        *,
        by: Actor | None = None,
        seen: datetime | None = None,
    ) -> StatusChanged | StatusRejected:
        """Change the status, unless the case has changed since `seen`."""

    async def preview_move(
        self, scope: DepartmentScope, number: str, status: str, note: Translations, /
    ) -> StatusPreview | StatusRejected:
        """What `move` would send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseType:
    """One type of case. `name` is the folder of its templates and words, and the beginning of its actions.

    `settable` are the statuses that staff choose from, `final` those that never change, `answered` those in which no day is
    promised. `find_status` and `find_changed` read the status, and the time of its last change, of what `service.get` returns.
    """

    name: str
    statuses: Sequence[str]
    settable: Sequence[str]
    final: frozenset[str]
    answered: frozenset[str]
    has_gateway_cases: bool
    list_page: Callable[[CaseFilter], Awaitable[Page[Any]]]
    service: CaseService
    find_status: Callable[[Any], str]
    find_changed: Callable[[Any], datetime]


@dataclass(frozen=True, slots=True)
class ConsoleTools:
    """What every page of cases needs: the catalogue, the meter of SMS, and the time zone of days."""

    current_catalogue: CurrentCatalogue
    meter: SmsMeter
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class CasePage:
    """The page. `build_facts` gives the template of one case what only this type has."""

    case: CaseType
    tools: ConsoleTools
    build_facts: Callable[[ConsoleRequest, Any, bool], Mapping[str, Any]] = lambda _request, _detail, _revealed: {}

    @property
    def path(self) -> str:
        """The address of the list."""
        return f"/console/{self.case.name}"

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        name, one = self.case.name, f"{self.path}/{{number:[0-9]+}}"
        routes = (
            ConsoleRoute("GET", self.path, self.show_list, f"{name}.view"),
            ConsoleRoute("POST", f"{self.path}/find", self.find, f"{name}.view"),
            ConsoleRoute("GET", one, self.show, f"{name}.view"),
            ConsoleRoute("POST", f"{one}/preview", self.preview, f"{name}.move"),
            ConsoleRoute("POST", f"{one}/move", self.move, f"{name}.move"),
            ConsoleRoute("POST", f"{one}/reveal", self.reveal, f"{name}.reveal"),
        )
        return ConsolePage(name, self.path, f"{name}.view", routes)

    async def show_list(self, request: ConsoleRequest) -> web.StreamResponse:
        """The cases that the filters of the address choose."""
        return await self._render_list(request)

    async def find(self, request: ConsoleRequest) -> web.StreamResponse:
        """The case with the number that was typed, or the list again, which says that there is none."""
        number = read_digits(request.fields.get("number", ""))
        is_number = len(number) == TRACKING_NUMBER_DIGITS
        if is_number and await self.case.service.has(find_scope(request), number):
            return request.redirect(f"{self.path}/{number}")
        problem = request.translate("cases.no_such_number" if is_number else "cases.number_wrong")
        return await self._render_list(request, problem)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """One case. Who it is about stays masked."""
        return await self._render(request, MoveForm())

    async def preview(self, request: ConsoleRequest) -> web.StreamResponse:
        """The SMS that the form would send: as a part of the page, or within the page for a browser without scripts."""
        form = read_form(request)
        form, sms = await self._preview(request, form)
        if request.is_fragment:
            return request.render("cases/preview.html", form=form, sms=sms)
        return await self._render(request, form, sms=sms)

    async def move(self, request: ConsoleRequest) -> web.StreamResponse:
        """Change the status, and tell the citizen; the page again where that cannot be done."""
        form = read_form(request)
        try:
            act = request.build_act()
        except FormError as error:
            problems = {**form.problems, error.name: error.text}
            return await self._render_problems(request, replace(form, problems=problems))
        if form.problems:
            return await self._render_problems(request, form)
        number, scope = request.path_value("number"), find_scope(request)
        result = await self.case.service.move(
            scope,
            number,
            form.status,
            form.note,
            act.idempotency_key,
            by=act.actor_with_reason,
            seen=parse_moment(request.fields.get("seen", "")),
        )
        if isinstance(result, StatusRejected):
            return await self._render_problems(request, self._explain(request, form, result))
        return request.redirect(f"{self.path}/{number}", "unchanged" if result.is_repeat else "moved")

    async def reveal(self, request: ConsoleRequest) -> web.StreamResponse:
        """One case with who it is about. The address stays that of the act, so the next page is masked again."""
        act = request.build_act()
        detail = await self.case.service.reveal(find_scope(request), request.path_value("number"), act)
        return await self._render_detail(request, detail, MoveForm(), is_revealed=True)

    async def _preview(self, request: ConsoleRequest, form: MoveForm) -> tuple[MoveForm, Sequence[SentSms] | None]:
        """The form with what is wrong, and its SMS; None where it cannot be sent."""
        if form.problems:
            return form, None
        preview = await self.case.service.preview_move(
            find_scope(request), request.path_value("number"), form.status, form.note
        )
        if isinstance(preview, StatusRejected):
            return self._explain(request, form, preview), None
        return form, measure_notices(preview, self.tools.meter)

    def _explain(self, request: ConsoleRequest, form: MoveForm, rejected: StatusRejected) -> MoveForm:
        if rejected.reason == "unknown":
            raise web.HTTPNotFound
        return replace(form, problems=explain_rejection(request, rejected))

    async def _render_list(self, request: ConsoleRequest, problem: str = "") -> web.Response:
        chosen = read_filter(request, self.case.statuses, self.tools.zone)
        names = self._names(request)
        page = await self.case.list_page(chosen)
        return request.render(
            f"{self.case.name}/list.html",
            web.HTTPUnprocessableEntity.status_code if problem else web.HTTPOk.status_code,
            chosen=chosen,
            items=page.items,
            names=names,
            options=build_options(request, names, chosen.scope, with_gateway=self.case.has_gateway_cases),
            next_address=build_next_address(request, page.next_position),
            problem=problem,
            typed_number=request.fields.get("number", ""),
            **self._common(),
        )

    async def _render_problems(self, request: ConsoleRequest, form: MoveForm) -> web.Response:
        return await self._render(request, form, web.HTTPUnprocessableEntity.status_code)

    async def _render(
        self,
        request: ConsoleRequest,
        form: MoveForm,
        status: int = web.HTTPOk.status_code,
        *,
        sms: Sequence[SentSms] | None = None,
    ) -> web.Response:
        look = request.build_look()
        detail = await self.case.service.get(find_scope(request), request.path_value("number"), by=look.actor)
        return await self._render_detail(request, detail, form, status, sms=sms)

    async def _render_detail(
        self,
        request: ConsoleRequest,
        detail: Any,
        form: MoveForm,
        status: int = web.HTTPOk.status_code,
        *,
        sms: Sequence[SentSms] | None = None,
        is_revealed: bool = False,
    ) -> web.Response:
        if detail is None:
            raise web.HTTPNotFound
        facts = {
            "detail": detail,
            "form": form,
            "sms": sms,
            "is_revealed": is_revealed,
            "seen": format_moment(self.case.find_changed(detail)),
            "is_final": self.case.find_status(detail) in self.case.final,
            "names": self._names(request),
            "address": f"{self.path}/{request.path_value('number')}",
            **self.build_facts(request, detail, is_revealed),
            **self._common(),
        }
        return request.render(f"{self.case.name}/one.html", status, **facts)

    def _common(self) -> Mapping[str, Any]:
        """What the templates of the list and of one case use."""
        return {
            "case": self.case,
            "languages": [(code, LANGUAGE_NAMES[code]) for code in CONSOLE_LANGUAGES],
            "language_names": LANGUAGE_NAMES,
            "tones": TONES,
            "find_days_late": self._find_days_late,
        }

    def _find_days_late(self, status: str, promised: date | None, now: datetime | None = None) -> int:
        today = (now or utc_now()).astimezone(self.tools.zone).date()
        return 0 if status in self.case.answered else days_overdue(promised, today)

    def _names(self, request: ConsoleRequest) -> CatalogueNames:
        return CatalogueNames(self.tools.current_catalogue, request.member.language)
