"""What one key of a catalogue means for another, in a file and between files.

The rules read the tables as they were written, whatever else is wrong with them, so that an editor is told everything
at once; what is not of the right type is passed over here and told by `written`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

from phonenumbers import SUPPORTED_REGIONS

from faults import Finding, Place
from services.catalogue import wording
from services.catalogue.model import CODE, DIGITS, KINDS, PHONE_CHANNELS
from services.catalogue.profile import PROFILE
from services.catalogue.schemes import UnknownScheme, scheme
from services.catalogue.wording import LABEL, NAME, OPTION, PAPER, Room

Tables: TypeAlias = Mapping[str, Any]
File: TypeAlias = tuple[str, Tables]
"""A file's code (its name without the ending), and its tables as they were written."""

MOST_CHOICES = 9
LEAST_CHOICES = 2
FIRST_YEAR, LAST_YEAR = 1850, 2200
KINDS_OF_KEY: Mapping[str, frozenset[str]] = {
    "choices": frozenset({"choice"}),
    "scheme": frozenset({"identity"}),
    "lengths": frozenset({"identity"}),
    "least": frozenset({"text", "name", "number", "date"}),
    "most": frozenset({"text", "name", "number", "date"}),
    "when": frozenset({"date"}),
    "within_days": frozenset({"date"}),
    "region": frozenset({"phone"}),
}
"""A field's key to the kinds of field it belongs to; the other keys belong to all."""
REFERENCES: Mapping[str, str] = {"sector": "sectors", "office": "offices", "documents": "documents"}
"""A service's key to the tables that its value must be a code of."""


def within(tables: Tables) -> Iterator[Finding]:
    """What is wrong in one file."""
    if {"services", "offices", "officers"} & tables.keys() and "department" not in tables:
        yield Finding(("department",), "is missing", "say whose services and offices these are in a table [department]")
    for place, texts, room in _texts(tables):
        for language, (problem, right) in wording.faults(texts, room):
            yield Finding((*place, language), problem, right)
    yield from _country(("department", "country"), _table(tables, "department").get("country"))
    for code, service in _tables(tables, "services"):
        yield from _service(("services", code), service)
    for code, biller in _tables(tables, "billers"):
        yield from _biller(("billers", code), biller)


def between(files: Sequence[File], *, complete: bool) -> Iterator[tuple[str, Finding]]:
    """What is wrong between the files, each finding with the code of the file to change.

    Only where all files are there (`complete`) is it known what a reference could mean.
    """
    for name, _ in files:
        if not re.fullmatch(CODE, name):
            yield name, Finding((), "is not named by a code", "use small letters, digits and _, such as brta.toml")
    for kind in ("sectors", "offices", "documents", "services", "billers"):
        yield from _twice(kind, files)
    yield from _numbers(files)
    if complete:
        yield from _unknown(files)


def _unknown(files: Sequence[File]) -> Iterator[tuple[str, Finding]]:
    for key, kind in REFERENCES.items():
        known = {code for _, tables in files for code in _table(tables, kind)}
        for name, tables in files:
            for code, service in _tables(tables, "services"):
                place = ("services", code, key)
                yield from ((name, finding) for finding in _references(place, service.get(key), known))


def _texts(tables: Tables) -> Iterator[tuple[Place, Tables, Room]]:
    yield ("department", "names"), _table(_table(tables, "department"), "names"), NAME
    for kind in ("sectors", "offices", "officers", "services", "billers"):
        for code, named in _tables(tables, kind):
            yield (kind, code, "names"), _table(named, "names"), NAME
    for code, texts in _tables(tables, "documents"):
        yield ("documents", code), texts, PAPER
    for code, biller in _tables(tables, "billers"):
        yield ("billers", code, "consumer", "labels"), _table(_table(biller, "consumer"), "labels"), LABEL
    for code, service in _tables(tables, "services"):
        for name, field in _tables(service, "fields"):
            place = ("services", code, "fields", name)
            yield (*place, "labels"), _table(field, "labels"), LABEL
            for choice, texts in _tables(field, "choices"):
                yield (*place, "choices", choice), texts, OPTION


def _service(place: Place, service: Tables) -> Iterator[Finding]:
    by_phone = sorted(PHONE_CHANNELS.intersection(_words(service.get("channels"))))
    if by_phone and not _table(service, "fields"):
        problem = f"offers {' and '.join(by_phone)} without a form to fill in"
        yield Finding((*place, "channels"), problem, "add its fields, or offer it on kaios and web only")
    for key in ("channels", "documents", "recipients"):
        yield from _repeated((*place, key), _words(service.get(key)))
    for name, field in _tables(service, "fields"):
        yield from _field((*place, "fields", name), field, by_phone=bool(by_phone))


def _biller(place: Place, biller: Tables) -> Iterator[Finding]:
    """A consumer's number is an identity number, of which nobody is shown more than the last digits."""
    consumer = _table(biller, "consumer")
    yield from _country((*place, "country"), biller.get("country"))
    if consumer.get("kind") in KINDS and consumer["kind"] != "identity":
        yield Finding((*place, "consumer", "kind"), "is no number that a bill goes by", 'make the kind "identity"')
    yield from _field((*place, "consumer"), consumer, by_phone=True)


def _field(place: Place, field: Tables, *, by_phone: bool) -> Iterator[Finding]:
    kind = field.get("kind")
    for key in field:
        if kind in KINDS and key in KINDS_OF_KEY and kind not in KINDS_OF_KEY[key]:
            right = f"remove it, or make the kind {' or '.join(sorted(KINDS_OF_KEY[key]))}"
            yield Finding((*place, key), f"means nothing for a field of kind {kind}", right)
    if kind == "choice":
        yield from _choices((*place, "choices"), len(_table(field, "choices")), by_phone=by_phone)
    if kind == "identity":
        yield from _identity(place, field)
    if isinstance(field.get("profile"), str):
        yield from _profile((*place, "profile"), field)
    yield from _country((*place, "region"), field.get("region"))
    yield from _bounds(place, field)


def _choices(place: Place, given: int, *, by_phone: bool) -> Iterator[Finding]:
    if given < LEAST_CHOICES:
        yield Finding(place, f"has {given} to choose from", f"give at least {LEAST_CHOICES}")
    if by_phone and given > MOST_CHOICES:
        right = f"give at most {MOST_CHOICES}, one for each key of a phone, or offer the service on kaios and web only"
        yield Finding(place, f"has {given} to choose from", right)


def _identity(place: Place, field: Tables) -> Iterator[Finding]:
    match field.get("scheme"):
        case None:
            yield Finding((*place, "scheme"), "is missing", f'name the check, such as "in_.aadhaar", or "{DIGITS}"')
        case str(name) if name != DIGITS:
            yield from _scheme((*place, "scheme"), name)
        case str() if not field.get("lengths"):
            yield Finding((*place, "lengths"), "is missing", "say how many digits it has, such as [10, 17]")


def _scheme(place: Place, name: str) -> Iterator[Finding]:
    try:
        scheme(name)
    except UnknownScheme:
        right = f'write a module of python-stdnum such as "in_.aadhaar", or "{DIGITS}"'
        yield Finding(place, f"{name!r} is not a scheme of identity numbers", right)


def _profile(place: Place, field: Tables) -> Iterator[Finding]:
    """That what is known of the applicant under a key would answer the field."""
    key = field["profile"]
    if key not in PROFILE:
        near = get_close_matches(key, PROFILE, n=1)
        right = f'did you mean "{near[0]}"?' if near else f"write one of {', '.join(PROFILE)}"
        yield Finding(place, f"{key!r} is not a key of the profile", right)
        return
    known = PROFILE[key]
    if field.get("kind") != known.kind:
        problem = f"{key!r} is of kind {known.kind}, and this field is not"
        yield Finding(place, problem, f'make the kind "{known.kind}", or take this out')
    elif known.scheme and field.get("scheme") != known.scheme:
        yield Finding(place, f"{key!r} is checked as {known.scheme}", f'write scheme = "{known.scheme}"')
    elif known.kind == "choice" and set(_table(field, "choices")) != (codes := {code for code, _ in known.choices}):
        problem = f"{key!r} is one of {', '.join(sorted(codes))}, and the choices are others"
        yield Finding(place, problem, "give the choices these codes, or take this out")


def _bounds(place: Place, field: Tables) -> Iterator[Finding]:
    match field.get("least"), field.get("most"):
        case int(least), int(most) if least > most:
            yield Finding((*place, "least"), f"{least} is more than the most, {most}", "write the smaller number here")
    if field.get("kind") == "date":
        yield from _years(place, field)
    if "within_days" in field and field.get("when", "any") == "any":
        right = 'add when = "past" or when = "future"'
        yield Finding((*place, "within_days"), "does not say in which direction", right)


def _years(place: Place, field: Tables) -> Iterator[Finding]:
    for key in ("least", "most"):
        match field.get(key):
            case int(year) if not FIRST_YEAR <= year <= LAST_YEAR:
                problem = f"{year} is not a year that a date here could have"
                yield Finding((*place, key), problem, f"write a year from {FIRST_YEAR} to {LAST_YEAR}")


def _country(place: Place, code: object) -> Iterator[Finding]:
    if isinstance(code, str) and len(code) == len("BD") and code.isupper() and code not in SUPPORTED_REGIONS:
        yield Finding(place, f"{code!r} is not a country", 'write its two letters as in ISO 3166, such as "BD"')


def _repeated(place: Place, words: Sequence[str]) -> Iterator[Finding]:
    for word in dict.fromkeys(word for word in words if words.count(word) > 1):
        yield Finding(place, f"has {word!r} twice", "write it once")


def _twice(kind: str, files: Sequence[File]) -> Iterator[tuple[str, Finding]]:
    first: dict[str, str] = {}
    for name, tables in files:
        for code in _table(tables, kind):
            if first.setdefault(code, name) != name:
                yield name, Finding((kind, code), f"is in {first[code]}.toml too", "give one of the two another code")


def _numbers(files: Sequence[File]) -> Iterator[tuple[str, Finding]]:
    first: dict[int, str] = {}
    for name, tables in files:
        for code, service in _tables(tables, "services"):
            number = service.get("number")
            if isinstance(number, int) and first.setdefault(number, code) != code:
                problem = f"{number} is the number of {first[number]} already"
                yield name, Finding(("services", code, "number"), problem, "write one that no service has had")


def _references(place: Place, value: object, known: set[str]) -> Iterator[Finding]:
    for code in _words([value] if isinstance(value, str) else value):
        if code not in known:
            near = get_close_matches(code, known, n=1)
            kind = REFERENCES[place[-1]]
            right = (
                f'did you mean "{near[0]}"?' if near else f"write a code that stands under [{kind}], or add it there"
            )
            yield Finding(place, f"{code!r} is not known", right)


def _table(tables: Tables, key: str) -> Tables:
    found = tables.get(key)
    return found if isinstance(found, dict) else {}


def _tables(tables: Tables, key: str) -> Iterator[tuple[str, Tables]]:
    return ((code, table) for code, table in _table(tables, key).items() if isinstance(table, dict))


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
