"""Reads the files of centres: all of them, or everything that is wrong with them, by file and line."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NotRequired, TypeAlias, cast

import phonenumbers
from pydantic import BaseModel, Field, StringConstraints, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from faults import Broken, Fault, Finding, Place, shown
from services.catalogue import wording
from services.catalogue.nearby import Centre, Centres, District
from services.catalogue.wording import Room
from services.catalogue.written import STRICT, Code, Manual, findings
from toml_lines import line_of, lines, tables_of, text_of

NAME = Room(40, 40)
ADDRESS = Room(60, 60)

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Time: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


@with_config(STRICT)
class WrittenTexts(TypedDict):
    """One text; where a language has none, the English one is said."""

    en: str
    bn: NotRequired[str]
    hi: NotRequired[str]
    bn_Latn: NotRequired[str]
    hi_Latn: NotRequired[str]


class WrittenDistrict(BaseModel):
    """`[districts.CODE]`."""

    model_config = STRICT

    names: WrittenTexts


class WrittenCentre(BaseModel):
    """`[centres.CODE]`."""

    model_config = STRICT

    names: WrittenTexts
    address: WrittenTexts
    district: Code
    postcode: Annotated[str, StringConstraints(pattern="^[0-9]{3,10}$")]
    days: Annotated[list[Day], Field(min_length=2, max_length=2)]
    opens: Time
    closes: Time
    phone: str


class WrittenFile(BaseModel):
    """One file of centres, all in one country."""

    model_config = STRICT

    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    districts: dict[Code, WrittenDistrict] = {}
    centres: dict[Code, WrittenCentre] = {}


WANTED: Mapping[str, tuple[str, str]] = {
    "country": ("a country", 'write its two letters, such as "BD"'),
    "names": ("a name", 'write names.en = "…" and, where there are, the other languages'),
    "address": ("an address", 'write address.en = "…" and, where there are, the other languages'),
    "district": ("the code of a district", 'write one that stands under [districts], such as "dhaka"'),
    "postcode": ("a postcode", 'write its digits in quotes, such as "1216"'),
    "days": ("two days", 'write the first and the last, such as ["sun", "thu"]'),
    "opens": ("a time of day", 'write it as "09:00"'),
    "closes": ("a time of day", 'write it as "17:00"'),
    "phone": ("a phone number", 'write it with its country code, such as "+880 2-0000000"'),
    "districts": ("a district", "write each district as a table [districts.CODE]"),
    "centres": ("a centre", "write each centre as a table [centres.CODE]"),
    **dict.fromkeys(WrittenTexts.__annotations__, ("a text", "write it in quotes")),
}
MANUAL: Final = Manual(WANTED, {(): WrittenFile, ("districts", "*"): WrittenDistrict, ("centres", "*"): WrittenCentre})


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was written."""

    shown: str
    text: str
    tables: Mapping[str, Any]


def load(folder: Path) -> Centres:
    """The centres of a folder, of any number of files; of a folder that is not there, none.

    Raises:
        Broken: with every fault of every file.
    """
    sources, faults = _sources(sorted(folder.glob("*.toml")))
    files: list[WrittenFile] = []
    for source in sources:
        found = list(_within(source.tables))
        try:
            files.append(WrittenFile.model_validate(source.tables))
        except ValidationError as broken:
            found += findings(broken, MANUAL)
        faults += _faults(source, found)
    faults += [fault for source, finding in _between(sources) for fault in _faults(source, [finding])]
    if faults:
        raise Broken(sorted(set(faults)))
    return Centres(_districts(files), _centres(files))


def _sources(paths: Iterable[Path]) -> tuple[list[Source], list[Fault]]:
    sources: list[Source] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            text = text_of(path)
            sources.append(Source(shown(path), text, tables_of(text, shown(path))))
        except Broken as unreadable:
            faults += unreadable.faults
    return sources, faults


def _faults(source: Source, found: Sequence[Finding]) -> list[Fault]:
    known = lines(source.text) if found else {}
    return [Fault(source.shown, line_of(at, known), ".".join(at), problem, right) for at, problem, right in found]


def _within(tables: Mapping[str, Any]) -> Iterator[Finding]:
    for place, texts, room in _texts(tables):
        for language, (problem, right) in wording.faults(texts, room):
            yield Finding((*place, language), problem, right)
    for code, centre in _tables(tables, "centres"):
        phone = centre.get("phone")
        if isinstance(phone, str) and not _is_phone(phone):
            yield Finding(("centres", code, "phone"), f"{phone!r} is not {WANTED['phone'][0]}", WANTED["phone"][1])
        opens, closes = centre.get("opens"), centre.get("closes")
        if isinstance(opens, str) and isinstance(closes, str) and opens >= closes:
            yield Finding(("centres", code, "closes"), f"{closes} is not after {opens}", "write the later time here")


def _texts(tables: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any], Room]]:
    for kind in ("districts", "centres"):
        for code, named in _tables(tables, kind):
            yield (kind, code, "names"), _table(named, "names"), NAME
            yield (kind, code, "address"), _table(named, "address"), ADDRESS


def _between(sources: Sequence[Source]) -> Iterator[tuple[Source, Finding]]:
    """What is in two files, and districts that are in none."""
    known = {code for source in sources for code in _table(source.tables, "districts")}
    first: dict[tuple[str, str], Source] = {}
    for source in sources:
        for kind in ("districts", "centres"):
            for code in _table(source.tables, kind):
                if (other := first.setdefault((kind, code), source)) is not source:
                    yield source, Finding((kind, code), f"is in {other.shown} too", "give one of the two another code")
        for code, centre in _tables(source.tables, "centres"):
            if isinstance(district := centre.get("district"), str) and district not in known:
                yield (
                    source,
                    Finding(("centres", code, "district"), f"{district!r} is not known", WANTED["district"][1]),
                )


def _table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tables.get(key)
    return found if isinstance(found, dict) else {}


def _tables(tables: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((code, table) for code, table in _table(tables, key).items() if isinstance(table, dict))


def _is_phone(written: str) -> bool:
    return re.fullmatch(r"\+[0-9 ()-]{6,30}", written) is not None and _possible(written)


def _possible(written: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(written))
    except phonenumbers.NumberParseException:
        return False


def _districts(files: Iterable[WrittenFile]) -> Iterator[District]:
    for file in files:
        for code, it in file.districts.items():
            yield District(code, cast("Mapping[str, str]", it.names), file.country)


def _centres(files: Iterable[WrittenFile]) -> Iterator[Centre]:
    for file in files:
        for code, it in file.centres.items():
            yield Centre(
                code=code,
                names=cast("Mapping[str, str]", it.names),
                address=cast("Mapping[str, str]", it.address),
                district=it.district,
                postcode=it.postcode,
                country=file.country,
                days=(it.days[0], it.days[1]),
                opens=it.opens,
                closes=it.closes,
                phone=it.phone,
            )
