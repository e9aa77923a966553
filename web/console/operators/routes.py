"""Operators of village centres: list, find, enrol, suspend, resume, send a new PIN, and see unusual use."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

from aiohttp import web

from core.phone_numbers import PhoneNumberError, parse_msisdn
from core.typed_input import to_ascii_digits
from core.types import UtcClock, utc_now
from services.assisted.activity_report import COUNTERS, OperatorActivity
from services.assisted.models import NewOperator, Operator
from services.assisted.operators import NumberEnrolledError, Operators
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation
from web.console.forms.parsing import parse_id, parse_line, parse_optional_count
from web.console.forms.state import NO_FORM, FormState
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError

PATH: Final = "/console/operators"
FIND_PATH: Final = f"{PATH}/find"
ADD_PATH: Final = f"{PATH}/add"
REPORT_PATH: Final = f"{PATH}/report"
OPERATOR_PATH: Final = f"{PATH}/{{operator:[0-9]+}}"
MAX_NAME_LENGTH: Final = 60
MAX_CENTRES: Final = 500
"""Centres that the field suggests; any code of the catalogue can be typed."""
PERIODS: Final = (1, 7, 30)
"""Days that a report may go back."""
MAX_REPORTED: Final = 50
UNPROCESSABLE: Final = web.HTTPUnprocessableEntity.status_code


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorsPage:
    """Shows and changes operators. `find_language` is that of the SMS to a number."""

    operators: Operators
    activity: OperatorActivity
    find_language: Callable[[str], Awaitable[str]]
    is_supported_number: Callable[[str], bool]
    current_catalogue: CurrentCatalogue
    clock: UtcClock = utc_now

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show_list, "operators.view"),
            ConsoleRoute("POST", FIND_PATH, self.find, "operators.view"),
            ConsoleRoute("GET", REPORT_PATH, self.show_report, "operators.view"),
            ConsoleRoute("POST", ADD_PATH, self.add, "operators.add"),
            ConsoleRoute("GET", OPERATOR_PATH, self.show, "operators.view"),
            ConsoleRoute("POST", f"{OPERATOR_PATH}/suspend", self.suspend, "operators.suspend"),
            ConsoleRoute("POST", f"{OPERATOR_PATH}/resume", self.resume, "operators.resume"),
            ConsoleRoute("POST", f"{OPERATOR_PATH}/pin", self.reset_pin, "operators.reset_pin"),
        )
        return ConsolePage("operators", PATH, "operators.view", routes)

    async def show_list(self, request: ConsoleRequest) -> web.StreamResponse:
        """A page of operators, newest first."""
        return await self._render_list(request, NO_FORM)

    async def find(self, request: ConsoleRequest) -> web.StreamResponse:
        """The operator with a number, or with an id."""
        typed = to_ascii_digits(request.fields.get("what", "")).strip()
        operator = await self._find_typed(typed)
        if operator is None:
            error = FormError(request.translate("operators.not_found"), "what")
            return await self._render_list(request, FormState("find", request.fields, error))
        return request.redirect(f"{PATH}/{operator.id}")

    async def add(self, request: ConsoleRequest) -> web.StreamResponse:
        """Enrol an operator; the PIN goes to their number by SMS."""
        try:
            new_operator, act = await self._parse_new(request), request.build_act()
            operator, _ = await self.operators.add(new_operator, act)
        except FormError as error:
            return await self._render_list(request, FormState("add", request.fields, error))
        except NumberEnrolledError as there:
            text = request.translate("operators.enrolled", operator=there.operator)
            state = FormState("add", request.fields, FormError(text, "number"))
            return await self._render_list(request, state)
        return request.redirect(f"{PATH}/{operator}", "added")

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """One operator."""
        return await self._render_one(request, NO_FORM)

    async def suspend(self, request: ConsoleRequest) -> web.StreamResponse:
        """Refuse an operator from the next key press on."""
        return await self._act(request, "suspend", "suspended", self._suspend)

    async def resume(self, request: ConsoleRequest) -> web.StreamResponse:
        """Let a suspended operator sign in again."""
        return await self._act(request, "resume", "resumed", self._resume)

    async def reset_pin(self, request: ConsoleRequest) -> web.StreamResponse:
        """Send an operator a new PIN by SMS."""
        return await self._act(request, "pin", "pin", self._reset_pin)

    async def show_report(self, request: ConsoleRequest) -> web.StreamResponse:
        """What each operator did, those with the most unusual counts first."""
        days = next((one for one in PERIODS if str(one) == request.query.get("days")), PERIODS[1])
        reports = await self.activity.reports_since(self.clock() - timedelta(days=days))
        return request.render(
            "operators/report.html",
            reports=reports[:MAX_REPORTED],
            is_cut=len(reports) > MAX_REPORTED,
            counters=COUNTERS,
            periods=PERIODS,
            days=days,
            centre_name=self._centre_namer(request),
        )

    async def _act(
        self,
        request: ConsoleRequest,
        form: str,
        done: str,
        change: Callable[[ConsoleRequest, Operator], Awaitable[bool]],
    ) -> web.StreamResponse:
        operator = await self._find_of_path(request)
        try:
            is_done = await change(request, operator)
        except FormError as error:
            return await self._render_one(request, FormState(form, request.fields, error))
        if not is_done:
            problem = FormError(request.translate(f"operators.not_done.{done}"))
            return await self._render_one(request, FormState(form, request.fields, problem))
        return request.redirect(f"{PATH}/{operator.id}", done)

    async def _suspend(self, request: ConsoleRequest, operator: Operator) -> bool:
        return await self.operators.suspend(operator.id, request.build_act())

    async def _resume(self, request: ConsoleRequest, operator: Operator) -> bool:
        return await self.operators.resume(operator.id, request.build_act())

    async def _reset_pin(self, request: ConsoleRequest, operator: Operator) -> bool:
        act, language = request.build_act(), await self.find_language(operator.msisdn)
        return await self.operators.reset_pin(operator.id, language, act) is not None

    async def _parse_new(self, request: ConsoleRequest) -> NewOperator:
        number = self._parse_number(request)
        centre = self._parse_centre(request)
        name = parse_line(request, "name", MAX_NAME_LENGTH)
        limits = (parse_optional_count(request, "consents_a_day"), parse_optional_count(request, "applications_a_day"))
        return NewOperator(number, name, centre, await self.find_language(number), *limits)

    def _parse_number(self, request: ConsoleRequest) -> str:
        try:
            number = parse_msisdn(to_ascii_digits(request.fields.get("number", "")))
        except PhoneNumberError:
            raise FormError(request.translate("operators.number_wrong"), "number") from None
        if not self.is_supported_number(number):
            raise FormError(request.translate("operators.country_wrong"), "number")
        return number

    def _parse_centre(self, request: ConsoleRequest) -> str:
        centres = self.current_catalogue.centres.by_code
        code = request.fields.get("centre", "").strip()
        if code not in centres:
            nearest = get_close_matches(code, centres, n=1) or sorted(centres)[:1]
            raise FormError(request.translate("operators.centre_wrong", nearest=", ".join(nearest)), "centre")
        return code

    async def _find_typed(self, typed: str) -> Operator | None:
        if identifier := parse_id(typed.removeprefix("#")):
            return await self.operators.find(identifier)
        try:
            return await self.operators.find_by_msisdn(parse_msisdn(typed))
        except PhoneNumberError:
            return None

    async def _find_of_path(self, request: ConsoleRequest) -> Operator:
        operator = await self.operators.find(parse_id(request.path_value("operator")))
        if operator is None:
            raise web.HTTPNotFound
        return operator

    async def _render_list(self, request: ConsoleRequest, form: FormState) -> web.Response:
        page = await self.operators.list_page(parse_id(request.query.get("before", "")))
        return request.render(
            "operators/list.html",
            UNPROCESSABLE if form.error else web.HTTPOk.status_code,
            operators=page.operators,
            older=f"{PATH}?before={page.before}" if page.before else "",
            centres=self._list_centres(request) if request.may("operators.add") else (),
            centre_name=self._centre_namer(request),
            form=form,
        )

    async def _render_one(self, request: ConsoleRequest, form: FormState) -> web.Response:
        return request.render(
            "operators/operator.html",
            UNPROCESSABLE if form.error else web.HTTPOk.status_code,
            operator=await self._find_of_path(request),
            centre_name=self._centre_namer(request),
            form=form,
        )

    def _list_centres(self, request: ConsoleRequest) -> Sequence[tuple[str, str]]:
        name = self._centre_namer(request)
        return [(code, name(code)) for code in sorted(self.current_catalogue.centres.by_code)[:MAX_CENTRES]]

    def _centre_namer(self, request: ConsoleRequest) -> Callable[[str], str]:
        """The name of a centre in the language of the member; its code where it left the catalogue."""
        centres, language = self.current_catalogue.centres.by_code, request.member.language

        def name(code: str) -> str:
            return pick_translation(centres[code].names, language) if code in centres else code

        return name
