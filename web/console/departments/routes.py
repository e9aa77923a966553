"""Departments: whether each answers, the deliveries that wait, what it rejected, its API keys, and a trial of the API."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from aiohttp import web

from core.types import UtcClock, utc_now
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation
from services.catalogue.sample_answers import NoSampleAnswerError
from services.departments.api_keys import MAX_LABEL_LENGTH, ApiKey, ApiKeys, KeyKind, KeyRepeatedError
from services.departments.deliveries import DeliveryRepository
from services.departments.models import DeliveryDepth
from services.departments.trials import DepartmentTrials, build_trial_requests
from web.console.forms.parsing import parse_day, parse_line
from web.console.forms.state import NO_FORM, FormState
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError

PATH: Final = "/console/departments"
NETWORKS_PATH: Final = f"{PATH}/networks"
DEPARTMENT_PATH: Final = f"{PATH}/{{department}}"
MAX_REJECTED: Final = 50
MAX_NUMBER_LENGTH: Final = 20
_is_network: Final = re.compile(r"[a-z][a-z0-9_]{0,39}").fullmatch
_is_key_id: Final = re.compile(r"[0-9a-f]{8}").fullmatch


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A department in the list. `address` is of its own system, empty where the gateway keeps its applications.

    `is_down`: its system does not answer, as this process knows.
    """

    code: str
    name: str
    address: str
    is_down: bool
    waiting: Sequence[DeliveryDepth]


@dataclass(frozen=True, slots=True)
class TrialSite:
    """Where trials can be made: the address of the gateway, and that of the simulator, empty without one."""

    trials: DepartmentTrials
    url: str
    simulator_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentsPage:
    """Shows departments. `addresses` are of their own systems, by code; `ask` is empty where a system answers, else why not.

    `trial_site` is None where a stranger can reach the gateway.
    """

    current_catalogue: CurrentCatalogue
    deliveries: DeliveryRepository
    api_keys: ApiKeys
    addresses: Mapping[str, str]
    ask: Callable[[str], Awaitable[str]]
    trial_site: TrialSite | None
    clock: UtcClock = utc_now

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show_list, "departments.view"),
            ConsoleRoute("GET", NETWORKS_PATH, self.show_networks, "departments.view"),
            ConsoleRoute("POST", f"{NETWORKS_PATH}/keys", self.add_network_key, "departments.keys"),
            ConsoleRoute("POST", f"{PATH}/keys/{{key}}/revoke", self.revoke_key, "departments.keys"),
            ConsoleRoute("GET", DEPARTMENT_PATH, self.show, "departments.view"),
            ConsoleRoute("POST", f"{DEPARTMENT_PATH}/ask", self.ask_now, "departments.view"),
            ConsoleRoute("POST", f"{DEPARTMENT_PATH}/keys", self.add_key, "departments.keys"),
            ConsoleRoute("POST", f"{DEPARTMENT_PATH}/retry", self.retry, "departments.retry"),
            ConsoleRoute("POST", f"{DEPARTMENT_PATH}/trial", self.start_trial, "departments.keys"),
        )
        return ConsolePage("departments", PATH, "departments.view", routes)

    async def show_list(self, request: ConsoleRequest) -> web.StreamResponse:
        """Every department with its state."""
        depth = await self.deliveries.depth()
        codes = self.current_catalogue.catalogue.departments
        rows = sorted((self._build_row(request, code, depth) for code in codes), key=lambda row: row.name)
        return request.render("departments/list.html", departments=rows)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """One department."""
        return await self._render_one(request, NO_FORM)

    async def ask_now(self, request: ConsoleRequest) -> web.StreamResponse:
        """Ask the department's system whether it is there, and show what it says."""
        reason = await self.ask(self._find_code(request))
        answer = request.translate("departments.no_answer", reason=reason) if reason else ""
        return await self._render_one(request, NO_FORM, answer or request.translate("departments.answers"))

    async def retry(self, request: ConsoleRequest) -> web.StreamResponse:
        """Send an application again that the department rejected."""
        code = self._find_code(request)
        try:
            number, act = parse_line(request, "number", MAX_NUMBER_LENGTH, required=True), request.build_act()
        except FormError as error:
            return await self._render_one(request, FormState(_retry_form(request), request.fields, error))
        rejected = {one.tracking_number for one in await self.deliveries.list_rejected(MAX_REJECTED, code)}
        if number not in rejected or not await self.deliveries.retry(number, act):
            problem = FormError(request.translate("departments.not_rejected"))
            return await self._render_one(request, FormState("", request.fields, problem))
        return request.redirect(f"{PATH}/{code}", "retried")

    async def add_key(self, request: ConsoleRequest) -> web.StreamResponse:
        """Create a key of the department, and show it once."""
        code = self._find_code(request)
        return await self._add_key(request, code, "department", self._render_one)

    async def show_networks(self, request: ConsoleRequest) -> web.StreamResponse:
        """The keys of networks, which send notices of numbers."""
        return await self._render_networks(request, NO_FORM)

    async def add_network_key(self, request: ConsoleRequest) -> web.StreamResponse:
        """Create a key of a network, and show it once."""
        network = request.fields.get("network", "").strip()
        if not _is_network(network):
            problem = FormError(request.translate("departments.network_wrong"), "network")
            return await self._render_networks(request, FormState("key", request.fields, problem))
        return await self._add_key(request, network, "network", self._render_networks)

    async def revoke_key(self, request: ConsoleRequest) -> web.StreamResponse:
        """Reject a key from now on.

        Raises:
            FormError: it is revoked already, or the reason cannot be recorded.
            HTTPNotFound: there is no such key.
        """
        key_id = request.path_value("key")
        key = await self.api_keys.find(key_id) if _is_key_id(key_id) else None
        if key is None:
            raise web.HTTPNotFound
        if not await self.api_keys.revoke(key.id, request.build_act()):
            raise FormError(request.translate("departments.revoked_before"))
        return request.redirect(_find_key_page(key), "revoked")

    async def start_trial(self, request: ConsoleRequest) -> web.StreamResponse:
        """Make a key and an application of a sample citizen, and show how to begin with the API.

        Raises:
            HTTPNotFound: a stranger can reach this gateway.
        """
        code, site = self._find_code(request), self.trial_site
        if site is None:
            raise web.HTTPNotFound
        try:
            trial = await site.trials.start(code, request.build_act())
        except FormError as error:
            return await self._render_one(request, FormState("trial", request.fields, error))
        except KeyRepeatedError:
            return self._render_repeated(request, f"{PATH}/{code}")
        except NoSampleAnswerError:
            trial = None
        if trial is None:
            problem = FormError(request.translate("departments.no_trial"))
            return await self._render_one(request, FormState("trial", request.fields, problem))
        return request.render(
            "departments/trial.html",
            trial=trial,
            requests=build_trial_requests(site.url, trial),
            simulator_url=site.simulator_url,
            back=f"{PATH}/{code}",
        )

    async def _add_key(
        self,
        request: ConsoleRequest,
        holder: str,
        kind: KeyKind,
        render: Callable[[ConsoleRequest, FormState], Awaitable[web.Response]],
    ) -> web.Response:
        back = NETWORKS_PATH if kind == "network" else f"{PATH}/{holder}"
        try:
            label, last_day = parse_line(request, "label", MAX_LABEL_LENGTH), self._parse_last_day(request)
            key = await self.api_keys.create(holder, request.build_act(), label=label, last_day=last_day, kind=kind)
        except FormError as error:
            return await render(request, FormState("key", request.fields, error))
        except KeyRepeatedError:
            return self._render_repeated(request, back)
        return request.render("departments/key.html", key=key, holder=holder, last_day=last_day, back=back)

    def _render_repeated(self, request: ConsoleRequest, back: str) -> web.Response:
        return request.render("departments/key.html", web.HTTPConflict.status_code, key="", back=back)

    def _parse_last_day(self, request: ConsoleRequest) -> date | None:
        day = parse_day(request, request.fields.get("until", ""), "until")
        if day and day < self.clock().date():
            raise FormError(request.translate("departments.until_wrong"), "until")
        return day

    async def _render_one(self, request: ConsoleRequest, form: FormState, answer: str = "") -> web.Response:
        code = self._find_code(request)
        return request.render(
            "departments/department.html",
            _find_status(form),
            department=self._build_row(request, code, await self.deliveries.depth()),
            rejected=await self.deliveries.list_rejected(MAX_REJECTED, code),
            most=MAX_REJECTED,
            keys=await self.api_keys.list_by_kind("department", code),
            can_try=self.trial_site is not None and self.trial_site.trials.find_service(code) is not None,
            today=self.clock().date(),
            answer=answer,
            form=form,
        )

    async def _render_networks(self, request: ConsoleRequest, form: FormState) -> web.Response:
        keys = await self.api_keys.list_by_kind("network")
        today = self.clock().date()
        return request.render("departments/networks.html", _find_status(form), keys=keys, today=today, form=form)

    def _build_row(self, request: ConsoleRequest, code: str, depth: Sequence[DeliveryDepth]) -> DepartmentRow:
        department = self.current_catalogue.catalogue.departments[code]
        return DepartmentRow(
            code=code,
            name=pick_translation(department.names, request.member.language),
            address=self.addresses.get(code, ""),
            is_down=code in self.deliveries.unreachable,
            waiting=[one for one in depth if one.department == code],
        )

    def _find_code(self, request: ConsoleRequest) -> str:
        code = request.path_value("department")
        if code not in self.current_catalogue.catalogue.departments:
            raise web.HTTPNotFound
        return code


def _find_key_page(key: ApiKey) -> str:
    return NETWORKS_PATH if key.kind == "network" else f"{PATH}/{key.department}"


def _retry_form(request: ConsoleRequest) -> str:
    return f"retry{request.fields.get('number', '')}"


def _find_status(form: FormState) -> int:
    return web.HTTPUnprocessableEntity.status_code if form.error else web.HTTPOk.status_code
