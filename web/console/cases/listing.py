"""Lists of cases: whose cases a member sees, the filters of the address, and the address of the next page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from core.pagination import PagePosition, PageRequest
from services.cases.models import DepartmentScope
from services.complaints.models import NO_DEPARTMENT
from web.console.cases.names import CatalogueNames, Option
from web.console.requests import ConsoleRequest

PAGE_SIZE: Final = 50
GATEWAY_OPTION: Final = "none"
"""The option of the filter of departments for what concerns none."""
MAX_POSITION_DIGITS: Final = 16
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""The days that can be compared in every time zone."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a list shows. `department` is an option of the filter; officers have none to choose from."""

    scope: DepartmentScope
    department: str = ""
    status: str = ""
    service: str = ""
    office: str = ""
    since: date | None = None
    page: PageRequest = field(default_factory=PageRequest)

    @property
    def is_empty(self) -> bool:
        """Whether everything in the scope of the member is shown."""
        return not (self.department or self.status or self.service or self.office or self.since)


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The options of the filters; empty where there is nothing to choose."""

    departments: Sequence[Option] = ()
    services: Sequence[Option] = ()
    offices: Sequence[Option] = ()


def find_scope(request: ConsoleRequest) -> DepartmentScope:
    """The department whose cases the member may see; None for all of them.

    Raises:
        web.HTTPNotFound: an officer has no department.
    """
    if request.member.role != "officer":
        return None
    if not request.member.department:
        raise web.HTTPNotFound
    return request.member.department


def read_filter(request: ConsoleRequest, statuses: Sequence[str], zone: ZoneInfo) -> CaseFilter:
    """The filter in the address. A value that no form offers counts as missing; days begin at midnight in `zone`."""
    scope, query = find_scope(request), request.query
    department = query.get("department", "") if scope is None else ""
    if department:
        scope = NO_DEPARTMENT if department == GATEWAY_OPTION else department
    since = _parse_day(query.get("since", ""))
    start = datetime.combine(since, time(), tzinfo=zone) if since else None
    status = query.get("status", "")
    return CaseFilter(
        scope=scope,
        department=department,
        status=status if status in statuses else "",
        service=query.get("service", "") if scope else "",
        office=query.get("office", "") if scope else "",
        since=since,
        page=PageRequest(start, parse_position(query.get("before", "")), PAGE_SIZE),
    )


def build_options(
    request: ConsoleRequest, names: CatalogueNames, scope: DepartmentScope, *, with_gateway: bool
) -> FilterOptions:
    """The options of the filters: services and offices are those of one department."""
    departments: Sequence[Option] = ()
    if find_scope(request) is None:
        gateway = [Option(GATEWAY_OPTION, request.translate("cases.no_department"))] if with_gateway else []
        departments = [*gateway, *names.list_departments()]
    if not scope:
        return FilterOptions(departments)
    return FilterOptions(departments, names.list_services(scope), names.list_offices(scope))


def build_next_address(request: ConsoleRequest, position: PagePosition | None) -> str:
    """The address of the page after this one; empty on the last page."""
    if position is None:
        return ""
    query = {**request.query, "before": format_position(position)}
    query.pop("done", None)
    return f"{request.http.path}?{urlencode(query)}"


def format_position(position: PagePosition) -> str:
    """The position in an address: microseconds since 1970, and the id."""
    return f"{format_moment(position.at)}-{position.id}"


def parse_position(text: str) -> PagePosition | None:
    """The position in an address; None where it is none."""
    moment, _, number = text.partition("-")
    at = parse_moment(moment)
    return PagePosition(at, int(number)) if at and _is_small_number(number) else None


def format_moment(moment: datetime) -> str:
    """The moment as microseconds since 1970, which keeps it whole."""
    return str((moment - _EPOCH) // _MICROSECOND)


def parse_moment(text: str) -> datetime | None:
    """The moment in a text that `format_moment` wrote; None for any other text."""
    return _EPOCH + int(text) * _MICROSECOND if _is_small_number(text) else None


def _is_small_number(text: str) -> bool:
    """Whether the text is a number that fits a timestamp and a key."""
    return text.isascii() and text.isdigit() and len(text) <= MAX_POSITION_DIGITS


def _parse_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
