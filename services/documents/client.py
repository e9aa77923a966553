"""What an issuer's adapter needs of an HTTP client: one request out, one answer in, nothing followed, nothing endless."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol


class Unanswered(Exception):
    """There was no answer, or one that is too large; `unheard`: the request certainly never arrived."""

    def __init__(self, *, unheard: bool) -> None:
        super().__init__("never arrived" if unheard else "no answer")
        self.unheard = unheard


@dataclass(frozen=True, slots=True)
class Request:
    """One request. A form is sent as `application/x-www-form-urlencoded`, or with `parts` as `multipart/form-data`."""

    method: Literal["GET", "POST"]
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    parts: bool = False


class Answered(NamedTuple):
    """One answer, whatever its status; `media` is the content type without its parameters, in lower case."""

    status: int
    media: str
    headers: Mapping[str, str]
    body: bytes


class Client(Protocol):
    """Sends one request. Redirects are answers; what takes too long or is too large is Unanswered."""

    async def __call__(self, request: Request) -> Answered:
        """The answer. Raises Unanswered."""
