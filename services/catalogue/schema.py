"""The schema of a catalogue file: its tables, its keys, and the type of each key.

Rules between keys are in `rules`, rules for texts in `text_rules`.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, NotRequired, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict  # pydantic requires this one before Python 3.12

from core.currencies import CURRENCY_CODES, CurrencyCode
from core.errors import Finding, KeyPath
from core.languages import COMPLETE_LANGUAGES, LOCALE_CODES, language_of_locale
from services.catalogue.models import CHANNELS, CODE_PATTERN, FIELD_KINDS, RECIPIENTS, Channel, FieldKind, Recipient

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

Code: TypeAlias = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
WholeNumber: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]


# One text in every language that requires names. Others, and the locales in Latin letters, may be missing; the check warns.
if TYPE_CHECKING:
    TextsSchema: TypeAlias = Mapping[str, str]
else:
    TextsSchema = with_config(STRICT)(
        TypedDict(
            "TextsSchema", {code: str if code in COMPLETE_LANGUAGES else NotRequired[str] for code in LOCALE_CODES}
        )
    )


def _texts_example(key: str) -> str:
    return "write " + ", ".join(f'{key}.{code} = "…"' for code in COMPLETE_LANGUAGES)


def _text_help(locale_code: str) -> tuple[str, str]:
    language = language_of_locale(locale_code)
    letters = "" if language.code == locale_code else " with Latin letters"
    return "a text", f"write it in {language.name}{letters}, in quotes"


class FieldSchema(BaseModel):
    """`[services.CODE.fields.NAME]`."""

    model_config = STRICT

    kind: FieldKind
    labels: TextsSchema
    names: TextsSchema | None = None
    choices: dict[Code, TextsSchema] = {}
    scheme: str = ""
    lengths: list[Annotated[int, Field(ge=1, le=40)]] = []
    least: WholeNumber | None = None
    most: WholeNumber | None = None
    when: Literal["any", "past", "future"] = "any"
    within_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    profile: str = ""


class ServiceSchema(BaseModel):
    """`[services.CODE]`."""

    model_config = STRICT

    number: Annotated[int, Field(ge=1, le=99_999)]
    names: TextsSchema
    sector: Code
    office: Code
    recipients: Annotated[list[Recipient], Field(min_length=1)] = ["citizen"]
    fee: WholeNumber
    currency: CurrencyCode
    days: Annotated[int, Field(ge=0, le=3650)]
    documents: list[Code] = []
    channels: Annotated[list[Channel], Field(min_length=1)]
    for_self: bool = True
    for_others: bool = True
    for_dependents: bool | None = None  # None: as for_others
    order: Annotated[int, Field(ge=1, le=99_999)] | None = None
    fields: dict[Code, FieldSchema] = {}


class NamedSchema(BaseModel):
    """`[sectors.CODE]` and `[offices.CODE]`: names alone."""

    model_config = STRICT

    names: TextsSchema


class DepartmentSchema(BaseModel):
    """`[department]`; its code is the name of the file."""

    model_config = STRICT

    names: TextsSchema
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", max_length=254)] | None = None
    payments: bool = False
    cash: bool = False


class BillerSchema(BaseModel):
    """`[billers.CODE]`."""

    model_config = STRICT

    names: TextsSchema
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    currency: CurrencyCode
    adapter: Literal["sandbox", "http"]
    consumer: FieldSchema


class EscalationLevelSchema(BaseModel):
    """`[officers.CODE]`: a level that answers complaints, in the order of the file."""

    model_config = STRICT

    names: TextsSchema
    answer_days: Annotated[int, Field(ge=1, le=365)]


class CatalogueFileSchema(BaseModel):
    """One catalogue file."""

    model_config = STRICT

    department: DepartmentSchema | None = None
    sectors: dict[Code, NamedSchema] = {}
    documents: dict[Code, TextsSchema] = {}
    offices: dict[Code, NamedSchema] = {}
    officers: dict[Code, EscalationLevelSchema] = {}
    billers: dict[Code, BillerSchema] = {}
    services: dict[Code, ServiceSchema] = {}


def _quote_words(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _choice_example() -> str:
    texts = ", ".join(f'{code} = "…"' for code in COMPLETE_LANGUAGES)
    return f"write each choice as CODE = {{ {texts} }}"


KEY_HELP: Mapping[str, tuple[str, str]] = {
    "number": ("a keypad number", "write a whole number from 1 to 99999, without leading zeros"),
    "sector": ("the code of a sector", 'write one such as "identity"'),
    "office": ("the code of an office", 'write one such as "mirpur"'),
    "recipients": ("a recipient", f"write a list of {_quote_words(RECIPIENTS)}"),
    "fee": ("an amount in paisa", "write a whole number such as 5000"),
    "currency": ("a currency", f"write one of {_quote_words(CURRENCY_CODES)}"),
    "days": ("a number of days", "write a whole number such as 7, or 0 for at once"),
    "documents": ("the code of a document", 'write a list of codes such as ["photo"]'),
    "channels": ("a channel", f"write a list of {_quote_words(CHANNELS)}"),
    "for_self": ("true or false", "write false where nobody may apply for themselves"),
    "for_others": ("true or false", "write false where nobody may apply for another person"),
    "for_dependents": ("true or false", "write false where nobody may apply for a child or somebody without a phone"),
    "order": ("a place in its sector", "write a whole number such as 10, or leave it out"),
    "fields": ("a form field", "write each field as a table [services.CODE.fields.NAME]"),
    "kind": ("a kind of field", f"write one of {_quote_words(FIELD_KINDS)}"),
    "choices": ("a choice", _choice_example()),
    "scheme": ("a scheme of identity numbers", 'write one such as "in_.aadhaar", or "digits"'),
    "lengths": ("a number of digits", "write a list of whole numbers such as [10, 17]"),
    "least": ("a least value", "write a whole number such as 1"),
    "most": ("a most value", "write a whole number such as 100"),
    "when": ("a direction in time", 'write "any", "past" or "future"'),
    "within_days": ("a number of days", "write a whole number from 1 to 36500"),
    "region": ("a country", 'write its two letters, such as "BD"'),
    "profile": ("a key of the profile", 'write one such as "born"'),
    "country": ("a country", 'write its two letters, such as "BD"'),
    "names": ("a name in every language", _texts_example("names")),
    "labels": ("a question in every language", _texts_example("labels")),
    "department": ("a department", "write a table [department] with names and country"),
    "payments": ("true or false", "write true where its fees can be paid here"),
    "cash": ("true or false", "write true where operators of centres may take its fees in cash"),
    "billers": ("a biller", "write each biller as a table [billers.CODE]"),
    "adapter": ("a way to ask a biller", 'write "http", or "sandbox" for samples'),
    "consumer": ("the consumer's number", "write a table [billers.CODE.consumer] with kind and labels"),
    "sectors": ("a sector", "write each sector as a table [sectors.CODE]"),
    "answer_days": ("a number of days", "write a whole number from 1 to 365"),
    "email": ("an e-mail address", 'write one such as "feedback@example.org"'),
    "offices": ("an office", "write each office as a table [offices.CODE]"),
    "officers": ("an officer's post", "write each post as a table [officers.CODE]"),
    "services": ("a service", "write each service as a table [services.CODE]"),
    **{code: _text_help(code) for code in LOCALE_CODES},
}
"""What each key contains, and how to write it."""

MAX_QUOTED_LENGTH = 40

_TABLE_SCHEMAS: Mapping[KeyPath, type[BaseModel]] = {
    (): CatalogueFileSchema,
    ("department",): DepartmentSchema,
    ("sectors", "*"): NamedSchema,
    ("offices", "*"): NamedSchema,
    ("officers", "*"): EscalationLevelSchema,
    ("billers", "*"): BillerSchema,
    ("billers", "*", "consumer"): FieldSchema,
    ("services", "*"): ServiceSchema,
    ("services", "*", "fields", "*"): FieldSchema,
}


class SchemaHelp(NamedTuple):
    """Help for an editor of one kind of file: what each key contains, and the schema of each table."""

    key_help: Mapping[str, tuple[str, str]]
    table_schemas: Mapping[KeyPath, type[BaseModel]]

    def known_keys(self, path: KeyPath) -> tuple[str, ...]:
        """The keys of the table at `place`."""
        shape = self.table_schemas.get(tuple("*" if step % 2 else key for step, key in enumerate(path)))
        return tuple(shape.model_fields) if shape else LOCALE_CODES


CATALOGUE_HELP: Final = SchemaHelp(KEY_HELP, _TABLE_SCHEMAS)


def parse_file(tables: Mapping[str, Any]) -> CatalogueFileSchema:
    """The tables of one file, validated.

    Raises:
        pydantic.ValidationError: with every key that is missing, unknown or of the wrong type.
    """
    return CatalogueFileSchema.model_validate(tables)


def schema_findings(invalid: ValidationError, schema_help: SchemaHelp = CATALOGUE_HELP) -> Iterator[Finding]:
    """The errors of pydantic, in words for an editor."""
    for error in invalid.errors(include_url=False):
        path = tuple(step for step in error["loc"] if isinstance(step, str))
        yield _FINDING_BUILDERS.get(error["type"], _wrong_value)(schema_help, path, error)


def _missing_key(schema_help: SchemaHelp, path: KeyPath, _: ErrorDetails) -> Finding:
    return Finding(path, "is missing", schema_help.key_help[path[-1]][1])


def _unknown_key(schema_help: SchemaHelp, path: KeyPath, _: ErrorDetails) -> Finding:
    known = schema_help.known_keys(path[:-1])
    near = get_close_matches(path[-1], known, n=1, cutoff=0.75)
    fix = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    return Finding(path, "is not a key that is known here", fix)


def _empty_value(schema_help: SchemaHelp, path: KeyPath, _: ErrorDetails) -> Finding:
    return Finding(path, "is empty", schema_help.key_help[path[-1]][1])


def _wrong_value(schema_help: SchemaHelp, path: KeyPath, error: ErrorDetails) -> Finding:
    if path[-1] == "[key]":
        return Finding(path[:-1], "is not a code", "write small letters, digits and _, such as trade_licence")
    what, fix = schema_help.key_help.get(path[-1]) or schema_help.key_help[path[-2]]
    return Finding(path, f"{_quote_value(error['input'])} is not {what}", fix)


_FINDING_BUILDERS = {"missing": _missing_key, "extra_forbidden": _unknown_key, "too_short": _empty_value}


def _quote_value(value: object) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_QUOTED_LENGTH else f"{text[:MAX_QUOTED_LENGTH]}…"
