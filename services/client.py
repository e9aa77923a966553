"""What is needed of an HTTP client to ask other people's servers: one request out, one answer in, nothing endless."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol


class Unanswered(Exception):
    """There was no answer, or one that is too large; `unheard`: the request certainly never arrived."""

    def __init__(self, *, unheard: bool) -> None:
        super().__init__("never arrived" if unheard else "no answer")
        self.unheard = unheard


@dataclass(frozen=True, slots=True)
class Request:
    """One request. A form is sent as `application/x-www-form-urlencoded`, or with `parts` as `multipart/form-data`.

    `body` is sent as it is, of the content type that the headers say.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    parts: bool = False
    body: bytes | None = field(default=None, repr=False)


class Answered(NamedTuple):
    """One answer, whatever its status; `media` is the content type without its parameters, in lower case."""

    status: int
    media: str
    headers: Mapping[str, str]
    body: bytes

    def said(self) -> Mapping[str, Any] | None:
        """The JSON object that was answered; None for anything else."""
        if self.media != "application/json":
            return None
        try:
            said = json.loads(self.body)
        except ValueError:
            return None
        return said if isinstance(said, dict) else None


class Client(Protocol):
    """Sends one request. Redirects are answers; what takes too long or is too large is Unanswered."""

    async def __call__(self, request: Request) -> Answered:
        """The answer. Raises Unanswered."""


def posted(url: str, said: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
    """A JSON object to be posted."""
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return Request("POST", url, {"Content-Type": "application/json", **headers}, body=body)
