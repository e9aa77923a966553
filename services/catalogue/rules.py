"""Rules between the keys of a catalogue file, and between files.

The rules read the tables as written, even if other parts are invalid, so that an editor sees every problem at once. A value
of the wrong type is skipped here and reported by `schema`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

from core.errors import Finding, KeyPath
from core.phone_numbers import is_country
from services.catalogue import text_rules
from services.catalogue.id_schemes import UnknownSchemeError, find_validator
from services.catalogue.models import (
    CODE_PATTERN,
    DIGITS_SCHEME,
    FIELD_KINDS,
    FIRST_YEAR,
    LAST_YEAR,
    PHONE_CHANNELS,
)
from services.catalogue.profile_fields import PROFILE_FIELDS
from services.catalogue.text_rules import DOCUMENT_LIMIT, LABEL_LIMIT, NAME_LIMIT, OPTION_LIMIT, TextLimit

Tables: TypeAlias = Mapping[str, Any]
NamedFile: TypeAlias = tuple[str, Tables]
"""The code of a file (its name without the extension), and its tables as written."""

MAX_CHOICES = 9
MIN_CHOICES = 2
KINDS_BY_KEY: Mapping[str, frozenset[str]] = {
    "choices": frozenset({"choice"}),
    "scheme": frozenset({"identity"}),
    "lengths": frozenset({"identity"}),
    "least": frozenset({"text", "name", "number", "date"}),
    "most": frozenset({"text", "name", "number", "date"}),
    "when": frozenset({"date"}),
    "within_days": frozenset({"date"}),
    "region": frozenset({"phone", "postcode"}),
}
"""The kinds of field that a key is allowed for; other keys are allowed for every kind."""
REFERENCED_TABLES: Mapping[str, str] = {"sector": "sectors", "office": "offices", "documents": "documents"}
"""The table that the values of a key of a service refer to."""


def check_file(tables: Tables) -> Iterator[Finding]:
    """The problems within one file."""
    if {"services", "offices", "officers"} & tables.keys() and "department" not in tables:
        yield Finding(("department",), "is missing", "say whose services and offices these are in a table [department]")
    for path, texts, room in _iter_texts(tables):
        for language, (problem, fix) in text_rules.check_texts(texts, room):
            yield Finding((*path, language), problem, fix)
    yield from _check_country(("department", "country"), _get_table(tables, "department").get("country"))
    for code, service in _iter_tables(tables, "services"):
        yield from _check_service(("services", code), service)
    for code, biller in _iter_tables(tables, "billers"):
        yield from _check_biller(("billers", code), biller)


def check_between_files(files: Sequence[NamedFile], *, complete: bool) -> Iterator[tuple[str, Finding]]:
    """The problems between the files, each with the code of the file to change.

    References are checked only if all files could be read (`complete`).
    """
    for name, _ in files:
        if not re.fullmatch(CODE_PATTERN, name):
            yield name, Finding((), "is not named by a code", "use small letters, digits and _, such as brta.toml")
    for kind in ("sectors", "offices", "documents", "services", "billers"):
        yield from _check_duplicates(kind, files)
    yield from _check_numbers(files)
    if complete:
        yield from _check_references(files)


def _check_references(files: Sequence[NamedFile]) -> Iterator[tuple[str, Finding]]:
    for key, kind in REFERENCED_TABLES.items():
        known = {code for _, tables in files for code in _get_table(tables, kind)}
        for name, tables in files:
            for code, service in _iter_tables(tables, "services"):
                path = ("services", code, key)
                yield from ((name, finding) for finding in _unknown_references(path, service.get(key), known))


def _iter_texts(tables: Tables) -> Iterator[tuple[KeyPath, Tables, TextLimit]]:
    yield ("department", "names"), _get_table(_get_table(tables, "department"), "names"), NAME_LIMIT
    for kind in ("sectors", "offices", "officers", "services", "billers"):
        for code, named in _iter_tables(tables, kind):
            yield (kind, code, "names"), _get_table(named, "names"), NAME_LIMIT
    for code, texts in _iter_tables(tables, "documents"):
        yield ("documents", code), texts, DOCUMENT_LIMIT
    for code, biller in _iter_tables(tables, "billers"):
        yield ("billers", code, "consumer", "labels"), _get_table(_get_table(biller, "consumer"), "labels"), LABEL_LIMIT
    for code, service in _iter_tables(tables, "services"):
        for name, field in _iter_tables(service, "fields"):
            path = ("services", code, "fields", name)
            yield (*path, "labels"), _get_table(field, "labels"), LABEL_LIMIT
            yield (*path, "names"), _get_table(field, "names"), OPTION_LIMIT
            for choice, texts in _iter_tables(field, "choices"):
                yield (*path, "choices", choice), texts, OPTION_LIMIT


def _check_service(path: KeyPath, service: Tables) -> Iterator[Finding]:
    by_phone = sorted(PHONE_CHANNELS.intersection(_strings_in(service.get("channels"))))
    if by_phone and not _get_table(service, "fields"):
        problem = f"offers {' and '.join(by_phone)} without a form to fill in"
        yield Finding((*path, "channels"), problem, "add its fields, or offer it on kaios and web only")
    for key in ("channels", "documents", "recipients"):
        yield from _check_repeated((*path, key), _strings_in(service.get(key)))
    if service.get("for_self") is False and service.get("for_others") is False and not service.get("for_dependents"):
        yield Finding(
            (*path, "for_self"), "leaves nobody to apply for", "allow one of for_self, for_others, for_dependents"
        )
    for name, field in _iter_tables(service, "fields"):
        yield from _check_field((*path, "fields", name), field, by_phone=bool(by_phone))


def _check_biller(path: KeyPath, biller: Tables) -> Iterator[Finding]:
    """A consumer number is an identity number, so that only its last digits are shown."""
    consumer = _get_table(biller, "consumer")
    yield from _check_country((*path, "country"), biller.get("country"))
    if consumer.get("kind") in FIELD_KINDS and consumer["kind"] != "identity":
        yield Finding((*path, "consumer", "kind"), "is no number that a bill goes by", 'make the kind "identity"')
    yield from _check_field((*path, "consumer"), consumer, by_phone=True)


def _check_field(path: KeyPath, field: Tables, *, by_phone: bool) -> Iterator[Finding]:
    kind = field.get("kind")
    for key in field:
        if kind in FIELD_KINDS and key in KINDS_BY_KEY and kind not in KINDS_BY_KEY[key]:
            fix = f"remove it, or make the kind {' or '.join(sorted(KINDS_BY_KEY[key]))}"
            yield Finding((*path, key), f"means nothing for a field of kind {kind}", fix)
    if kind == "choice":
        yield from _check_choices((*path, "choices"), len(_get_table(field, "choices")), by_phone=by_phone)
    if kind == "identity":
        yield from _check_identity(path, field)
    if kind == "date" and "when" not in field and "within_days" not in field:
        fix = 'write "past" for a birth or a death, "future" for an appointment, or "any"'
        yield Finding((*path, "when"), "is missing", fix)
    if isinstance(field.get("profile"), str):
        yield from _check_profile((*path, "profile"), field)
    yield from _check_country((*path, "region"), field.get("region"))
    yield from _check_bounds(path, field)


def _check_choices(path: KeyPath, option_count: int, *, by_phone: bool) -> Iterator[Finding]:
    if option_count < MIN_CHOICES:
        yield Finding(path, f"has {option_count} to choose from", f"give at least {MIN_CHOICES}")
    if by_phone and option_count > MAX_CHOICES:
        fix = f"give at most {MAX_CHOICES}, one for each key of a phone, or offer the service on kaios and web only"
        yield Finding(path, f"has {option_count} to choose from", fix)


def _check_identity(path: KeyPath, field: Tables) -> Iterator[Finding]:
    match field.get("scheme"):
        case None:
            yield Finding(
                (*path, "scheme"), "is missing", f'name the check, such as "in_.aadhaar", or "{DIGITS_SCHEME}"'
            )
        case str(name) if name != DIGITS_SCHEME:
            yield from _check_scheme((*path, "scheme"), name)
        case str() if not field.get("lengths"):
            yield Finding((*path, "lengths"), "is missing", "say how many digits it has, such as [10, 17]")


def _check_scheme(path: KeyPath, name: str) -> Iterator[Finding]:
    try:
        find_validator(name)
    except UnknownSchemeError:
        fix = f'write a module of python-stdnum such as "in_.aadhaar", or "{DIGITS_SCHEME}"'
        yield Finding(path, f"{name!r} is not a scheme of identity numbers", fix)


def _check_profile(path: KeyPath, field: Tables) -> Iterator[Finding]:
    """Check that the answer stored under a profile key is valid for the field."""
    key = field["profile"]
    if key not in PROFILE_FIELDS:
        near = get_close_matches(key, PROFILE_FIELDS, n=1)
        fix = f'did you mean "{near[0]}"?' if near else f"write one of {', '.join(PROFILE_FIELDS)}"
        yield Finding(path, f"{key!r} is not a key of the profile", fix)
        return
    known = PROFILE_FIELDS[key]
    if field.get("kind") != known.kind:
        problem = f"{key!r} is of kind {known.kind}, and this field is not"
        yield Finding(path, problem, f'make the kind "{known.kind}", or take this out')
    elif known.scheme and field.get("scheme") != known.scheme:
        yield Finding(path, f"{key!r} is checked as {known.scheme}", f'write scheme = "{known.scheme}"')
    elif known.kind == "choice" and set(_get_table(field, "choices")) != (codes := {code for code, _ in known.choices}):
        problem = f"{key!r} is one of {', '.join(sorted(codes))}, and the choices are others"
        yield Finding(path, problem, "give the choices these codes, or take this out")


def _check_bounds(path: KeyPath, field: Tables) -> Iterator[Finding]:
    match field.get("least"), field.get("most"):
        case int(least), int(most) if least > most:
            yield Finding((*path, "least"), f"{least} is more than the most, {most}", "write the smaller number here")
    if field.get("kind") == "date":
        yield from _check_years(path, field)
    if "within_days" in field and field.get("when", "any") == "any":
        fix = 'add when = "past" or when = "future"'
        yield Finding((*path, "within_days"), "does not say in which direction", fix)


def _check_years(path: KeyPath, field: Tables) -> Iterator[Finding]:
    for key in ("least", "most"):
        match field.get(key):
            case int(year) if not FIRST_YEAR <= year <= LAST_YEAR:
                problem = f"{year} is not a year that a date here could have"
                yield Finding((*path, key), problem, f"write a year from {FIRST_YEAR} to {LAST_YEAR}")


def _check_country(path: KeyPath, code: object) -> Iterator[Finding]:
    if isinstance(code, str) and len(code) == len("BD") and code.isupper() and not is_country(code):
        yield Finding(path, f"{code!r} is not a country", 'write its two letters as in ISO 3166, such as "BD"')


def _check_repeated(path: KeyPath, words: Sequence[str]) -> Iterator[Finding]:
    for word in dict.fromkeys(word for word in words if words.count(word) > 1):
        yield Finding(path, f"has {word!r} twice", "write it once")


def _check_duplicates(kind: str, files: Sequence[NamedFile]) -> Iterator[tuple[str, Finding]]:
    first: dict[str, str] = {}
    for name, tables in files:
        for code in _get_table(tables, kind):
            if first.setdefault(code, name) != name:
                yield name, Finding((kind, code), f"is in {first[code]}.toml too", "give one of the two another code")


def _check_numbers(files: Sequence[NamedFile]) -> Iterator[tuple[str, Finding]]:
    first: dict[int, str] = {}
    for name, tables in files:
        for code, service in _iter_tables(tables, "services"):
            number = service.get("number")
            if isinstance(number, int) and first.setdefault(number, code) != code:
                problem = f"{number} is the number of {first[number]} already"
                yield name, Finding(("services", code, "number"), problem, "write one that no service has had")


def _unknown_references(path: KeyPath, value: object, known: set[str]) -> Iterator[Finding]:
    for code in _strings_in([value] if isinstance(value, str) else value):
        if code not in known:
            near = get_close_matches(code, known, n=1)
            kind = REFERENCED_TABLES[path[-1]]
            fix = f'did you mean "{near[0]}"?' if near else f"write a code that stands under [{kind}], or add it there"
            yield Finding(path, f"{code!r} is not known", fix)


def _get_table(tables: Tables, key: str) -> Tables:
    table = tables.get(key)
    return table if isinstance(table, dict) else {}


def _iter_tables(tables: Tables, key: str) -> Iterator[tuple[str, Tables]]:
    return ((code, table) for code, table in _get_table(tables, key).items() if isinstance(table, dict))


def _strings_in(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
