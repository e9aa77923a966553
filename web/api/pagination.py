"""Pagination of the department API: a request read into a PageRequest, and a page written with the URL of the next one.

A cursor is encrypted: a client can neither make one up nor use it with another query or another key.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlencode

from core.crypto import Cipher
from core.pagination import Page, PagePosition, PageRequest
from core.types import UtcClock
from web.api.errors import ApiError, ProblemSpec
from web.api.models.common import PageModel, PageQuery
from web.api.operations import ApiRequest, ApiResponse

# A row that is committed now has a timestamp of up to a minute ago: that long lasts the longest transaction, with the
# difference between two clocks.
OVERLAP: Final = timedelta(minutes=1)
UNKNOWN_CURSOR: Final[ProblemSpec] = (
    400,
    "Cursor not known",
    "A cursor is good for the query and the key that it was given for; ask without one to begin again.",
)
LIST_PROBLEMS: Final[Mapping[str, ProblemSpec]] = {"cursor": UNKNOWN_CURSOR}

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
CURSOR_FORMAT: Final = struct.Struct(">qq")  # microseconds since 1970, and a row id

Query = TypeVar("Query", bound=PageQuery)
ListRequest: TypeAlias = ApiRequest[Query, None]


class InvalidCursorError(ValueError):
    """The cursor was not made by this gateway, or was made for another query or another key."""


class CursorCodec:
    """Encodes the position at which a page ends as a cursor, and decodes it again."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def encode(self, position: PagePosition, scope: str) -> str:
        """A URL-safe cursor for the rows after `position`. `scope` names the key and the query that it is valid for."""
        packed = CURSOR_FORMAT.pack((position.at - EPOCH) // MICROSECOND, position.id)
        return urlsafe_b64encode(self._cipher.encrypt(packed, _cipher_context(scope))).decode().rstrip("=")

    def decode(self, cursor: str, scope: str) -> PagePosition:
        """The position in a cursor.

        Raises:
            InvalidCursorError: it was not encoded here with the same `scope`.
        """
        try:
            encrypted = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            microseconds, row_id = CURSOR_FORMAT.unpack(self._cipher.decrypt(encrypted, _cipher_context(scope)))
        except Exception:  # noqa: BLE001 - any error means that the cursor is not ours
            raise InvalidCursorError from None
        return PagePosition(EPOCH + microseconds * MICROSECOND, row_id)


class PageReader:
    """Reads requests for a list and builds their responses, for every list of the API."""

    def __init__(self, cursors: CursorCodec, clock: UtcClock) -> None:
        self._cursors = cursors
        self._clock = clock

    def parse_page_request(self, request: ListRequest[Query]) -> PageRequest:
        """The part of the list that is requested.

        Raises:
            ApiError: the cursor was made for another query or another key.
        """
        query = request.query
        return PageRequest(query.since, self._decode_cursor(request) if query.cursor else None, query.limit)

    def build_response(self, request: ListRequest[Query], page: Page[Any], model: type[PageModel]) -> ApiResponse:
        """The page, with the URL of the next one in the body and in the header Link."""
        if page.next_position is None:
            next_since = self._clock() - OVERLAP
            return ApiResponse(model.model_validate({"items": page.items, "next": None, "next_since": next_since}))
        next_url = self._next_url(request, page.next_position)
        body = model.model_validate({"items": page.items, "next": next_url, "next_since": None})
        return ApiResponse(body, headers={"Link": f'<{next_url}>; rel="next"'})

    def _next_url(self, request: ListRequest[Query], position: PagePosition) -> str:
        cursor = self._cursors.encode(position, _cursor_scope(request))
        query = {**_filter_parameters(request), "limit": request.query.limit, "cursor": cursor}
        return f"{request.path}?{urlencode(query)}"

    def _decode_cursor(self, request: ListRequest[Query]) -> PagePosition:
        try:
            return self._cursors.decode(request.query.cursor, _cursor_scope(request))
        except InvalidCursorError:
            raise ApiError(UNKNOWN_CURSOR) from None


def _filter_parameters(request: ListRequest[Query]) -> Mapping[str, Any]:
    """The query without `limit` and `cursor`; equal for equal queries, however they were written."""
    parameters = request.query.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)
    return {name: value for name, value in parameters.items() if value != ""}


def _cursor_scope(request: ListRequest[Query]) -> str:
    return f"{request.key_holder.key_id} {request.path}?{urlencode(_filter_parameters(request))}"


def _cipher_context(scope: str) -> str:
    return f"cursor:{scope}"
