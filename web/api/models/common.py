"""What all that is sent and told has in common: numbers, moments, notes, pages and problems."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias
from unicodedata import category

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

LONGEST_NOTE: Final = 160
MOST_ITEMS: Final = 200
SOME_ITEMS: Final = 50
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
DIGITS: Final = re.compile(r"[0-9]{1,3}")
NUMBER_EXAMPLE: Final = "123456789015"
MOMENT_EXAMPLE: Final = "2026-11-21T06:00:00Z"

Language: TypeAlias = Literal["en", "bn", "hi", "bn_Latn", "hi_Latn"]
Number: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Code: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]


def _written(text: str) -> str:
    """A note as it can be kept and shown: a line break is the only control character that has a place in it."""
    if any(category(character) == "Cc" for character in text if character != "\n"):
        raise PydanticCustomError("unprintable", "A control character stands in it")
    if not text.strip():
        raise PydanticCustomError("blank", "Nothing is written in it")
    return text.strip()


def _moment(written: object) -> object:
    """Text of this form alone: a number would be taken for seconds since 1970."""
    if isinstance(written, str) and not MOMENT.fullmatch(written):
        raise PydanticCustomError(
            "moment", "Write a moment with its zone, such as 2026-11-21T00:00:00Z; a plus is %2B in an address"
        )
    return written


def _limit(written: object) -> object:
    if isinstance(written, str) and not DIGITS.fullmatch(written):
        raise PydanticCustomError("limit", "Write a whole number from 1 to {most}", {"most": MOST_ITEMS})
    return written


def may_lack(schema: dict[str, Any]) -> None:
    """A field that may be left out is described as what it is when it is there, not as that or null."""
    schema.pop("default", None)
    for one in schema.pop("anyOf", ()):
        schema.update(one if one != {"type": "null"} else {})


def with_example(example: dict[str, Any], base: type[BaseModel]) -> ConfigDict:
    """The configuration of a model that is described with an example."""
    return ConfigDict(**base.model_config, json_schema_extra={"examples": [example]})


# What the check does, as two patterns: no control character but the line break, and something that is no space.
PRINTABLE: Final = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$"
Note: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_NOTE),
    AfterValidator(_written),
    Field(json_schema_extra={"pattern": PRINTABLE, "allOf": [{"pattern": r"\S"}]}),
]
Notes: TypeAlias = Annotated[
    dict[Language, Note], Field(description="By language; one that is missing is said in English.")
]
NOTE_EXAMPLE: Final = {"en": "Bring your old card.", "bn": "পুরোনো কার্ড আনুন।"}
Since: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_moment, json_schema_input_type=AwareDatetime)]
Between: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Limit: TypeAlias = Annotated[Between, BeforeValidator(_limit, json_schema_input_type=Between)]


class Heard(BaseModel):
    """What a department sends: anything more than there is a place for is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Told(BaseModel):
    """What a department is sent; it is made of what services say."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Nothing(Heard):
    """No query."""


class PageAsked(Heard):
    """Which part of a list."""

    since: Annotated[
        Since | None,
        Field(
            description="Only what came or changed at this moment or later: RFC 3339 with a zone.",
            json_schema_extra=may_lack,
        ),
    ] = None
    limit: Annotated[Limit, Field(description="How many items a page has at most.")] = SOME_ITEMS
    cursor: Annotated[
        str,
        Field(
            max_length=200,
            description="Where a page ended, out of its `next`; good for the same query and key.",
            json_schema_extra=may_lack,
        ),
    ] = ""


class Page(Told):
    """What all lists have: where they go on."""

    next: Annotated[
        str | None, Field(description="The next page, as an address on this host; null on the last one. As Link, too.")
    ]
    next_since: Annotated[
        datetime | None,
        Field(
            description="On the last page: the `since` to ask with next time. It lies a minute back, so that nothing is "
            "missed that was being written; what comes twice has the same number and moment."
        ),
    ]


class Person(Told):
    """Whom something is told to: the MSISDN, the language, and the channel they came on."""

    number: str
    language: str
    channel: str


PERSON_EXAMPLE: Final = {"number": "+8801700000001", "language": "bn", "channel": "ussd"}


class Wrong(Told):
    """One place that is not as it must be."""

    where: str
    problem: str


class Problem(Told):
    """RFC 9457: what kind of problem, and what was wrong here and would be right."""

    model_config = with_example(
        {
            "type": "about:blank",
            "title": "Not found",
            "status": 404,
            "detail": "Your department has no application with this tracking number.",
        },
        Told,
    )

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: Annotated[
        Sequence[Wrong] | None,
        Field(description="Every place of a body or query that is wrong.", json_schema_extra=may_lack),
    ] = None
