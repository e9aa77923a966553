"""Reads a folder of catalogue files: the whole catalogue, or everything that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from faults import Broken, Fault, Finding, shown
from services.catalogue import rules, written
from services.catalogue.model import (
    Biller,
    Catalogue,
    Choice,
    Department,
    Field,
    Office,
    Officer,
    Sector,
    Service,
    Texts,
)
from services.catalogue.written import (
    WrittenBiller,
    WrittenDepartment,
    WrittenField,
    WrittenFile,
    WrittenOfficer,
    WrittenService,
    WrittenTexts,
)
from toml_lines import line_of, lines, tables_of, text_of

DATA = Path(__file__).parent / "data"

Named = TypeVar("Named", Biller, Department, Office, Sector, Service)


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was written; `code` is its name without the ending, which is its department's code."""

    code: str
    shown: str
    text: str
    tables: Mapping[str, Any]


def load(folder: Path = DATA) -> Catalogue:
    """The catalogue of a folder: one TOML file per department, and any number of others for what they share.

    Raises:
        Broken: with every fault of every file.
    """
    sources, unreadable = _sources(folder)
    files, findings = _files(sources)
    for code, finding in rules.between([(it.code, it.tables) for it in sources], complete=not unreadable):
        findings[code].append(finding)
    faults = [*unreadable, *(fault for source in sources for fault in _faults(source, findings[source.code]))]
    if faults:
        raise Broken(sorted(faults))
    return _catalogue(files)


def _sources(folder: Path) -> tuple[list[Source], list[Fault]]:
    read = [_source(path) for path in sorted(folder.glob("*.toml"))]
    if not read:
        return [], [Fault(shown(folder), 1, "", "has no catalogue files", "write one .toml file per department")]
    return [it for it in read if isinstance(it, Source)], [it for it in read if isinstance(it, Fault)]


def _source(path: Path) -> Source | Fault:
    try:
        text = text_of(path)
        return Source(path.stem, shown(path), text, tables_of(text, shown(path)))
    except Broken as unreadable:
        return unreadable.faults[0]


def _files(sources: Iterable[Source]) -> tuple[dict[str, WrittenFile], dict[str, list[Finding]]]:
    files: dict[str, WrittenFile] = {}
    findings: dict[str, list[Finding]] = {}
    for source in sources:
        findings[source.code] = list(rules.within(source.tables))
        try:
            files[source.code] = written.read(source.tables)
        except ValidationError as broken:
            findings[source.code] += written.findings(broken)
    return files, findings


def _faults(source: Source, findings: Sequence[Finding]) -> Iterator[Fault]:
    found = lines(source.text) if findings else {}
    for place, problem, right in findings:
        yield Fault(source.shown, line_of(place, found), ".".join(place), problem, right)


def _catalogue(files: Mapping[str, WrittenFile]) -> Catalogue:
    each = files.items()
    return Catalogue(
        services=_by_code(_services(files)),
        sectors=_by_code(Sector(code, _said(it.names)) for file in files.values() for code, it in file.sectors.items()),
        offices=_by_code(
            Office(code, _said(it.names), home) for home, file in each for code, it in file.offices.items()
        ),
        departments=_by_code(
            _department(code, file.department, file.officers) for code, file in each if file.department
        ),
        billers=_by_code(_biller(code, it) for file in files.values() for code, it in file.billers.items()),
    )


def _department(code: str, it: WrittenDepartment, officers: Mapping[str, WrittenOfficer]) -> Department:
    posts = tuple(Officer(post, _said(officer.names), officer.answer_days) for post, officer in officers.items())
    return Department(code, _said(it.names), it.country, it.email or "", posts, payments=it.payments)


def _biller(code: str, it: WrittenBiller) -> Biller:
    consumer = _field("consumer", it.consumer, it.country)
    return Biller(code, _said(it.names), it.country, it.currency, consumer, it.adapter)


def _by_code(named: Iterable[Named]) -> Mapping[str, Named]:
    return {it.code: it for it in named}


def _services(files: Mapping[str, WrittenFile]) -> Iterator[Service]:
    papers = {code: _said(texts) for file in files.values() for code, texts in file.documents.items()}
    for home, file in files.items():
        region = file.department.country if file.department else ""
        for code, it in file.services.items():
            yield _service(
                code, home, it, papers, tuple(_field(name, field, region) for name, field in it.fields.items())
            )


def _service(
    code: str, department: str, it: WrittenService, papers: Mapping[str, Texts], fields: tuple[Field, ...]
) -> Service:
    return Service(
        code=code,
        names=_said(it.names),
        sector=it.sector,
        office=it.office,
        department=department,
        fee_minor=it.fee,
        currency=it.currency,
        days=it.days,
        number=it.number,
        channels=frozenset(it.channels),
        documents=tuple(papers[paper] for paper in it.documents),
        document_codes=tuple(it.documents),
        fields=fields,
        recipients=frozenset(it.recipients),
        for_others=it.for_others,
        order=it.order or 0,
    )


def _field(name: str, it: WrittenField, region: str) -> Field:
    return Field(
        name=name,
        kind=it.kind,
        labels=_said(it.labels),
        choices=tuple(Choice(code, _said(texts)) for code, texts in it.choices.items()),
        scheme=it.scheme,
        lengths=tuple(it.lengths),
        least=it.least,
        most=it.most,
        when=it.when,
        within_days=it.within_days,
        region=it.region or region,
        profile=it.profile,
    )


def _said(texts: WrittenTexts) -> Texts:
    return cast("Texts", texts)
