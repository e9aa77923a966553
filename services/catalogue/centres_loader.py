"""Loads the files of help centres, or reports every problem with its file and line."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NotRequired, TypeAlias

from pydantic import BaseModel, Field, StringConstraints, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic requires this one before Python 3.12

from core.errors import Finding, KeyPath, Problem, ValidationFailedError, display_path
from core.languages import DEFAULT_LANGUAGE, LOCALE_CODES
from core.phone_numbers import is_possible
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8
from services.catalogue import text_rules
from services.catalogue.centres_model import Centre, CentreDirectory, District
from services.catalogue.schema import STRICT, Code, SchemaHelp, schema_findings
from services.catalogue.text_rules import TextLimit

NAME_LIMIT = TextLimit(40, 40)
ADDRESS_LIMIT = TextLimit(60, 60)

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


# A text in every language; that of the default language is used for one that is missing.
if TYPE_CHECKING:
    CentreTextsSchema: TypeAlias = Mapping[str, str]
else:
    CentreTextsSchema = with_config(STRICT)(
        TypedDict(
            "CentreTextsSchema",
            {code: str if code == DEFAULT_LANGUAGE else NotRequired[str] for code in LOCALE_CODES},
        )
    )


class DistrictSchema(BaseModel):
    """`[districts.CODE]`."""

    model_config = STRICT

    names: CentreTextsSchema


class CentreSchema(BaseModel):
    """`[centres.CODE]`."""

    model_config = STRICT

    names: CentreTextsSchema
    address: CentreTextsSchema
    district: Code
    postcode: Annotated[str, StringConstraints(pattern="^[0-9]{3,10}$")]
    days: Annotated[list[Weekday], Field(min_length=2, max_length=2)]
    opens: TimeOfDay
    closes: TimeOfDay
    phone: str


class CentresFileSchema(BaseModel):
    """A file of centres, all in one country."""

    model_config = STRICT

    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    districts: dict[Code, DistrictSchema] = {}
    centres: dict[Code, CentreSchema] = {}


KEY_HELP: Mapping[str, tuple[str, str]] = {
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
    **dict.fromkeys(LOCALE_CODES, ("a text", "write it in quotes")),
}
CENTRES_HELP: Final = SchemaHelp(
    KEY_HELP, {(): CentresFileSchema, ("districts", "*"): DistrictSchema, ("centres", "*"): CentreSchema}
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was written: its path for messages, its text and its parsed tables."""

    display_path: str
    text: str
    tables: Mapping[str, Any]


def load_centres(folder: Path) -> CentreDirectory:
    """The centres in the TOML files of a folder; none where the folder does not exist.

    Raises:
        ValidationFailedError: with every problem of every file.
    """
    sources, problems = _read_sources(sorted(folder.glob("*.toml")))
    files: list[CentresFileSchema] = []
    for source in sources:
        findings = list(_check_file(source.tables))
        try:
            files.append(CentresFileSchema.model_validate(source.tables))
        except ValidationError as error:
            findings += schema_findings(error, CENTRES_HELP)
        problems += _problems(source, findings)
    problems += [
        problem for source, finding in _check_between_files(sources) for problem in _problems(source, [finding])
    ]
    if problems:
        raise ValidationFailedError(sorted(set(problems)))
    return CentreDirectory(_build_districts(files), _build_centres(files))


def _read_sources(paths: Iterable[Path]) -> tuple[list[SourceFile], list[Problem]]:
    sources: list[SourceFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            text = read_utf8(path)
            sources.append(SourceFile(display_path(path), text, parse_toml(text, display_path(path))))
        except ValidationFailedError as error:
            problems += error.problems
    return sources, problems


def _problems(source: SourceFile, findings: Sequence[Finding]) -> list[Problem]:
    known = index_key_lines(source.text) if findings else {}
    return [
        Problem(source.display_path, find_line(path, known), ".".join(path), problem, fix)
        for path, problem, fix in findings
    ]


def _check_file(tables: Mapping[str, Any]) -> Iterator[Finding]:
    for path, texts, limit in _iter_texts(tables):
        for language, (problem, fix) in text_rules.check_texts(texts, limit):
            yield Finding((*path, language), problem, fix)
    for code, centre in _iter_tables(tables, "centres"):
        phone = centre.get("phone")
        if isinstance(phone, str) and not _is_phone_number(phone):
            yield Finding(("centres", code, "phone"), f"{phone!r} is not {KEY_HELP['phone'][0]}", KEY_HELP["phone"][1])
        opens, closes = centre.get("opens"), centre.get("closes")
        if isinstance(opens, str) and isinstance(closes, str) and opens >= closes:
            yield Finding(("centres", code, "closes"), f"{closes} is not after {opens}", "write the later time here")


def _iter_texts(tables: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Mapping[str, Any], TextLimit]]:
    for kind in ("districts", "centres"):
        for code, named in _iter_tables(tables, kind):
            yield (kind, code, "names"), _get_table(named, "names"), NAME_LIMIT
            yield (kind, code, "address"), _get_table(named, "address"), ADDRESS_LIMIT


def _check_between_files(sources: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, Finding]]:
    """Problems between the files: a code in two files, and references to unknown districts."""
    known = {code for source in sources for code in _get_table(source.tables, "districts")}
    first: dict[tuple[str, str], SourceFile] = {}
    for source in sources:
        for kind in ("districts", "centres"):
            for code in _get_table(source.tables, kind):
                if (other := first.setdefault((kind, code), source)) is not source:
                    yield (
                        source,
                        Finding((kind, code), f"is in {other.display_path} too", "give one of the two another code"),
                    )
        for code, centre in _iter_tables(source.tables, "centres"):
            if isinstance(district := centre.get("district"), str) and district not in known:
                yield (
                    source,
                    Finding(("centres", code, "district"), f"{district!r} is not known", KEY_HELP["district"][1]),
                )


def _get_table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = tables.get(key)
    return table if isinstance(table, dict) else {}


def _iter_tables(tables: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((code, table) for code, table in _get_table(tables, key).items() if isinstance(table, dict))


def _is_phone_number(text: str) -> bool:
    return re.fullmatch(r"\+[0-9 ()-]{6,30}", text) is not None and is_possible(text)


def _build_districts(files: Iterable[CentresFileSchema]) -> Iterator[District]:
    for file in files:
        for code, table in file.districts.items():
            yield District(code, table.names, file.country)


def _build_centres(files: Iterable[CentresFileSchema]) -> Iterator[Centre]:
    for file in files:
        for code, table in file.centres.items():
            yield Centre(
                code=code,
                names=table.names,
                address=table.address,
                district=table.district,
                postcode=table.postcode,
                country=file.country,
                days=(table.days[0], table.days[1]),
                opens_at=table.opens,
                closes_at=table.closes,
                phone=table.phone,
            )
