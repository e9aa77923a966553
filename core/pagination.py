"""Keyset pagination: each page begins after the last row of the page before, so every page costs the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, Row, Select, literal, select, tuple_, union_all

Item = TypeVar("Item")


class PagePosition(NamedTuple):
    """The last row of a page: its time, and its id, because several rows can have the same time."""

    at: datetime
    id: int


class PageRequest(NamedTuple):
    """The requested part of a list: rows since a time, after a position, and at most `limit` of them."""

    since: datetime | None = None
    after: PagePosition | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of a page, in the order of its list; `next_position` is None if no rows follow yet."""

    items: tuple[Item, ...]
    next_position: PagePosition | None


def select_page(
    statement: Select[Any], time_column: Column[datetime], id_column: Column[int], request: PageRequest
) -> Select[Any]:
    """Return the statement ordered and limited to the requested page, plus one row that shows whether another page follows."""
    if request.since is not None:
        statement = statement.where(time_column >= request.since)
    if request.after is not None:
        position = tuple_(literal(request.after.at, time_column.type), literal(request.after.id, id_column.type))
        statement = statement.where(tuple_(time_column, id_column) > position)
    return statement.order_by(time_column, id_column).limit(request.limit + 1)


def select_newest_page(
    branches: Sequence[Select[Any]], time_column: Column[datetime], id_column: Column[int], request: PageRequest
) -> Select[Any]:
    """Return the requested page of the rows of all branches, newest first, plus one row that shows whether another page follows.

    Each branch reads its own index from the position on, and stops after a page; so a list of several statuses needs no
    index without the status. The branches have the same columns, among them the two, and no row in common.
    """
    pages = [_select_newest(branch, time_column, id_column, request) for branch in branches]
    if len(pages) == 1:
        return pages[0]
    rows = union_all(*(select(page.subquery()) for page in pages)).subquery()
    newest = (rows.c[time_column.name].desc(), rows.c[id_column.name].desc())
    return select(rows).order_by(*newest).limit(request.limit + 1)


def _select_newest(
    statement: Select[Any], time_column: Column[datetime], id_column: Column[int], request: PageRequest
) -> Select[Any]:
    if request.since is not None:
        statement = statement.where(time_column >= request.since)
    if request.after is not None:
        position = tuple_(literal(request.after.at, time_column.type), literal(request.after.id, id_column.type))
        statement = statement.where(tuple_(time_column, id_column) < position)
    return statement.order_by(time_column.desc(), id_column.desc()).limit(request.limit + 1)


def build_page(
    rows: Sequence[Row[Any]], time_attribute: str, request: PageRequest, build_item: Callable[[Row[Any]], Item]
) -> Page[Item]:
    """Return the page of `rows`, which `select_page` selected; `time_attribute` names the column of the time."""
    shown = rows[: request.limit]
    last = PagePosition(getattr(shown[-1], time_attribute), shown[-1].id) if len(rows) > request.limit else None
    return Page(tuple(map(build_item, shown)), last)
