"""A department's own system, reached over HTTP in the JSON that docs/connector.md lays down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from services.client import Answered, Client, Request, Unanswered
from services.departments.port import Application, Barred, Busy, NotNow, Refused, Standing, Taken, Unavailable
from services.departments.signing import signed
from services.given import Clock, utc_now

OK: Final = 200
TAKEN: Final = frozenset({200, 201, 202})
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
LATER: Final = frozenset({408, 425})
BARRED: Final = frozenset({300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 407, 421})
"""Answers that are about how it is connected and not about an application."""
CLIENT_ERRORS: Final = range(400, 500)
LONGEST_WAIT: Final = timedelta(hours=1)
LONGEST_SAID: Final = 500  # characters of what is told of a refusal
WAIT_DIGITS: Final = 6

Language: TypeAlias = Literal["en", "bn", "hi", "bn_Latn", "hi_Latn"]
Note: TypeAlias = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=160, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"
    ),
]
Reference: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True)
class System:
    """Where a department's system is, and how it knows us: by a bearer token, by signatures, or by both."""

    url: str
    token: str = field(default="", repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)


class _Received(BaseModel):
    """What a department answers when it has taken an application; a reference may be a number."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    tracking_number: str
    reference: Reference


class _Stands(BaseModel):
    """What it answers when it is asked how one stands."""

    model_config = ConfigDict(frozen=True)

    tracking_number: str
    status: str
    note: dict[Language, Note] = {}


class Connector:
    """One department's system. Its client has the deadline."""

    def __init__(self, client: Client, system: System, *, clock: Clock = utc_now) -> None:
        self._client = client
        self._system = system
        self._clock = clock

    async def submit(self, application: Application) -> Taken | Refused:
        """POST it with its tracking number as the idempotency key."""
        number = application.tracking_number
        body = json.dumps(written(application), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": number}
        answered = await self._asked(Request("POST", self._url("applications"), headers, body=body), f"app_{number}")
        if answered.status in TAKEN:
            return Taken(_read(_Received, answered, number).reference)
        if answered.status in CLIENT_ERRORS and answered.status not in BARRED:
            return Refused(f"HTTP {answered.status}", _told(answered))
        raise _unusable(answered)

    async def status(self, tracking_number: str) -> Standing | None:
        """GET it."""
        asked = Request("GET", self._url("applications", tracking_number))
        answered = await self._asked(asked, f"status_{tracking_number}")
        if answered.status == NOT_FOUND:
            return None
        if answered.status != OK:
            raise _unusable(answered)
        stands = _read(_Stands, answered, tracking_number)
        return Standing(stands.status, dict(stands.note.items()))

    async def health(self) -> None:
        """GET it; any 2xx will do."""
        answered = await self._asked(Request("GET", self._url("health")), "health")
        if answered.status // 100 != OK // 100:
            raise _unusable(answered)

    async def _asked(self, request: Request, message: str) -> Answered:
        """The answer to a request that says who we are; what asks to be asked later raises that."""
        now = self._clock()
        who = {"Authorization": f"Bearer {self._system.token}"} if self._system.token else {}
        signature = signed(self._system.keys, message, now, request.body or b"") if self._system.keys else {}
        headers = {"Accept": "application/json", **request.headers, **who, **signature}
        try:
            answered = await self._client(Request(request.method, request.url, headers, body=request.body))
        except Unanswered as failed:
            raise Unavailable(str(failed)) from None
        if answered.status == TOO_MANY:
            raise Busy("HTTP 429", _wait(answered, now))
        if answered.status in LATER or answered.status not in range(200, 500):
            raise Unavailable(f"HTTP {answered.status}", _wait(answered, now))
        return answered

    def _url(self, *parts: str) -> str:
        return "/".join((self._system.url.rstrip("/"), *(quote(part, safe="") for part in parts)))


Said = TypeVar("Said", _Received, _Stands)


def written(application: Application) -> Mapping[str, Any]:
    """An application in JSON's words."""
    fee, applicant = application.fee, application.applicant
    return {
        "tracking_number": application.tracking_number,
        "service": application.service,
        "office": application.office,
        "submitted": application.submitted.isoformat(),
        "promised": application.promised.isoformat() if application.promised else None,
        "applicant": {
            "number": applicant.number,
            "language": applicant.language,
            "channel": applicant.channel,
        },
        "beneficiary": {"number": application.beneficiary} if application.beneficiary else None,
        "form": dict(application.form),
        "documents": [{"code": paper.code, "on_file": paper.on_file} for paper in application.documents],
        "fee": {"amount_minor": fee.minor, "currency": fee.currency, "state": fee.state},
    }


def _read(shape: type[Said], answered: Answered, number: str) -> Said:
    """An answer that is about this application and of this shape."""
    try:
        said = shape.model_validate_json(answered.body)
    except ValidationError:
        raise Unavailable("unreadable answer") from None
    if said.tracking_number != number:
        raise Unavailable("answer about another number")
    return said


def _unusable(answered: Answered) -> NotNow:
    reason = f"HTTP {answered.status}"
    return Barred(reason) if answered.status in BARRED else Unavailable(reason)


def _told(answered: Answered) -> str:
    """What a problem document says, or the beginning of whatever else was answered; on one line, for a person."""
    said = _problem(answered) or answered.body.decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in said[:LONGEST_SAID])


def _problem(answered: Answered) -> str:
    try:
        said = json.loads(answered.body)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    return ": ".join(str(said[key]) for key in ("title", "detail") if said.get(key))


def _wait(answered: Answered, now: datetime) -> timedelta | None:
    """What Retry-After asks for, in seconds or as a date, at most an hour; None where it asks for nothing."""
    header = answered.headers.get("Retry-After", "")
    if header.isascii() and header.isdigit() and len(header) <= WAIT_DIGITS:
        asked = timedelta(seconds=int(header))
    else:
        asked = (_date(header) or now) - now
    return min(asked, LONGEST_WAIT) if asked > timedelta() else None


def _date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
