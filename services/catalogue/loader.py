"""Loads a folder of catalogue files, or reports every problem with its file and line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from core.errors import Finding, KeyPath, Problem, ValidationFailedError, display_path
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8
from core.types import Translations
from core.validation import Valid
from services.catalogue import rules, schema
from services.catalogue.field_validation import validate_answer
from services.catalogue.models import (
    AppliedFor,
    Biller,
    Catalogue,
    Choice,
    Department,
    EscalationLevel,
    Field,
    Office,
    Sector,
    Service,
)
from services.catalogue.schema import (
    BillerSchema,
    CatalogueFileSchema,
    DepartmentSchema,
    EscalationLevelSchema,
    FieldSchema,
    ServiceSchema,
)

DATA_FOLDER = Path(__file__).parent / "data"

Coded = TypeVar("Coded", Biller, Department, Office, Sector, Service)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was written; `code` is its name without the extension, which is the code of its department."""

    code: str
    display_path: str
    text: str
    tables: Mapping[str, Any]


def load_catalogue(folder: Path = DATA_FOLDER) -> Catalogue:
    """The catalogue of a folder: one TOML file for each department, and others for what departments share.

    Raises:
        ValidationFailedError: with every problem of every file.
    """
    sources, unreadable = _read_sources(folder)
    files, findings = _parse_files(sources)
    for code, finding in rules.check_between_files(
        [(table.code, table.tables) for table in sources], complete=not unreadable
    ):
        findings[code].append(finding)
    problems = [*unreadable, *(problem for source in sources for problem in _problems(source, findings[source.code]))]
    if problems:
        raise ValidationFailedError(sorted(problems))
    return _build_catalogue(files)


def _read_sources(folder: Path) -> tuple[list[SourceFile], list[Problem]]:
    read = [_read_source(path) for path in sorted(folder.glob("*.toml"))]
    if not read:
        return [], [
            Problem(display_path(folder), 1, "", "has no catalogue files", "write one .toml file per department")
        ]
    return [table for table in read if isinstance(table, SourceFile)], [
        table for table in read if isinstance(table, Problem)
    ]


def _read_source(path: Path) -> SourceFile | Problem:
    try:
        text = read_utf8(path)
        return SourceFile(path.stem, display_path(path), text, parse_toml(text, display_path(path)))
    except ValidationFailedError as unreadable:
        return unreadable.problems[0]


def _parse_files(sources: Iterable[SourceFile]) -> tuple[dict[str, CatalogueFileSchema], dict[str, list[Finding]]]:
    files: dict[str, CatalogueFileSchema] = {}
    findings: dict[str, list[Finding]] = {}
    for source in sources:
        findings[source.code] = list(rules.check_file(source.tables))
        try:
            files[source.code] = schema.parse_file(source.tables)
            findings[source.code] += list(_find_zero_answers(files[source.code], findings[source.code]))
        except ValidationError as error:
            findings[source.code] += schema.schema_findings(error)
    return files, findings


def _find_zero_answers(file: CatalogueFileSchema, reported: Sequence[Finding]) -> Iterator[Finding]:
    """The fields that take the answer 0, which nobody can give: 0 goes back on every screen. A free text of 0 is none."""
    fields: dict[KeyPath, FieldSchema] = {
        ("services", code, "fields", name): field
        for code, service in file.services.items()
        for name, field in service.fields.items()
    }
    fields |= {("billers", code, "consumer"): biller.consumer for code, biller in file.billers.items()}
    for path, field in fields.items():
        is_reported = any(finding.key_path[: len(path)] == path for finding in reported)
        if field.kind == "text" or is_reported:
            continue
        if isinstance(validate_answer(_build_field(path[-1], field, ""), "0", date.min), Valid):
            key = "least" if field.least is not None else "kind"
            yield Finding(
                (*path, key),
                "takes the answer 0, which goes back",
                "write least = 1 or longer lengths, or ask with choices",
            )


def _problems(source: SourceFile, findings: Sequence[Finding]) -> Iterator[Problem]:
    key_lines = index_key_lines(source.text) if findings else {}
    for path, problem, fix in findings:
        yield Problem(source.display_path, find_line(path, key_lines), ".".join(path), problem, fix)


def _build_catalogue(files: Mapping[str, CatalogueFileSchema]) -> Catalogue:
    items = files.items()
    return Catalogue(
        services=_index_by_code(_build_services(files)),
        sectors=_index_by_code(
            Sector(code, table.names) for file in files.values() for code, table in file.sectors.items()
        ),
        offices=_index_by_code(
            Office(code, table.names, department) for department, file in items for code, table in file.offices.items()
        ),
        departments=_index_by_code(
            _build_department(code, file.department, file.officers) for code, file in items if file.department
        ),
        billers=_index_by_code(
            _build_biller(code, table) for file in files.values() for code, table in file.billers.items()
        ),
    )


def _build_department(code: str, table: DepartmentSchema, levels: Mapping[str, EscalationLevelSchema]) -> Department:
    escalation_levels = tuple(
        EscalationLevel(post, officer.names, officer.answer_days) for post, officer in levels.items()
    )
    return Department(
        code, table.names, table.country, table.email or "", escalation_levels, payments=table.payments, cash=table.cash
    )


def _build_biller(code: str, table: BillerSchema) -> Biller:
    consumer = _build_field("consumer", table.consumer, table.country)
    return Biller(code, table.names, table.country, table.currency, consumer, table.adapter)


def _index_by_code(coded: Iterable[Coded]) -> Mapping[str, Coded]:
    return {table.code: table for table in coded}


def _build_services(files: Mapping[str, CatalogueFileSchema]) -> Iterator[Service]:
    papers = {code: texts for file in files.values() for code, texts in file.documents.items()}
    for department, file in files.items():
        region = file.department.country if file.department else ""
        for code, table in file.services.items():
            yield _build_service(
                code,
                department,
                table,
                papers,
                tuple(_build_field(name, field, region) for name, field in table.fields.items()),
            )


def _applicable_persons(table: ServiceSchema) -> tuple[AppliedFor, ...]:
    """Whom a citizen can apply for, in the order in which the question lists them."""
    for_dependents = table.for_others if table.for_dependents is None else table.for_dependents
    allowed: Mapping[AppliedFor, bool] = {
        "self": table.for_self,
        "another": table.for_others,
        "dependent": for_dependents,
    }
    return tuple(person for person, is_allowed in allowed.items() if is_allowed)


def _build_service(
    code: str, department: str, table: ServiceSchema, papers: Mapping[str, Translations], fields: tuple[Field, ...]
) -> Service:
    return Service(
        code=code,
        names=table.names,
        sector=table.sector,
        office=table.office,
        department=department,
        fee_minor=table.fee,
        currency=table.currency,
        days=table.days,
        number=table.number,
        channels=frozenset(table.channels),
        documents=tuple(papers[paper] for paper in table.documents),
        document_codes=tuple(table.documents),
        fields=fields,
        recipients=frozenset(table.recipients),
        for_whom=_applicable_persons(table),
        order=table.order or 0,
    )


def _build_field(name: str, table: FieldSchema, region: str) -> Field:
    return Field(
        name=name,
        kind=table.kind,
        labels=table.labels,
        names=table.names or {},
        choices=tuple(Choice(code, texts) for code, texts in table.choices.items()),
        scheme=table.scheme,
        lengths=tuple(table.lengths),
        least=table.least,
        most=table.most,
        when=table.when,
        within_days=table.within_days,
        region=table.region or region,
        profile=table.profile,
    )
