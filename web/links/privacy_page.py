"""The page behind a link to a citizen's own data, as HTML, text or JSON."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias

from aiohttp import web

from core.pin_policy import MAX_DIGITS, MIN_DIGITS, is_pin
from core.typed_numbers import read_pin
from menus.rendering.localization import Locale, parse_template
from services.privacy.models import DataExport, DataItem, DataRecord, PinVerification, language_of_subject
from web.links.pages import GonePage
from web.links.rendering import render_page
from web.links.routes import FormFields

FindExport: TypeAlias = Callable[[str], Awaitable[DataExport | None]]
"""The export for the subject of a link; None after the account is closed."""
VerifyPin: TypeAlias = Callable[[str, str], Awaitable[PinVerification | None]]
"""The result of a PIN for the subject of a link; None after the account is closed."""
LocalTime: TypeAlias = Callable[[datetime, str], datetime]
"""A time in the time zone of an MSISDN."""

PIN_FIELD: Final = "pin"
JSON_FIELD: Final = "json"
TEXT_FIELD: Final = "text"


@dataclass(frozen=True, slots=True)
class PrivacyPages:
    """Responds to links to a citizen's own data, which the citizen's PIN opens; `locales` by language."""

    find_export: FindExport
    verify_pin: VerifyPin
    is_account_open: Callable[[str], Awaitable[bool]]
    locales: Mapping[str, Locale]
    local_time: LocalTime
    short_code: str
    gone_page: GonePage

    async def ask(self, request: web.Request, subject: str) -> web.StreamResponse:
        """The page that asks for the PIN."""
        if not await self.is_account_open(subject):
            return self.gone_page(request)
        return self._render_question(language_of_subject(subject))

    async def check(self, request: web.Request, subject: str, fields: FormFields) -> web.StreamResponse | None:
        """The page that asks again, after a wrong PIN; None after the right one."""
        language, pin = language_of_subject(subject), read_pin(fields.get(PIN_FIELD, ""))
        if not is_pin(pin):
            locale = self.locales[language]
            template = locale.validation_messages["not_a_pin"]
            return self._render_question(
                language, locale.render(template, {"pin_min": MIN_DIGITS, "pin_max": MAX_DIGITS})
            )
        result = await self.verify_pin(subject, pin)
        if result is None:
            return self.gone_page(request)
        return None if result.is_right else self._render_failure(language, result)

    async def open(self, request: web.Request, subject: str, fields: FormFields) -> web.StreamResponse:
        """The page, or a download where its button was pressed."""
        export = await self.find_export(subject)
        if export is None:
            return self.gone_page(request)
        if JSON_FIELD in fields:
            return _as_download(web.json_response(export_as_dict(export)), "json")
        sheet = DataSheet(export, self.locales[export.language], self.local_time, self.short_code)
        if TEXT_FIELD in fields:
            return _as_download(web.Response(text=sheet.render_text()), "txt")
        return sheet.render_page()

    def _render_failure(self, language: str, result: PinVerification) -> web.Response:
        locale = self.locales[language]
        until = f"{self.local_time(result.locked_until, result.msisdn):%H:%M}" if result.locked_until else ""
        screen = locale.screens["locked" if until else "pin_wrong"]
        problem = locale.render(screen.text, {"until": until, "left": result.tries_left})
        return self._render_question(language, problem, status=web.HTTPForbidden.status_code)

    def _render_question(self, language: str, problem: str = "", status: int = 200) -> web.Response:
        common = self.locales[language].common
        return render_page(
            "own_data_ask.html",
            status,
            language=language,
            title=common["own_data_title"],
            form_action="self",
            problem=problem,
            pin_field=PIN_FIELD,
            label=common["own_data_ask"],
            max_digits=MAX_DIGITS,
            buttons=[
                ("", common["own_data_show"]),
                (TEXT_FIELD, common["own_data_text"]),
                (JSON_FIELD, common["own_data_json"]),
            ],
        )


@dataclass(frozen=True, slots=True)
class DataSheet:
    """Renders an export in one language."""

    export: DataExport
    locale: Locale
    local_time: LocalTime
    short_code: str

    @property
    def title(self) -> str:
        """The title of the page."""
        return self.locale.common["own_data_title"]

    def render_page(self) -> web.Response:
        """The page."""
        sections = [
            (name, [list(self._labelled_items(record)) for record in records])
            for name, records in self._named_sections()
        ]
        return render_page(
            "own_data.html", language=self.export.language, title=self.title, note=self._note(), sections=sections
        )

    def render_text(self) -> str:
        """Plain text with one line for each item."""
        lines = [self.title, self._note()]
        for name, records in self._named_sections():
            lines += ["", name.upper()]
            for record in records:
                lines += [*(f"{label}: {value}" for label, value in self._labelled_items(record)), ""]
        return "\n".join(lines).rstrip() + "\n"

    def _named_sections(self) -> Iterator[tuple[str, tuple[DataRecord, ...]]]:
        for section in self.export.sections:
            yield self.locale.terms["held"][section.name], tuple(section.records)

    def _labelled_items(self, record: DataRecord) -> Iterator[tuple[str, str]]:
        for item in record:
            if item.value not in (None, ""):
                yield (
                    self._format_value(item.label_formatter, item.label),
                    self._format_value(item.formatter, item.value),
                )

    def _format_value(self, formatter: str, value: object) -> str:
        """The value in this language; a code without a translation stays as it is."""
        if formatter == "moment" and isinstance(value, datetime):
            return self._format_moment(value)
        if formatter == "language":
            return self.locale.render(self.locale.screens["languages"].options[str(value)], {})
        if formatter == "texts" and isinstance(value, str):
            return value
        format_term = self.locale.formatters.get(formatter)
        return (format_term(value) if format_term else "") or str(value).replace("_", " ")

    def _format_moment(self, moment: datetime) -> str:
        local = self.local_time(moment, self.export.subject.msisdn)
        date, clock = self.locale.formatters["date"], self.locale.formatters["clock"]
        return f"{date(local.date())}, {clock(f'{local:%H:%M}')}"

    def _note(self) -> str:
        note = parse_template(self.locale.common["own_data_note"])
        return self.locale.render(
            note, {"at": self._format_moment(self.export.created_at), "short_code": self.short_code}
        )


def export_as_dict(export: DataExport) -> dict[str, object]:
    """The export for JSON: sections by key, times and dates as ISO 8601, codes unchanged."""
    sections = {section.name: [_record_as_dict(record) for record in section.records] for section in export.sections}
    return {"at": export.created_at.isoformat(), **sections}


def _record_as_dict(record: DataRecord) -> dict[str, object]:
    values_by_key: dict[str, list[object]] = {}
    for item in record:
        if item.value not in (None, ""):
            values_by_key.setdefault(_json_key(item), []).append(_json_value(item.value))
    return {key: values[0] if len(values) == 1 else values for key, values in values_by_key.items()}


def _json_key(item: DataItem) -> str:
    return item.label if isinstance(item.label, str) else item.label["en"]


def _json_value(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def _as_download(response: web.Response, extension: str) -> web.Response:
    response.headers["Content-Disposition"] = f'inline; filename="ekdial.{extension}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response
