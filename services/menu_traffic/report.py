"""Read the traffic of the menus for people: of days or of months, so that no question reads more than twelve months' rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, func, select

from db.database import Database
from db.tables import monthly_screen_moves, screen_moves
from services.menu_traffic.models import END, REFUSED, START, MoveCount, ScreenTraffic, StartCount


@dataclass(frozen=True, slots=True)
class TrafficFilter:
    """Which moves are meant; empty: all of them. A network that nobody told is `-`."""

    channel: str = ""
    network: str = ""
    language: str = ""

    def find_values(self) -> Mapping[str, str]:
        """The values of the columns that are given."""
        given = {"channel": self.channel, "network": self.network, "language": self.language}
        return {name: "" if value == "-" else value for name, value in given.items() if value}

    def fits(self, start: StartCount) -> bool:
        """Whether a call that began so is meant."""
        return all(getattr(start, name) == value for name, value in self.find_values().items())


class MenuTraffic:
    """Reads the counts. Periods are all days (`2026-11-30`) or all months (`2026-11`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_moves(self, periods: Sequence[str], only: TrafficFilter) -> Sequence[MoveCount]:
        """How often callers went from each screen to each other one."""
        table, period = _find_table(periods)
        query = select(table.c.source, table.c.target, func.sum(table.c.times)).group_by(table.c.source, table.c.target)
        query = _where(query, table, only).where(period.in_(periods))
        rows: Iterable[Any] = await self._database.fetch(query)
        return [MoveCount(source, target, int(times)) for source, target, times in rows]

    async def read_starts(self, periods: Sequence[str]) -> Sequence[StartCount]:
        """How many calls began in each period, by what the filter distinguishes."""
        table, period = _find_table(periods)
        groups = (period, table.c.channel, table.c.network, table.c.language)
        query = select(*groups, func.sum(table.c.times)).where(period.in_(periods), table.c.source == START)
        rows: Iterable[Any] = await self._database.fetch(query.group_by(*groups))
        return [StartCount(part, channel, network, language, int(n)) for part, channel, network, language, n in rows]


def summarize_screens(moves: Iterable[MoveCount]) -> Mapping[str, ScreenTraffic]:
    """What happened on each screen. Who came to a screen and did not go on from it, left there."""
    shown, went_on, ended, refused = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for source, target, times in moves:
        if target == REFUSED:
            refused[source] += times
        elif target == END:
            ended[source] += times
        else:
            shown[target] += times
            if source != START:
                went_on[source] += times
    return {
        screen: ScreenTraffic(
            screen,
            shown[screen],
            ended[screen],
            max(0, shown[screen] - went_on[screen] - ended[screen]),
            refused[screen],
        )
        for screen in shown.keys() | ended.keys() | refused.keys()
    }


def _find_table(periods: Sequence[str]) -> tuple[Table, Column[Any]]:
    is_monthly = len(periods[0]) == len("2026-11")
    table = monthly_screen_moves if is_monthly else screen_moves
    return table, table.c.month if is_monthly else table.c.day


def _where(query: Select[Any], table: Table, only: TrafficFilter) -> Select[Any]:
    return query.where(*(table.c[name] == value for name, value in only.find_values().items()))
