"""What an editor writes in a catalogue file: its tables and keys, and what each key takes.

Only what can be said of one key alone stands here; the words in texts are checked by `wording`, and what one key means
for another by `rules`.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from faults import Finding, Place
from services.catalogue.model import CHANNELS, CODE, KINDS, RECIPIENTS, Channel, Kind, Recipient

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

Code: TypeAlias = Annotated[str, StringConstraints(pattern=CODE)]
Whole: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]


@with_config(STRICT)
class WrittenTexts(TypedDict):
    """One text in every language; the Latin forms are for networks that show no other letters."""

    en: str
    bn: str
    hi: str
    bn_Latn: NotRequired[str]
    hi_Latn: NotRequired[str]


class WrittenField(BaseModel):
    """`[services.CODE.fields.NAME]`."""

    model_config = STRICT

    kind: Kind
    labels: WrittenTexts
    choices: dict[Code, WrittenTexts] = {}
    scheme: str = ""
    lengths: list[Annotated[int, Field(ge=1, le=40)]] = []
    least: Whole | None = None
    most: Whole | None = None
    when: Literal["any", "past", "future"] = "any"
    within_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    profile: str = ""


class WrittenService(BaseModel):
    """`[services.CODE]`."""

    model_config = STRICT

    number: Annotated[int, Field(ge=1, le=99_999)]
    names: WrittenTexts
    sector: Code
    office: Code
    recipients: Annotated[list[Recipient], Field(min_length=1)] = ["citizen"]
    fee: Whole
    currency: Literal["BDT", "INR", "KES"]
    days: Annotated[int, Field(ge=0, le=3650)]
    documents: list[Code] = []
    channels: Annotated[list[Channel], Field(min_length=1)]
    for_others: bool = True
    order: Annotated[int, Field(ge=1, le=99_999)] | None = None
    fields: dict[Code, WrittenField] = {}


class WrittenNamed(BaseModel):
    """`[sectors.CODE]` and `[offices.CODE]`: something that has a name."""

    model_config = STRICT

    names: WrittenTexts


class WrittenDepartment(BaseModel):
    """`[department]`; its code is the file's name."""

    model_config = STRICT

    names: WrittenTexts
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", max_length=254)] | None = None
    payments: bool = False


class WrittenBiller(BaseModel):
    """`[billers.CODE]`."""

    model_config = STRICT

    names: WrittenTexts
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    currency: Literal["BDT", "INR", "KES"]
    adapter: Literal["sandbox", "http"]
    consumer: WrittenField


class WrittenOfficer(BaseModel):
    """`[officers.CODE]`: a post that complaints go to, in the order of the file."""

    model_config = STRICT

    names: WrittenTexts
    answer_days: Annotated[int, Field(ge=1, le=365)]


class WrittenFile(BaseModel):
    """One file of the catalogue."""

    model_config = STRICT

    department: WrittenDepartment | None = None
    sectors: dict[Code, WrittenNamed] = {}
    documents: dict[Code, WrittenTexts] = {}
    offices: dict[Code, WrittenNamed] = {}
    officers: dict[Code, WrittenOfficer] = {}
    billers: dict[Code, WrittenBiller] = {}
    services: dict[Code, WrittenService] = {}


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)


WANTED: Mapping[str, tuple[str, str]] = {
    "number": ("a keypad number", "write a whole number from 1 to 99999, without leading zeros"),
    "sector": ("the code of a sector", 'write one such as "identity"'),
    "office": ("the code of an office", 'write one such as "mirpur"'),
    "recipients": ("a recipient", f"write a list of {_quoted(RECIPIENTS)}"),
    "fee": ("an amount in paisa", "write a whole number such as 5000"),
    "currency": ("a currency", 'write "BDT", "INR" or "KES"'),
    "days": ("a number of days", "write a whole number such as 7, or 0 for at once"),
    "documents": ("the code of a document", 'write a list of codes such as ["photo"]'),
    "channels": ("a channel", f"write a list of {_quoted(CHANNELS)}"),
    "for_others": ("true or false", "write false where nobody may apply for another person"),
    "order": ("a place in its sector", "write a whole number such as 10, or leave it out"),
    "fields": ("a form field", "write each field as a table [services.CODE.fields.NAME]"),
    "kind": ("a kind of field", f"write one of {_quoted(KINDS)}"),
    "choices": ("a choice", 'write each choice as CODE = { en = "…", bn = "…", hi = "…" }'),
    "scheme": ("a scheme of identity numbers", 'write one such as "in_.aadhaar", or "digits"'),
    "lengths": ("a number of digits", "write a list of whole numbers such as [10, 17]"),
    "least": ("a least value", "write a whole number such as 1"),
    "most": ("a most value", "write a whole number such as 100"),
    "when": ("a direction in time", 'write "any", "past" or "future"'),
    "within_days": ("a number of days", "write a whole number from 1 to 36500"),
    "region": ("a country", 'write its two letters, such as "BD"'),
    "profile": ("a key of the profile", 'write one such as "born"'),
    "country": ("a country", 'write its two letters, such as "BD"'),
    "names": ("a name in every language", 'write names.en = "…", names.bn = "…", names.hi = "…"'),
    "labels": ("a question in every language", 'write labels.en = "…", labels.bn = "…", labels.hi = "…"'),
    "department": ("a department", "write a table [department] with names and country"),
    "payments": ("true or false", "write true where its fees can be paid here"),
    "billers": ("a biller", "write each biller as a table [billers.CODE]"),
    "adapter": ("a way to ask a biller", 'write "http", or "sandbox" for samples'),
    "consumer": ("the consumer's number", "write a table [billers.CODE.consumer] with kind and labels"),
    "sectors": ("a sector", "write each sector as a table [sectors.CODE]"),
    "answer_days": ("a number of days", "write a whole number from 1 to 365"),
    "email": ("an e-mail address", 'write one such as "feedback@example.org"'),
    "offices": ("an office", "write each office as a table [offices.CODE]"),
    "officers": ("an officer's post", "write each post as a table [officers.CODE]"),
    "services": ("a service", "write each service as a table [services.CODE]"),
    "en": ("a text", "write it in English, in quotes"),
    "bn": ("a text", "write it in Bengali, in quotes"),
    "hi": ("a text", "write it in Hindi, in quotes"),
    "bn_Latn": ("a text", "write it in Bengali with Latin letters, in quotes"),
    "hi_Latn": ("a text", "write it in Hindi with Latin letters, in quotes"),
}
"""Key to what it takes and how to write it right."""

LANGUAGES = tuple(WrittenTexts.__annotations__)

MOST_SHOWN = 40

_SHAPES: Mapping[Place, type[BaseModel]] = {
    (): WrittenFile,
    ("department",): WrittenDepartment,
    ("sectors", "*"): WrittenNamed,
    ("offices", "*"): WrittenNamed,
    ("officers", "*"): WrittenOfficer,
    ("billers", "*"): WrittenBiller,
    ("billers", "*", "consumer"): WrittenField,
    ("services", "*"): WrittenService,
    ("services", "*", "fields", "*"): WrittenField,
}


class Manual(NamedTuple):
    """What can be written in a kind of file: each key with what it takes and how that is written, each table's shape."""

    wanted: Mapping[str, tuple[str, str]]
    shapes: Mapping[Place, type[BaseModel]]

    def keys_of(self, place: Place) -> tuple[str, ...]:
        """What may stand in the table at `place`."""
        shape = self.shapes.get(tuple("*" if step % 2 else key for step, key in enumerate(place)))
        return tuple(shape.model_fields) if shape else LANGUAGES


CATALOGUE: Final = Manual(WANTED, _SHAPES)


def read(tables: Mapping[str, Any]) -> WrittenFile:
    """The tables of one file.

    Raises:
        pydantic.ValidationError: with every key that is missing, unknown or takes something else.
    """
    return WrittenFile.model_validate(tables)


def findings(broken: ValidationError, manual: Manual = CATALOGUE) -> Iterator[Finding]:
    """What pydantic refused, in an editor's words."""
    for error in broken.errors(include_url=False):
        place = tuple(step for step in error["loc"] if isinstance(step, str))
        yield _ASKED_BY.get(error["type"], _not_what_is_wanted)(manual, place, error)


def _missing(manual: Manual, place: Place, _: ErrorDetails) -> Finding:
    return Finding(place, "is missing", manual.wanted[place[-1]][1])


def _unknown(manual: Manual, place: Place, _: ErrorDetails) -> Finding:
    known = manual.keys_of(place[:-1])
    near = get_close_matches(place[-1], known, n=1, cutoff=0.75)
    right = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    return Finding(place, "is not a key that is known here", right)


def _too_few(manual: Manual, place: Place, _: ErrorDetails) -> Finding:
    return Finding(place, "is empty", manual.wanted[place[-1]][1])


def _not_what_is_wanted(manual: Manual, place: Place, error: ErrorDetails) -> Finding:
    if place[-1] == "[key]":
        return Finding(place[:-1], "is not a code", "write small letters, digits and _, such as trade_licence")
    what, right = manual.wanted.get(place[-1]) or manual.wanted[place[-2]]
    return Finding(place, f"{_shown(error['input'])} is not {what}", right)


_ASKED_BY = {"missing": _missing, "extra_forbidden": _unknown, "too_short": _too_few}


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    said = str(value).lower() if isinstance(value, bool) else repr(value)
    return said if len(said) <= MOST_SHOWN else f"{said[:MOST_SHOWN]}…"
