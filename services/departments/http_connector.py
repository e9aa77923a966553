"""The connector to a department's own system: HTTP and the JSON that docs/connector.md defines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from core.http.client import HttpClient, HttpRequest, HttpResponse, NoResponseError
from core.http.signatures import sign
from core.json_text import parse_json_object
from core.languages import LocaleCode
from core.phone_numbers import attached_or_none
from core.retry import parse_retry_after
from core.types import UtcClock, utc_now
from services.applications.models import ApplicationOperator
from services.departments.base import AccessDeniedError, BusyError, TemporaryError, UnavailableError
from services.departments.models import Accepted, ApplicationStatus, OutgoingAnswer, OutgoingApplication, Rejected

ACCEPTED_STATUSES: Final = frozenset({200, 201, 202})
EVENT_ACCEPTED_STATUSES: Final = ACCEPTED_STATUSES | {204}
NO_EVENT_ROUTE_STATUSES: Final = frozenset({404, 405})
"""Answers to an event of a system that takes none, or does not know the application."""
RETRY_STATUSES: Final = frozenset({408, 425})
ACCESS_DENIED_STATUSES: Final = frozenset({300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 407, 421})
"""Statuses that are about the connection and not about an application."""
CLIENT_ERRORS: Final = range(400, 500)
MAX_DETAIL_LENGTH: Final = 500  # characters kept of a rejection

NoteText: TypeAlias = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=160, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"
    ),
]
Reference: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True)
class DepartmentEndpoint:
    """The address of a department's system, and our credentials there: a bearer token, signing keys, or both."""

    url: str
    token: str = field(default="", repr=False)
    signing_keys: tuple[bytes, ...] = field(default=(), repr=False)


class _SubmissionReceipt(BaseModel):
    """The response to an accepted application; the reference may be a number."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    tracking_number: str
    reference: Reference


class _StatusResponse(BaseModel):
    """The response to a status query."""

    model_config = ConfigDict(frozen=True)

    tracking_number: str
    status: str
    note: dict[LocaleCode, NoteText] = {}


class HttpConnector:
    """The system of one department. The HTTP client sets the deadline of each request."""

    def __init__(self, client: HttpClient, endpoint: DepartmentEndpoint, *, clock: UtcClock = utc_now) -> None:
        self._client = client
        self._endpoint = endpoint
        self._clock = clock

    async def submit(self, application: OutgoingApplication) -> Accepted | Rejected:
        """POST an application, with its tracking number as the idempotency key.

        Raises:
            TemporaryError: the system gave no usable answer.
        """
        number = application.tracking_number
        body = json.dumps(serialize_application(application), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": number}
        request = HttpRequest("POST", self._url("applications"), headers, body=body)
        response = await self._send(request, f"app_{number}")
        if response.status in ACCEPTED_STATUSES:
            return Accepted(_parse_response(_SubmissionReceipt, response, number).reference)
        if response.status in CLIENT_ERRORS and response.status not in ACCESS_DENIED_STATUSES:
            return Rejected(f"HTTP {response.status}", _error_detail(response))
        error = _unusable_error(response)
        raise error

    async def send_answer(self, answer: OutgoingAnswer) -> Accepted | Rejected:
        """POST an answer of an applicant as an event, with its id as the idempotency key.

        A system without the route for events rejects the answer; its applications go on.

        Raises:
            TemporaryError: the system gave no usable answer.
        """
        body = json.dumps(serialize_answer(answer), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": answer.id}
        response = await self._send(HttpRequest("POST", self._url("events"), headers, body=body), answer.id)
        if response.status in EVENT_ACCEPTED_STATUSES:
            return Accepted(answer.id)
        if response.status in CLIENT_ERRORS and response.status not in ACCESS_DENIED_STATUSES - NO_EVENT_ROUTE_STATUSES:
            return Rejected(f"HTTP {response.status}", _error_detail(response))
        error = _unusable_error(response)
        raise error

    async def fetch_status(self, tracking_number: str) -> ApplicationStatus | None:
        """GET the status of an application; None where the department does not know the number.

        Raises:
            TemporaryError: the system gave no usable answer.
        """
        request = HttpRequest("GET", self._url("applications", tracking_number))
        response = await self._send(request, f"status_{tracking_number}")
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status != HTTPStatus.OK:
            error = _unusable_error(response)
            raise error
        found = _parse_response(_StatusResponse, response, tracking_number)
        return ApplicationStatus(found.status, dict(found.note.items()))

    async def check_health(self) -> None:
        """GET the health of the system; any 2xx status means that it is available.

        Raises:
            TemporaryError: the system gave no usable answer.
        """
        response = await self._send(HttpRequest("GET", self._url("health")), "health")
        if response.status // 100 != HTTPStatus.OK // 100:
            error = _unusable_error(response)
            raise error

    async def _send(self, request: HttpRequest, message_id: str) -> HttpResponse:
        now, endpoint = self._clock(), self._endpoint
        bearer = {"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
        body = request.body or b""
        signature = sign(endpoint.signing_keys, message_id, now, body) if endpoint.signing_keys else {}
        headers = {"Accept": "application/json", **request.headers, **bearer, **signature}
        try:
            response = await self._client(HttpRequest(request.method, request.url, headers, body=request.body))
        except NoResponseError as error:
            raise UnavailableError(str(error)) from None
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise _with_retry_after(BusyError, response, now)
        if response.status in RETRY_STATUSES or response.status not in range(200, 500):
            raise _with_retry_after(UnavailableError, response, now)
        return response

    def _url(self, *parts: str) -> str:
        return "/".join((self._endpoint.url.rstrip("/"), *(quote(part, safe="") for part in parts)))


ResponseModel = TypeVar("ResponseModel", _SubmissionReceipt, _StatusResponse)


def serialize_application(application: OutgoingApplication) -> Mapping[str, Any]:
    """Return the JSON object that represents an application."""
    fee, applicant = application.fee, application.applicant
    return {
        "tracking_number": application.tracking_number,
        "service": application.service,
        "office": application.office,
        "submitted": application.submitted_at.isoformat(),
        "promised": application.promised_on.isoformat() if application.promised_on else None,
        "applicant": {
            "name": applicant.name or None,
            "number": attached_or_none(applicant.msisdn),
            "language": applicant.language,
            "channel": applicant.channel,
        },
        "operator": _serialize_operator(application.operator),
        "beneficiary": {"number": attached_or_none(application.beneficiary)} if application.beneficiary else None,
        "applied_for": application.applied_for,
        "form": dict(application.form),
        "documents": [{"code": document.code, "on_file": document.on_file} for document in application.documents],
        "fee": {"amount_minor": fee.amount_minor, "currency": fee.currency, "state": fee.state},
    }


def serialize_answer(answer: OutgoingAnswer) -> Mapping[str, Any]:
    """Return the JSON object of the event of an answer."""
    return {
        "type": "application.answered",
        "tracking_number": answer.tracking_number,
        "text": answer.text,
        "at": answer.answered_at.isoformat(),
        "channel": answer.channel,
        "operator": _serialize_operator(answer.operator),
    }


def _serialize_operator(operator: ApplicationOperator | None) -> Mapping[str, Any] | None:
    return {"id": operator.id, "name": operator.name, "centre": operator.centre} if operator else None


def _parse_response(model: type[ResponseModel], response: HttpResponse, tracking_number: str) -> ResponseModel:
    try:
        parsed = model.model_validate_json(response.body)
    except ValidationError:
        raise UnavailableError("unreadable answer") from None
    if parsed.tracking_number != tracking_number:
        raise UnavailableError("answer about another number")
    return parsed


def _with_retry_after(error: type[TemporaryError], response: HttpResponse, now: datetime) -> TemporaryError:
    wait = parse_retry_after(response.headers.get("Retry-After", ""), now)
    return error(f"HTTP {response.status}", wait)


def _unusable_error(response: HttpResponse) -> TemporaryError:
    reason = f"HTTP {response.status}"
    return AccessDeniedError(reason) if response.status in ACCESS_DENIED_STATUSES else UnavailableError(reason)


def _error_detail(response: HttpResponse) -> str:
    """Return the text of a problem document, or the start of any other body, on one line for a person to read."""
    text = _problem_text(response) or response.body.decode(errors="replace")
    return "".join(character if character.isprintable() else " " for character in text[:MAX_DETAIL_LENGTH])


def _problem_text(response: HttpResponse) -> str:
    problem = parse_json_object(response.body) or {}
    return ": ".join(str(problem[key]) for key in ("title", "detail") if problem.get(key))
