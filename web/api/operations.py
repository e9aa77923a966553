"""What can be asked of the department API: each operation with its models, its refusals and who answers it.

The routes are made of these, and openapi.json is.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel

from services.audit import Who
from services.keys import Holder
from web.api.models.common import Heard, Nothing
from web.api.problems import Said

Query = TypeVar("Query", bound=Heard)
Body = TypeVar("Body", bound=Heard | None)


@dataclass(frozen=True, slots=True)
class Call(Generic[Query, Body]):
    """What is asked, once it is as it must be. `number` is that of the address; `key` the Idempotency-Key."""

    caller: Holder
    query: Query
    body: Body
    path: str = ""
    number: str = ""
    key: str = ""

    @property
    def department(self) -> str:
        """Whose key it is."""
        return self.caller.department

    @property
    def who(self) -> Who:
        """Whom the audit names."""
        return Who("department", self.caller.department, "api", {"key": self.caller.key})


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered where nothing is refused."""

    model: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_change(cls, model: BaseModel, *, again: bool) -> Self:
        """To who changed something: made by this request, or by an earlier one with the same key."""
        return cls(model, 200, {"Idempotency-Replayed": "true"}) if again else cls(model, 201)


Answers: TypeAlias = Callable[[Call[Query, Body]], Awaitable[Answer]]
"""Raises `problems.Refused` with one of its operation's refusals."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[Query, Body]):
    """One thing that can be asked. A name between braces in its path stands for a number of twelve digits.

    One that takes a body changes something, and wants an Idempotency-Key; it answers 201, and a repeat 200.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    says: str
    gives: type[BaseModel]
    answers: Answers[Query, Body]
    query: type[Heard] = Nothing
    body: type[Heard] | None = None
    refusals: Mapping[str, Said] = field(default_factory=dict)


AnyOperation: TypeAlias = Operation[Any, Any]
