"""Lists of the department API: a question read into a span, a page written with the way to the next one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlencode

from services.given import Clock
from services.pages import Page, Position, Span
from web.api.cursors import CursorRefused, Cursors
from web.api.models.common import Page as PageModel
from web.api.models.common import PageAsked
from web.api.operations import Answer, Call
from web.api.problems import Refused, Said

# What is written by now has its moment from before: no transaction lasts longer, and no two clocks differ by more.
OVERLAP: Final = timedelta(minutes=1)
NOT_THIS_CURSOR: Final[Said] = (
    400,
    "Cursor not known",
    "A cursor is good for the query and the key that it was given for; ask without one to begin again.",
)
LIST_REFUSALS: Final[Mapping[str, Said]] = {"cursor": NOT_THIS_CURSOR}

Asked = TypeVar("Asked", bound=PageAsked)
ListCall: TypeAlias = Call[Asked, None]


class Lists:
    """How every list is read and written."""

    def __init__(self, cursors: Cursors, clock: Clock) -> None:
        self._cursors = cursors
        self._clock = clock

    def span(self, call: ListCall[Asked]) -> Span:
        """Which part of the list is asked for.

        Raises:
            Refused: the cursor is not one of this query and key.
        """
        query = call.query
        return Span(query.since, self._position(call) if query.cursor else None, query.limit)

    def answer(self, call: ListCall[Asked], page: Page[Any], model: type[PageModel]) -> Answer:
        """The page, with the way to the next one in its body and in the header Link."""
        if page.last is None:
            return Answer(model.model_validate(self._facts(page.items, None, self._clock() - OVERLAP)))
        following = self._next(call, page.last)
        body = model.model_validate(self._facts(page.items, following, None))
        return Answer(body, headers={"Link": f'<{following}>; rel="next"'})

    def _facts(self, items: tuple[Any, ...], following: str | None, since: datetime | None) -> Mapping[str, Any]:
        return {"items": items, "next": following, "next_since": since}

    def _next(self, call: ListCall[Asked], last: Position) -> str:
        query = {**_question(call), "limit": call.query.limit, "cursor": self._cursors.write(last, _about(call))}
        return f"{call.path}?{urlencode(query)}"

    def _position(self, call: ListCall[Asked]) -> Position:
        try:
            return self._cursors.read(call.query.cursor, _about(call))
        except CursorRefused:
            raise Refused(NOT_THIS_CURSOR) from None


def _question(call: ListCall[Asked]) -> Mapping[str, Any]:
    """What was asked but for the part: the same for the same question, however it was written."""
    asked = call.query.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)
    return {name: value for name, value in asked.items() if value != ""}


def _about(call: ListCall[Asked]) -> str:
    return f"{call.caller.key} {call.path}?{urlencode(_question(call))}"
