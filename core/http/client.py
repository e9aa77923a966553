"""The interface of the HTTP client for other systems: one request, one response, both limited in time and size."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from core.json_text import parse_json_object


class NoResponseError(Exception):
    """No response came, or one that is too large. `never_arrived` is True if the request certainly was not delivered."""

    def __init__(self, *, never_arrived: bool) -> None:
        super().__init__("never arrived" if never_arrived else "no answer")
        self.never_arrived = never_arrived


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request with a form or a body, or neither.

    `form` is sent as `application/x-www-form-urlencoded`, or as `multipart/form-data` if `multipart` is set. `body` is
    sent as it is; its content type is among the headers.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    multipart: bool = False
    body: bytes | None = field(default=None, repr=False)


class HttpResponse(NamedTuple):
    """A response with any status; `content_type` is in lower case and without parameters."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> Mapping[str, Any] | None:
        """Return the JSON object in the body; None if the body or its content type is anything else."""
        if self.content_type != "application/json":
            return None
        return parse_json_object(self.body)


class HttpClient(Protocol):
    """Sends a request and follows no redirect: the redirect itself is the response."""

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response.

        Raises:
            NoResponseError: No response came in time, or one that is too large.
        """


def build_json_post(url: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> HttpRequest:
    """Return a POST request with the JSON object as its body."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpRequest("POST", url, {"Content-Type": "application/json", **headers}, body=body)
