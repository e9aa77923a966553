"""Read a provider's webhook in its own format, answer it in the same, and acknowledge what only a repeat can save.

Everything here is used by several providers and channels; the guards and the limits of a body are in `webhooks`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from core.http.request_limiter import build_unavailable_response
from core.http.webhooks import (
    MAX_BODY_BYTES,
    MAX_FIELDS,
    TOKEN_FIELD,
    BadWebhookError,
    WebhookGuard,
    describe_content_type,
    log_malformed,
    read_body,
    read_form,
)
from core.logging import error_facts
from core.phone_numbers import find_msisdn

BodyFormat: TypeAlias = Literal["form", "json", "query"]
"""How a provider sends its fields: posted as a form or as a JSON object, or in the query of a GET request."""
Fields: TypeAlias = Mapping[str, Any]
"""The fields of a webhook by name; text where they are a form or a query, any JSON value where they are JSON."""

TOO_LARGE: Final = web.HTTPRequestEntityTooLarge.status_code
TIMED_OUT: Final = web.HTTPRequestTimeout.status_code
REFUSED: Final = frozenset({web.HTTPForbidden.status_code, web.HTTPServiceUnavailable.status_code})
"""Of a body whose signature is wrong, or cannot be verified now: it is answered with this, and not stored."""

Body = TypeVar("Body")
StoreUnparsed: TypeAlias = Callable[[str, str, Mapping[str, str]], Awaitable[object]]
"""Stores a webhook that could not be parsed: its route, the reason, and its fields as text."""

log = structlog.get_logger()


class WebhookReply(NamedTuple):
    """The body of a response, one header beside the usual ones, the content type, and the status; the charset is UTF-8."""

    text: str = ""
    header: tuple[str, str] | None = None
    content_type: str = "text/plain"
    status: int = 200


class UnparsedWebhookError(Exception):
    """A webhook without a field that it must have.

    The message says what would be right and quotes nothing; `fields` are stored for inspection.
    """

    def __init__(self, reason: str, fields: Mapping[str, str]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fields = fields


async def read_json(request: web.Request, max_bytes: int = MAX_BODY_BYTES) -> Fields:
    """The members of a posted JSON object.

    Raises:
        BadWebhookError: 413 above `max_bytes`, 408 for a body that does not arrive, 400 for another format.
    """
    try:
        fields = msgspec.json.decode(await read_body(request, max_bytes))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise BadWebhookError(400, "The body is not a JSON object in UTF-8; send one.")
    return fields


async def read_query(request: web.Request, max_bytes: int = MAX_BODY_BYTES) -> Fields:
    """The fields in the query of a GET request; of a repeated field the first value. Our own token is none of them.

    Raises:
        BadWebhookError: 413 above `max_bytes`, 400 for more than `MAX_FIELDS` fields.
    """
    if len(request.query_string) > max_bytes:
        raise BadWebhookError(TOO_LARGE, f"The query of a webhook has at most {max_bytes} bytes.")
    if len(request.query) > MAX_FIELDS:
        raise BadWebhookError(400, f"A webhook has at most {MAX_FIELDS} fields.")
    return {name: value for name, value in reversed([*request.query.items()]) if name != TOKEN_FIELD}


FIELD_READERS: Final[Mapping[BodyFormat, Callable[..., Awaitable[Fields]]]] = {
    "form": read_form,
    "json": read_json,
    "query": read_query,
}
"""The reader of each format: it takes the request and, as `max_bytes`, the limit of what it reads."""

WEBHOOK_METHODS: Final[Mapping[BodyFormat, str]] = {
    "form": hdrs.METH_POST,
    "json": hdrs.METH_POST,
    "query": hdrs.METH_GET,
}
"""The method of each format."""


def build_webhook_route(body_format: BodyFormat, path: str, handler: Handler) -> web.RouteDef:
    """The route of a webhook, by the method of its format; HEAD, which would run the handler of a GET, is not allowed."""
    if WEBHOOK_METHODS[body_format] == hdrs.METH_GET:
        return web.get(path, handler, allow_head=False)
    return web.post(path, handler)


_is_msisdn: Final = re.compile(r"\+[1-9]\d{6,14}", re.ASCII).fullmatch


def read_msisdn(text: str) -> str:
    """The MSISDN in a field of a webhook; empty where the field has none, as for a hidden number, a short code or a name.

    Every adapter reads the numbers of its webhooks with it. An MSISDN is taken as it is. Other spellings of one are those of
    `find_msisdn`.
    """
    return text if _is_msisdn(text) else find_msisdn(text)


def fields_as_text(fields: Fields) -> dict[str, str]:
    """The fields with every value as text, for storage."""
    return {name: value if isinstance(value, str) else repr(value) for name, value in fields.items()}


@dataclass(frozen=True, slots=True)
class AcknowledgedWebhook(Generic[Body]):
    """A route whose webhooks are acknowledged and stored, so that the provider stops repeating them.

    It answers 200 for a webhook that was processed or stored as unparsed, 503 where only a repeat can save it, and 413
    above the limit. A body above the limit is stored without its fields where `stores_too_large`. `read` may verify a
    signature, and refuse with one of `REFUSED`.
    """

    route: str
    guard: WebhookGuard
    read: Callable[[web.Request], Awaitable[Body]]
    process: Callable[[web.Request, Body], Awaitable[None]]
    """Does the work; raises UnparsedWebhookError where a field is missing."""
    store_unparsed: StoreUnparsed
    acknowledge: Callable[[], web.Response] = web.Response
    stores_too_large: bool = False

    async def handle(self, request: web.Request) -> web.Response:
        """The response to one webhook."""
        if (rejection := self.guard.reject_unauthorized(request, self.route)) is not None:
            return rejection
        try:
            body = await self.read(request)
        except BadWebhookError as bad:
            return await self._handle_bad_body(request, bad)
        return await self._acknowledge(self._process(request, body))

    async def _handle_bad_body(self, request: web.Request, bad: BadWebhookError) -> web.Response:
        if not _has_arrived(request, bad):
            log.warning("webhook_body_missing", route=self.route, reason=bad.message)
            return build_unavailable_response()
        if bad.status in REFUSED or (bad.status == TOO_LARGE and not self.stores_too_large):
            log_malformed(request, self.route, bad)
            return bad.to_response()
        return await self._acknowledge(self._store_unparsed(request, bad.message, {}))

    async def _process(self, request: web.Request, body: Body) -> None:
        try:
            await self.process(request, body)
        except UnparsedWebhookError as unparsed:
            await self._store_unparsed(request, unparsed.reason, unparsed.fields)

    async def _store_unparsed(self, request: web.Request, reason: str, fields: Mapping[str, str]) -> None:
        content_type = describe_content_type(request)
        log.warning("webhook_unparsed", route=self.route, reason=reason, content_type=content_type)
        await self.store_unparsed(self.route, reason, fields)

    async def _acknowledge(self, work: Awaitable[None]) -> web.Response:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - after any failure only a repeat can save the webhook
            log.error("webhook_not_stored", route=self.route, **error_facts(error))
            return build_unavailable_response()
        return self.acknowledge()


def _has_arrived(request: web.Request, bad: BadWebhookError) -> bool:
    """Whether the whole body arrived, or more of it than is read; not where it is late or broke off."""
    return bad.status != TIMED_OUT and request.content.exception() is None
