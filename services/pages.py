"""A long list read page by page: each goes on behind the last row of the one before, along one index, however long it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, Row, Select, literal, tuple_

Item = TypeVar("Item")


class Position(NamedTuple):
    """Where a page ended: when its last row came or changed, and that row's id, for many may have one moment."""

    at: datetime
    id: int


class Span(NamedTuple):
    """Which part of a list is asked for: from a moment on, behind a position, and how much of it at most."""

    since: datetime | None = None
    after: Position | None = None
    most: int = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, oldest first, and where the next page begins; `last` is None when there is nothing behind them yet."""

    items: tuple[Item, ...]
    last: Position | None


def part(asked: Select[Any], at: Column[datetime], number: Column[int], span: Span) -> Select[Any]:
    """`asked` in its order, from where the span begins, with one row more than it wants: that one tells of a next page."""
    if span.since is not None:
        asked = asked.where(at >= span.since)
    if span.after is not None:
        behind = tuple_(literal(span.after.at, at.type), literal(span.after.id, number.type))
        asked = asked.where(tuple_(at, number) > behind)
    return asked.order_by(at, number).limit(span.most + 1)


def page(rows: Sequence[Row[Any]], at: str, span: Span, make: Callable[[Row[Any]], Item]) -> Page[Item]:
    """The items of `rows`, and where the next page begins if the row that was asked for beyond them is there."""
    wanted = rows[: span.most]
    last = Position(getattr(wanted[-1], at), wanted[-1].id) if len(rows) > span.most else None
    return Page(tuple(map(make, wanted)), last)
