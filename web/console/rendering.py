"""Render the pages of the console: templates, filters, static files, headers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from core.amounts import HUNDREDTHS
from core.languages import localize_digits
from core.phone_numbers import mask_number
from web.console.words import load_words
from web.static_files import StaticFiles
from web.templates import template_environment

STATIC_FILES: Final = StaticFiles(Path(__file__).parent / "static", "/console/static")
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MONEY_PATTERNS: Final[Mapping[str, str]] = {"bn": "#,##,##0.00", "hi": "#,##,##0.00"}
"""How the digits of an amount are grouped, by language: in lakh and crore where people count so."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of the menu at the side."""

    name: str
    path: str
    view: str


@dataclass(slots=True)
class ConsoleRenderer:
    """Renders templates. `zone` is the time zone of all times. `menu` is set once all pages are known.

    `find_department_name` takes the code of a department and a language.
    """

    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    menu: Sequence[MenuEntry] = ()
    is_public: bool = True
    find_department_name: Callable[[str, str], str] = lambda code, _: code
    environment: Environment = field(init=False)
    word_keys: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.word_keys = frozenset(load_words("en"))
        self.environment = template_environment().overlay()
        self.environment.filters |= _build_filters(self.zone)

    def render(self, template: str, /, *, status: int = 200, **facts: Any) -> web.Response:
        """The page as a response."""
        text = self.environment.get_template(template).render(
            menu=self.menu, static=STATIC_FILES.url, is_public=self.is_public, **facts
        )
        return web.Response(status=status, text=text, content_type="text/html", headers=dict(HEADERS))


def _build_filters(zone: tzinfo) -> Mapping[str, Callable[..., str]]:
    """The filters, each in the language of the page: `when`, `day`, `duration`, `number`, `money`, `tracking`, `masked`."""

    @pass_context
    def when(context: Context, moment: datetime | None) -> str:
        if moment is None:
            return ""
        return format_moment(moment.astimezone(zone), context["language"])

    @pass_context
    def day(context: Context, moment: date | datetime | None) -> str:
        if moment is None:
            return ""
        local = moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
        return localize_digits(format_date(local, "d MMM y", locale=context["language"]), context["language"])

    @pass_context
    def duration(context: Context, seconds: float) -> str:
        return format_duration(seconds, context["language"])

    @pass_context
    def number(context: Context, value: float) -> str:
        return format_number(value, context["language"])

    @pass_context
    def money(context: Context, minor: int, currency: str) -> str:
        units = format_decimal(Decimal(minor) / HUNDREDTHS, MONEY_PATTERNS.get(context["language"], "#,##0.00"), "en")
        return f"{currency} {localize_digits(units, context['language'])}".strip()

    return {
        "when": when,
        "day": day,
        "duration": duration,
        "number": number,
        "money": money,
        "tracking": group_digits,
        "masked": mask_number,
    }


def format_moment(moment: datetime, language: str) -> str:
    """A time, in its own zone: `1 Dec 2026, 03:41`."""
    return localize_digits(format_datetime(moment, "d MMM y, HH:mm", locale=language), language)


def format_duration(seconds: float, language: str) -> str:
    """A duration in its largest unit: `3 minutes`."""
    return localize_digits(format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=language), language)


def format_number(value: float, language: str) -> str:
    """A number with the separators and the digits of the language."""
    return localize_digits(format_decimal(value, locale=language), language)


def group_digits(text: str) -> str:
    """A tracking number as people read it: `1234 5678 9012`."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
