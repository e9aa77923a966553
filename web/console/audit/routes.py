"""The audit log: who did what to which record, newest first, by a filter; and a copy of what the filter finds."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, TypeAlias, get_args
from urllib.parse import urlencode

from aiohttp import web
from stdnum import damm

from core.pagination import PagePosition
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from core.types import UtcClock, utc_now
from services.audit.entries import ACTOR_KINDS, AuditReader
from services.audit.export import FORMATTERS, AuditFilter, ExportFormat, header_lines
from services.audit.models import ActorKind
from web.console.forms.parsing import parse_day, start_of_day
from web.console.forms.state import FormState
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError

PATH: Final = "/console/audit"
EXPORT_PATH: Final = f"{PATH}/export"
FIELDS: Final = ("kind", "actor", "act", "subject", "since", "until")
MAX_LENGTH: Final = 64
MAX_ID_DIGITS: Final = 9
"""More digits in a row are a phone number, unless they are the number of a case."""
FORMATS: Final[tuple[ExportFormat, ...]] = get_args(ExportFormat)
CONTENT_TYPES: Final[Mapping[ExportFormat, str]] = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
DAY: Final = timedelta(days=1)
UNPROCESSABLE: Final = web.HTTPUnprocessableEntity.status_code

Values: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Shows and exports the log. Days of the filter are days in `zone`."""

    reader: AuditReader
    zone: tzinfo
    clock: UtcClock = utc_now

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show, "audit.view"),
            ConsoleRoute("POST", PATH, self.find, "audit.view"),
            ConsoleRoute("POST", EXPORT_PATH, self.export, "audit.export"),
        )
        return ConsolePage("audit", PATH, "audit.view", routes)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """A page of entries that the filter in the address finds; all of them without one."""
        values = _pick(request.query)
        try:
            entry_filter = self._parse_filter(request, values)
        except FormError as error:
            return await self._render(request, AuditFilter(), FormState("find", values, error))
        return await self._render(request, entry_filter, FormState("find", values))

    async def find(self, request: ConsoleRequest) -> web.StreamResponse:
        """The address of what was typed. It is posted, and checked, so that no phone number gets into an address."""
        values = _pick(request.fields)
        try:
            self._parse_filter(request, values)
        except FormError as error:
            return await self._render(request, AuditFilter(), FormState("find", values, error))
        return request.redirect(_build_address(values))

    async def export(self, request: ConsoleRequest) -> web.StreamResponse:
        """A file with every entry that the filter finds. That it was taken is recorded first."""
        values = _pick(request.fields)
        export_format = next((one for one in FORMATS if one == request.fields.get("format")), FORMATS[0])
        try:
            entry_filter = self._parse_filter(request, values)
            act = request.build_act()
        except FormError as error:
            return await self._render(request, AuditFilter(), FormState("export", request.fields, error))
        await self.reader.record_export(entry_filter, export_format, act)
        return await self._stream(request.http, entry_filter, export_format)

    async def _stream(
        self, http: web.Request, entry_filter: AuditFilter, export_format: ExportFormat
    ) -> web.StreamResponse:
        name = f"audit-{self.clock().astimezone(self.zone):%Y-%m-%d}.{export_format}"
        headers = {
            "Content-Type": f"{CONTENT_TYPES[export_format]}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(http)
        for line in header_lines(export_format):
            await response.write(line.encode())
        async for entry in self.reader.export(entry_filter):
            await response.write(FORMATTERS[export_format](entry).encode())
        await response.write_eof()
        return response

    async def _render(self, request: ConsoleRequest, entry_filter: AuditFilter, form: FormState) -> web.Response:
        page = await self.reader.find_page(entry_filter, _parse_position(request.query.get("before", "")))
        values = {name: form.values.get(name, "") for name in FIELDS}
        older = _build_address({**values, "before": _format_position(page.older)}) if page.older else ""
        return request.render(
            "audit/audit.html",
            status=UNPROCESSABLE if form.error else web.HTTPOk.status_code,
            entries=page.entries,
            older=older,
            form=form,
            values=values,
            kinds=ACTOR_KINDS,
            formats=FORMATS,
            build_address=_build_address,
        )

    def _parse_filter(self, request: ConsoleRequest, values: Values) -> AuditFilter:
        """The filter that was typed.

        Raises:
            FormError: a value cannot be looked for.
        """
        since = parse_day(request, values["since"], "since")
        until = parse_day(request, values["until"], "until")
        kind = _find_kind(values["kind"])
        for name in ("actor", "act", "subject"):
            if not _may_be_looked_for(values[name]):
                raise FormError(request.translate("audit.value_wrong"), name)
        if values["actor"] and not kind:
            raise FormError(request.translate("audit.kind_missing"), "kind")
        if values["act"] and kind and not values["actor"]:
            raise FormError(request.translate("audit.actor_missing"), "actor")
        return AuditFilter(
            since=_to_utc(start_of_day(since, self.zone)),
            until=_to_utc(start_of_day(until + DAY if until else None, self.zone)),
            subject=values["subject"],
            actor_kind=kind,
            actor=values["actor"],
            act=values["act"],
        )


def _pick(fields: Mapping[str, str]) -> Values:
    return {name: " ".join(fields.get(name, "").split()) for name in FIELDS}


def _find_kind(text: str) -> ActorKind | Literal[""]:
    return next((kind for kind in ACTOR_KINDS if kind == text), "")


def _may_be_looked_for(text: str) -> bool:
    """Whether the log may have it. A phone number is refused: the log has none, and an address must have none."""
    if len(text) > MAX_LENGTH or not text.isprintable() or "@" in text:
        return False
    digits = re.sub(r"[\s().+-]", "", text)
    if len(digits) == TRACKING_NUMBER_DIGITS and digits.isascii() and digits.isdigit():
        return text == digits and bool(damm.is_valid(digits))
    return not re.search(rf"\d{{{MAX_ID_DIGITS + 1},}}", digits)


def _to_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


def _build_address(values: Values, **changes: str) -> str:
    """The address of the page with this filter."""
    query = {name: value for name, value in {**values, **changes}.items() if value}
    return f"{PATH}?{urlencode(query)}" if query else PATH


def _format_position(position: PagePosition) -> str:
    return f"{position.at.isoformat()}~{position.id}"


def _parse_position(text: str) -> PagePosition | None:
    """The position in an address; None for a text that is none, such as one that was cut off."""
    at, _, entry = text.partition("~")
    with suppress(ValueError):
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is not None and entry.isascii() and entry.isdigit() and len(entry) <= MAX_LENGTH:
            return PagePosition(moment, int(entry))
    return None
