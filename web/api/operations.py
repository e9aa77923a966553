"""Operations of the department API: each with its models, its problems and its handler.

The routes and openapi.json are both built from these.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel

from services.audit.models import Actor
from services.departments.api_keys import ApiKeyHolder, KeyKind
from web.api.errors import ProblemSpec
from web.api.models.common import Empty, RequestModel

Query = TypeVar("Query", bound=RequestModel)
Body = TypeVar("Body", bound=RequestModel | None)


@dataclass(frozen=True, slots=True)
class ApiRequest(Generic[Query, Body]):
    """A valid request of an authenticated department. `number` is the twelve digits in its path, where it has any."""

    key_holder: ApiKeyHolder
    query: Query
    body: Body
    path: str = ""
    number: str = ""
    idempotency_key: str = ""

    @property
    def department(self) -> str:
        """The code of the department that the API key belongs to."""
        return self.key_holder.department

    @property
    def actor(self) -> Actor:
        """The actor that the audit records."""
        return Actor(self.key_holder.kind, self.key_holder.department, "api", {"key": self.key_holder.key_id})


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response without an error."""

    model: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def for_change(cls, model: BaseModel, *, replayed: bool) -> Self:
        """The response to a change: 201 if this request made it, 200 if an earlier one with the same key did."""
        return cls(model, 200, {"Idempotency-Replayed": "true"}) if replayed else cls(model, 201)


OperationHandler: TypeAlias = Callable[[ApiRequest[Query, Body]], Awaitable[ApiResponse]]
"""Handles a request; raises `errors.ApiError` with one of the problems of its operation."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[Query, Body]):
    """One operation of the API. A name in braces in its path stands for a number of twelve digits.

    It is for keys of `key_kind`. An operation with a body changes something: it requires an Idempotency-Key, and responds with 201, or 200 to a repeat.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    description: str
    response_model: type[BaseModel]
    handler: OperationHandler[Query, Body]
    query_model: type[RequestModel] = Empty
    body_model: type[RequestModel] | None = None
    problems: Mapping[str, ProblemSpec] = field(default_factory=dict)
    key_kind: KeyKind = "department"


AnyOperation: TypeAlias = Operation[Any, Any]
