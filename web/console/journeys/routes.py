"""The ways of callers through the menus: which screens they see, where they go from there, and where they leave."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

from aiohttp import web
from babel.dates import format_date

from menus.journeys.resume import RESUME_SCREENS
from menus.model import Menu
from menus.reading_screens import find_asking_screens
from menus.rendering.localization import Locale
from menus.svg import STYLE, render_svg
from services.menu_traffic.models import END, REFUSED, START, MoveCount, ScreenTraffic, StartCount
from services.menu_traffic.report import TrafficFilter, summarize_screens
from web.console.journeys.charts import HEIGHT, WIDTH, build_bars
from web.console.journeys.periods import Period, find_period, list_periods
from web.console.rendering import HEADERS
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute

PATH: Final = "/console/journeys"
PICTURE_PATH: Final = "/console/journeys/picture"
MAX_LEAVING: Final = 12
"""Screens in the list of those where most callers leave."""
PICTURE_POLICY: Final = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; frame-ancestors 'none'"
"""The drawing has one style sheet, and no script."""
UNKNOWN_NETWORK: Final = "-"
PLACEHOLDER: Final = re.compile(r"\{(\w+)[^}]*\}")
DIMENSIONS: Final = ("channel", "network", "language")

ReadMoves = Callable[[Sequence[str], TrafficFilter], Awaitable[Sequence[MoveCount]]]
ReadStarts = Callable[[Sequence[str]], Awaitable[Sequence[StartCount]]]


@dataclass(frozen=True, slots=True)
class JourneyTraffic:
    """The traffic of a journey: `entered` are moves into it from elsewhere, `left` the calls that ended at what it asks for."""

    name: str
    entered: int
    left: int
    screens: Sequence[ScreenTraffic]

    @property
    def left_share(self) -> float:
        """The part of the entries that left, at most 1: a caller may leave without having come from elsewhere."""
        return min(1.0, self.left / self.entered) if self.entered else 0.0


@dataclass(frozen=True, slots=True)
class FilterOption:
    """An option of a filter."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneysPage:
    """Shows the traffic of the menus. `today` is the date in the country of the service."""

    menu: Menu
    locales: Mapping[str, Locale]
    read_moves: ReadMoves
    read_starts: ReadStarts
    today: Callable[[], date]

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show, "journeys.view"),
            ConsoleRoute("GET", PICTURE_PATH, self.show_picture, "journeys.view"),
        )
        return ConsolePage("journeys", PATH, "journeys.view", routes)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """The traffic in a period, all of it or that of one journey."""
        period, only = self._read_query(request)
        moves, asking = await self.read_moves(period.parts, only), find_asking_screens(self.menu)
        starts = await self.read_starts(period.trend)
        journeys = group_by_journey(self.menu, moves)
        chosen = next((one for one in journeys if one.name == request.query.get("journey")), None)
        screens = [screen for one in journeys for screen in one.screens]
        return request.render(
            "journeys/journeys.html",
            period=period,
            query={"period": period.name, **{name: getattr(only, name) for name in DIMENSIONS}},
            filters=self._build_filters(request, period, only, starts),
            journeys=journeys,
            chosen=chosen,
            totals=summarize_calls(moves, screens, asking),
            leaving=find_leaving(screens, asking),
            asking=asking,
            bars=self._build_bars(request, period, only, starts),
            bar_size=(WIDTH, HEIGHT),
            shares=self._build_shares(request, period, only, starts),
            describe=self._describe_screens(request),
            options=describe_ways(chosen, moves) if chosen else {},
            picture_path=PICTURE_PATH,
        )

    async def show_picture(self, request: ConsoleRequest) -> web.StreamResponse:
        """The drawing of the menus with the traffic on it."""
        period, only = self._read_query(request)
        traffic = summarize_screens(await self.read_moves(period.parts, only))
        figures = {name: (one.shown, one.left) for name, one in traffic.items()}
        text = render_svg(self.menu, self.locales[request.member.language], figures)
        headers = {**HEADERS, "Content-Security-Policy": PICTURE_POLICY}
        return web.Response(text=text, content_type="image/svg+xml", headers=headers)

    def _read_query(self, request: ConsoleRequest) -> tuple[Period, TrafficFilter]:
        given = {name: request.query.get(name, "")[:16] for name in DIMENSIONS}
        return find_period(self.today(), request.query.get("period", "")), TrafficFilter(**given)

    def _build_filters(
        self, request: ConsoleRequest, period: Period, only: TrafficFilter, starts: Sequence[StartCount]
    ) -> Mapping[str, Sequence[FilterOption]]:
        """The options of each filter: all, and those with calls in the time that is drawn."""
        filters = {"period": self._list_period_choices(request, period)}
        for name in DIMENSIONS:
            chosen = getattr(only, name)
            found = {getattr(start, name) or UNKNOWN_NETWORK for start in starts} | ({chosen} if chosen else set())
            all_of_them = FilterOption("", request.translate("journeys.all"), not chosen)
            filters[name] = [
                all_of_them,
                *(FilterOption(value, self._name(request, name, value), value == chosen) for value in sorted(found)),
            ]
        return filters

    def _list_period_choices(self, request: ConsoleRequest, period: Period) -> Sequence[FilterOption]:
        return [
            FilterOption(one.name, self._name_period(request, one), one.name == period.name)
            for one in list_periods(self.today())
        ]

    def _name_period(self, request: ConsoleRequest, period: Period) -> str:
        if not period.month:
            return request.translate(f"journeys.period.{period.name}")
        return _name_month(period.month, request.member.language)

    def _name(self, request: ConsoleRequest, dimension: str, value: str) -> str:
        """The name of a channel, a network or a language."""
        if value in {"", UNKNOWN_NETWORK}:
            return request.translate("journeys.unknown")
        if dimension == "network":
            return value
        key = f"journeys.{dimension}.{value}"
        return request.translate(key) if key in request.renderer.word_keys else value

    def _build_bars(
        self, request: ConsoleRequest, period: Period, only: TrafficFilter, starts: Sequence[StartCount]
    ) -> Mapping[str, Any]:
        """The calls of each day or month that fit the filter, those of the period marked."""
        counts: Counter[str] = Counter()
        for start in starts:
            if only.fits(start):
                counts[start.period] += start.times
        values = [(part, counts[part]) for part in period.trend]
        language = request.member.language
        names = {part: _name_part(part, language) for part in period.trend}
        return {"bars": build_bars(values, period.parts), "names": names, "highest": max(counts.values(), default=0)}

    def _build_shares(
        self, request: ConsoleRequest, period: Period, only: TrafficFilter, starts: Sequence[StartCount]
    ) -> Mapping[str, Sequence[tuple[str, int]]]:
        """The calls of the period by channel, network and language."""
        meant = [start for start in starts if start.period in period.parts and only.fits(start)]
        shares = {}
        for name in DIMENSIONS:
            counts: Counter[str] = Counter()
            for start in meant:
                counts[self._name(request, name, getattr(start, name))] += start.times
            shares[name] = counts.most_common()
        return shares

    def _describe_screens(self, request: ConsoleRequest) -> Callable[[str], str]:
        """The first line of a screen in the language of the member."""
        screens = self.locales[request.member.language].screens

        def describe(name: str) -> str:
            texts = screens.get(name)
            return PLACEHOLDER.sub(r"[\1]", texts.text.source.split("\n")[0]) if texts else ""

        return describe


def group_by_journey(menu: Menu, moves: Sequence[MoveCount]) -> Sequence[JourneyTraffic]:
    """The traffic of each journey that callers came to, the busiest first. A screen that the menu lost belongs to none."""
    screens: dict[str, list[ScreenTraffic]] = {}
    for traffic in summarize_screens(moves).values():
        screens.setdefault(menu.journeys.get(traffic.screen, ""), []).append(traffic)
    entered: Counter[str] = Counter()
    for source, target, times in moves:
        journey = menu.journeys.get(target, "")
        if target not in {END, REFUSED} and (source == START or menu.journeys.get(source, "") != journey):
            entered[journey] += times
    asking = find_asking_screens(menu)
    found = [
        JourneyTraffic(name, entered[name], _count_left(of_it, asking), sorted(of_it, key=_by_shown))
        for name, of_it in screens.items()
    ]
    return sorted(found, key=lambda one: (-one.entered, one.name))


def _count_left(screens: Iterable[ScreenTraffic], asking: Collection[str]) -> int:
    """The calls that ended at a screen which asks for something."""
    return sum(one.left for one in screens if one.screen in asking)


def _by_shown(traffic: ScreenTraffic) -> tuple[int, str]:
    return -traffic.shown, traffic.screen


def summarize_calls(
    moves: Iterable[MoveCount], screens: Sequence[ScreenTraffic], asking: Collection[str]
) -> Mapping[str, int]:
    """Calls that began, and how they ended; and of dropped ones, how many were offered and taken up.

    `ended` are those that the menus ended, or that callers left where nothing was asked; `left` the others.
    """
    resumed = Counter[str]()
    started = 0
    for source, target, times in moves:
        started += times if source == START else 0
        if source in RESUME_SCREENS and target not in {*RESUME_SCREENS, END, REFUSED}:
            resumed["again" if target == "main" else "went_on"] += times
    return {
        "started": started,
        "shown": sum(one.shown for one in screens),
        "ended": sum(one.ended + one.left for one in screens) - _count_left(screens, asking),
        "left": _count_left(screens, asking),
        "refused": sum(one.refused for one in screens),
        "offered": sum(one.shown for one in screens if one.screen in RESUME_SCREENS),
        "went_on": resumed["went_on"],
        "again": resumed["again"],
    }


def find_leaving(screens: Sequence[ScreenTraffic], asking: Collection[str]) -> Sequence[ScreenTraffic]:
    """The screens that ask for something and at which most callers leave."""
    leaving = sorted(
        (one for one in screens if one.left and one.screen in asking), key=lambda one: (-one.left, one.screen)
    )
    return leaving[:MAX_LEAVING]


def describe_ways(journey: JourneyTraffic, moves: Iterable[MoveCount]) -> Mapping[str, Sequence[tuple[str, int]]]:
    """Where callers went from each screen of a journey, the most usual way first."""
    names = {one.screen for one in journey.screens}
    ways: dict[str, Counter[str]] = {}
    for source, target, times in moves:
        if source in names and target not in {END, REFUSED}:
            ways.setdefault(source, Counter())[target] += times
    return {source: targets.most_common(3) for source, targets in ways.items()}


def _name_month(month: str, language: str) -> str:
    return format_date(date.fromisoformat(f"{month}-01"), "LLLL y", locale=language)


def _name_part(part: str, language: str) -> str:
    """A day or a month as people write it."""
    if len(part) == len("2026-11"):
        return _name_month(part, language)
    return format_date(date.fromisoformat(part), "d MMM", locale=language)
