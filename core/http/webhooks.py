"""Guard and read the requests that providers post: who may post, how large a body is, and what the access log tells."""

import hmac
from collections.abc import Mapping
from typing import Final, cast

import structlog
from aiohttp import ClientError, hdrs, web
from aiohttp.abc import AbstractAccessLogger
from yarl import query_to_pairs

from core.http.addresses import IpAddress, is_in_any, parse_address, parse_hop, parse_network
from core.http.origins import is_cross_site, is_local_request
from core.logging import LogThrottle
from core.timeouts import Timeout

MAX_BODY_BYTES = 16 * 1024
TOKEN_FIELD = "token"  # nosec B105  # noqa: S105 - the name of the field in the query
MAX_FIELDS = 64  # the longest form of a provider has about 20
BODY_TIMEOUT = 5.0  # seconds for the body after the headers; providers send both together

CONTENT_TYPES: Final = frozenset(
    {
        *("application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain"),
        *("application/xml", "text/xml", "application/octet-stream"),
    }
)
"""The content types that are logged by name."""

log = structlog.get_logger()


class BadWebhookError(Exception):
    """A body that cannot be read; `message` is one line for the response with `status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def to_response(self) -> web.Response:
        """Return the response: 413, 408 or 400 with the message as plain text."""
        return web.Response(status=self.status, text=self.message)


def log_malformed(request: web.Request, route: str, bad: BadWebhookError) -> None:
    """Log why the body of a webhook was not accepted, and the content type that it claims to have."""
    log.warning(
        "webhook_malformed",
        route=route,
        status=bad.status,
        reason=bad.message,
        content_type=describe_content_type(request),
    )


def describe_content_type(request: web.Request) -> str:
    """The content type that a body claims to have, for a log line: `other` for one that no provider uses."""
    return request.content_type if request.content_type in CONTENT_TYPES else "other"


def describe_method(request: web.BaseRequest) -> str:
    """The method for a log line: `other` for one that HTTP does not define."""
    return request.method if request.method in hdrs.METH_ALL else "other"


class RejectionLog:
    """Logs the webhooks that are not admitted, a few lines a minute: strangers can post as many as they want."""

    def __init__(self) -> None:
        self._throttle = LogThrottle()

    def record(self, route: str, reason: str, **facts: object) -> None:
        """Log one. Nothing of the request may be in `facts` that a stranger chose."""
        left_out = self._throttle.admit(f"{route} {reason}")
        if left_out is not None:
            log.warning("webhook_rejected", route=route, reason=reason, **facts, **left_out)


class WebhookGuard:
    """Admits requests with a secret token in their query and, if there is a list, from an allowed address."""

    def __init__(
        self,
        tokens: tuple[str, ...] = (),
        allowed_ips: tuple[str, ...] = (),
        trusted_proxies: tuple[str, ...] = (),
        *,
        local_only: bool = False,
    ) -> None:
        """Require one of `tokens`, and a client within `allowed_ips`; an empty tuple requires nothing.

        `trusted_proxies` are the addresses of our own proxies: their X-Forwarded-For header is believed. With `local_only`,
        requests must come from this machine, and through no proxy.

        Raises:
            ValueError: An entry is neither an IP address nor a network.
        """
        self._tokens = tuple(token.encode() for token in tokens)
        self._allowed_networks = tuple(map(parse_network, allowed_ips))
        self._trusted_networks = tuple(map(parse_network, trusted_proxies))
        self._local_only = local_only
        self._rejections = RejectionLog()

    def reject_unauthorized(self, request: web.Request, route: str) -> web.Response | None:
        """Return None for an authorized request, else the response of a path that does not exist. The body stays unread.

        `route` is the pattern of the request's route, for the log: a request on the fast path does not know it.
        """
        if self._tokens and not self._is_valid_token(request.query.get(TOKEN_FIELD, "")):
            return self._respond_not_found(route, "token")
        if self._allowed_networks and not self._is_allowed_client(request):
            return self._respond_not_found(route, "address")
        if is_cross_site(request):
            return self._respond_not_found(route, "cross_site")
        if self._local_only and not is_local_request(request):
            return self._respond_not_found(route, "not_local_without_token")
        return None

    def _respond_not_found(self, route: str, reason: str) -> web.Response:
        self._rejections.record(route, reason)
        return web.Response(status=404, text="404: Not Found")

    def _is_valid_token(self, token: str) -> bool:
        given = token.encode("utf-8", "surrogatepass")
        return sum(hmac.compare_digest(given, known) for known in self._tokens) > 0  # sum: compare with every token

    def _is_allowed_client(self, request: web.Request) -> bool:
        client = self.client_address(request)
        return client is not None and is_in_any(client, self._allowed_networks)

    def client_address(self, request: web.Request) -> IpAddress | None:
        """Return the last address of X-Forwarded-For and the connection that is not a proxy of ours; None if it is invalid.

        Anybody can write the entries to the left of it.
        """
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        hops = [hop for hop in forwarded if hop.strip()]
        client = parse_address(request.remote or "")
        while client is not None and hops and is_in_any(client, self._trusted_networks):
            client = parse_hop(hops.pop())
        return client


async def read_form(
    request: web.Request, max_bytes: int = MAX_BODY_BYTES, timeout: float = BODY_TIMEOUT
) -> Mapping[str, str]:
    """Return the fields of a posted form with any content type; of a repeated field the first value.

    Bytes that are not UTF-8 become U+FFFD.

    Raises:
        BadWebhookError: The body has more than `max_bytes` (413), takes longer than `timeout` seconds (408), has more
            than `MAX_FIELDS` fields or is damaged (400).
    """
    body = await _read_body(request, max_bytes, timeout)
    try:
        # the form parser of aiohttp; yarl.URL would cache the last bodies, and the PINs in them
        pairs = query_to_pairs(body.decode(errors="replace").rstrip("\r\n"), max_fields=MAX_FIELDS)
    except ValueError:
        raise BadWebhookError(400, f"A webhook has at most {MAX_FIELDS} fields.") from None
    return dict(reversed(pairs))


async def read_body(request: web.Request, max_bytes: int = MAX_BODY_BYTES, timeout: float = BODY_TIMEOUT) -> bytes:
    """Return the body as it was posted.

    Raises:
        BadWebhookError: The body has more than `max_bytes` (413), takes longer than `timeout` seconds (408) or is
            damaged (400).
    """
    return await _read_body(request, max_bytes, timeout)


async def _read_body(request: web.Request, max_bytes: int, timeout: float) -> bytes:
    if request.content.is_eof():  # it arrived with the headers, as nearly always
        return _check_size(request.content.read_nowait(), max_bytes)
    if (request.content_length or 0) > max_bytes:
        raise _too_large_error(max_bytes)
    try:
        async with Timeout(timeout):
            return await _read_chunks(request, max_bytes)
    except TimeoutError:
        raise BadWebhookError(408, f"The body of a webhook must arrive within {timeout:g} s.") from None
    except (ClientError, OSError, web.PayloadAccessError, web.RequestPayloadError):
        raise BadWebhookError(400, "The body of this webhook is damaged or ended early.") from None


async def _read_chunks(request: web.Request, max_bytes: int) -> bytes:
    body = b""
    async for piece in request.content.iter_any():
        body = _check_size(body + piece, max_bytes)
    return body


def _check_size(body: bytes, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise _too_large_error(max_bytes)
    return body


def _too_large_error(max_bytes: int) -> BadWebhookError:
    return BadWebhookError(413, f"The body of a webhook has at most {max_bytes} bytes.")


class AccessLog(AbstractAccessLogger):
    """Logs one line for each request with the pattern of its route: a query can contain a token, a path a secret link."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log the request; `time` is in seconds."""
        log.info(
            "http_request",
            method=request.method,
            route=_route_pattern(request),
            status=response.status,
            bytes=response.body_length,
            ms=round(time * 1000, 1),
        )


def _route_pattern(request: web.BaseRequest) -> str:
    """`/d/{token}` for `/d/8kQ…`; empty for a path without a route and for a malformed request."""
    try:
        resource = cast("web.Request", request).match_info.route.resource
    except (AttributeError, AssertionError):
        return ""
    return "" if resource is None else resource.canonical
