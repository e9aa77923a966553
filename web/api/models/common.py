"""Models and types that the other models share: reference numbers, timestamps, notes, pages and problems."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from core.languages import LocaleCode
from services.cases.notes import MAX_NOTE_LENGTH, NoteError, parse_note

MAX_PAGE_SIZE: Final = 200
DEFAULT_PAGE_SIZE: Final = 50

# The years are those of `core.timestamps`: the others cannot be compared in every time zone.
TIMESTAMP_PATTERN: Final = (
    r"^(19[7-9][0-9]|2[01][0-9][0-9])-[0-9]{2}-[0-9]{2}[Tt]"
    r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
LIMIT_PATTERN: Final = re.compile(r"[0-9]{1,3}")
REFERENCE_NUMBER_EXAMPLE: Final = "123456789015"
TIMESTAMP_EXAMPLE: Final = "2026-11-21T06:00:00Z"

ReferenceNumber: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Code: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]


_NOTE_PROBLEMS: Final[Mapping[str, Any]] = {
    "unprintable": "It contains a control character",
    "blank": "It is empty",
    "too_long": f"It has more than {MAX_NOTE_LENGTH} characters",
}


def _validate_note(text: str) -> str:
    """The note without outer spaces. A line break is the only control character allowed in it.

    Raises:
        PydanticCustomError: the note is empty, or contains another control character.
    """
    try:
        return parse_note(text)
    except NoteError as error:
        raise PydanticCustomError(error.problem, _NOTE_PROBLEMS[error.problem]) from None


def _validate_timestamp(value: object) -> object:
    """Accept RFC 3339 text alone: pydantic would read a number as seconds since 1970.

    Raises:
        PydanticCustomError: the text is not a timestamp with a zone.
    """
    if isinstance(value, str) and not re.fullmatch(TIMESTAMP_PATTERN, value):
        raise PydanticCustomError(
            "moment",
            "Write a timestamp from 1970 to 2199 with its zone, as 2026-11-21T00:00:00Z; a plus is %2B in an address",
        )
    return value


def _validate_limit(value: object) -> object:
    if isinstance(value, str) and not LIMIT_PATTERN.fullmatch(value):
        raise PydanticCustomError("limit", "Write a whole number from 1 to {most}", {"most": MAX_PAGE_SIZE})
    return value


def describe_as_optional(schema: dict[str, Any]) -> None:
    """Describe an optional field by its own type, not as that type or null."""
    schema.pop("default", None)
    for one in schema.pop("anyOf", ()):
        schema.update(one if one != {"type": "null"} else {})


def config_with_example(example: dict[str, Any], base: type[BaseModel]) -> ConfigDict:
    """The configuration of `base` with an example for openapi.json."""
    return ConfigDict(**base.model_config, json_schema_extra={"examples": [example]})


# The same check as two patterns: no control character except the line break, and at least one character that is no space.
PRINTABLE_PATTERN: Final = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$"
Note: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NOTE_LENGTH),
    AfterValidator(_validate_note),
    Field(json_schema_extra={"pattern": PRINTABLE_PATTERN, "allOf": [{"pattern": r"\S"}]}),
]
Notes: TypeAlias = Annotated[
    dict[LocaleCode, Note], Field(description="By language; English is used for a language that is missing.")
]
NOTE_EXAMPLE: Final = {"en": "Bring your old card.", "bn": "পুরোনো কার্ড আনুন।"}
Timestamp: TypeAlias = Annotated[
    AwareDatetime,
    BeforeValidator(
        _validate_timestamp,
        json_schema_input_type=Annotated[AwareDatetime, Field(json_schema_extra={"pattern": TIMESTAMP_PATTERN})],
    ),
]
PageSize: TypeAlias = Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)]
LimitParameter: TypeAlias = Annotated[PageSize, BeforeValidator(_validate_limit, json_schema_input_type=PageSize)]


class RequestModel(BaseModel):
    """A query or body that a department sends. An unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """A response to a department; built from the attributes of a service's record."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Empty(RequestModel):
    """No query."""


class PageQuery(RequestModel):
    """The part of a list that is requested."""

    since: Annotated[
        Timestamp | None,
        Field(
            description="Only items that arrived or changed at this time or later: RFC 3339 with a zone.",
            json_schema_extra=describe_as_optional,
        ),
    ] = None
    limit: Annotated[LimitParameter, Field(description="The maximum number of items of a page.")] = DEFAULT_PAGE_SIZE
    cursor: Annotated[
        str,
        Field(
            max_length=200,
            description="The position at which a page ended, from its `next`; valid for the same query and key.",
            json_schema_extra=describe_as_optional,
        ),
    ] = ""


class PageModel(ResponseModel):
    """The fields of every list that lead to the next page."""

    next: Annotated[
        str | None,
        Field(description="The path of the next page on this host; null on the last page. The header Link has it too."),
    ]
    next_since: Annotated[
        datetime | None,
        Field(
            description="On the last page: the `since` for the next request. It is one minute ago, so that no item that was "
            "being written is missed; an item that comes twice has the same number and timestamp."
        ),
    ]


CitizenNumber: TypeAlias = Annotated[
    str | None,
    Field(description="Null once the network gave the number to another person: nobody can be reached by it."),
]


class Person(ResponseModel):
    """A citizen: the MSISDN, the language, and the channel that they used."""

    number: CitizenNumber
    language: str
    channel: str


PERSON_EXAMPLE: Final = {"number": "+8801700000001", "language": "bn", "channel": "ussd"}


class FieldError(ResponseModel):
    """One invalid field: where it is, and what is wrong with it."""

    where: str
    problem: str


class Problem(ResponseModel):
    """A problem document (RFC 9457): what is wrong, and what to do."""

    model_config = config_with_example(
        {
            "type": "about:blank",
            "title": "Not found",
            "status": 404,
            "detail": "Your department has no application with this tracking number.",
        },
        ResponseModel,
    )

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: Annotated[
        Sequence[FieldError] | None,
        Field(description="Every invalid field of a body or query.", json_schema_extra=describe_as_optional),
    ] = None
