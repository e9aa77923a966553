"""Reads the statement of a wallet's account: M-Pesa's organisation statement, and a plain one for any wallet or bank.

M-Pesa: the columns, the lines before the header that describe the file, and the status *Completed* are those of the import of
Mifos (https://mifosforge.jira.com/wiki/pages/diffpagesbyversion.action?pageId=6259039); exports of today have *Initiation
Time*, *Reason Type*, *Linked Transaction ID* and *A/C No.* as well, days first or years first, and withdrawals with a minus.
A file is read line by line. Every wrong line is named.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from core.amounts import AmountError, parse_amount

Direction: TypeAlias = Literal["in", "out"]
StatementFormat: TypeAlias = Literal["mpesa", "generic"]
MAX_FAULTS: Final = 20
MAX_HEADER_LINE: Final = 100
MPESA_COLUMNS: Final = ("receipt no.", "completion time", "transaction status", "paid in", "withdrawn")
GENERIC_COLUMNS: Final = ("receipt", "time", "amount", "currency", "direction", "account")
MPESA_ZONE: Final = ZoneInfo("Africa/Nairobi")
MPESA_CURRENCY: Final = "KES"
_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M:%S")
_OTHER_MOVEMENTS: Final = ("charge", "settle", "transfer", "withdraw", "funds", "tariff", "float", "salary", "b2b")
"""Words in the reason type of what is neither a payment to us nor a refund: fees of the wallet, money moved to a bank."""
_RECEIPT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,63}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_DIRECTIONS: Final[Mapping[str, Direction]] = {"in": "in", "out": "out", "credit": "in", "debit": "out"}


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of a statement; the amount is in hundredths. `linked` is the receipt of the payment that it reverses.

    `is_completed`: the money has moved. `other` names the kind of a movement that is neither a payment nor a refund.
    """

    number: int
    receipt: str
    at: datetime
    amount_minor: int
    currency: str
    direction: Direction
    account: str = ""
    linked: str = ""
    is_completed: bool = True
    other: str = ""


@dataclass(frozen=True, slots=True)
class StatementSummary:
    """A file that can be read: its digest, the number of its movements, and the times of the first and the last."""

    digest: str
    lines: int
    first: datetime | None
    last: datetime | None


class StatementError(Exception):
    """A file cannot be read; `problems` name each line that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _LineError(ValueError):
    """One line is wrong; the message says what, and what would be right."""


def read_summary(file: Path, statement_format: StatementFormat, zone: tzinfo) -> StatementSummary:
    """Read a whole statement once, and check each line; times without an offset are of `zone`, or M-Pesa's own.

    Raises:
        StatementError: the file or a line is wrong; at most `MAX_FAULTS` lines are named.
    """
    problems: list[str] = []
    count, first, last = 0, None, None
    for line in _read(file, statement_format, zone, problems):
        count += 1
        first, last = min(first or line.at, line.at), max(last or line.at, line.at)
    if problems:
        raise StatementError(problems)
    return StatementSummary(_digest(file), count, first, last)


def read_lines(file: Path, statement_format: StatementFormat, zone: tzinfo) -> Iterator[StatementLine]:
    """Yield the movements of a statement that `read_summary` has checked, in the order of the file."""
    return _read(file, statement_format, zone, [])


def _read(file: Path, statement_format: StatementFormat, zone: tzinfo, problems: list[str]) -> Iterator[StatementLine]:
    columns, parse = _FORMATS[statement_format]
    try:
        # a name in another encoding does not matter: receipts, times and amounts are ASCII
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
            rows = csv.reader(opened, strict=True)
            names = _find_header(rows, columns, file)
            yield from _parse_rows(rows, names, lambda row, number: parse(row, number, zone), file, problems)
    except OSError as error:
        raise StatementError([f"{file} cannot be read: {error.strerror}; name a file of CSV"]) from None
    except csv.Error as error:
        raise StatementError([f"{file}: this is not CSV: {error}; export the statement as CSV again"]) from None


def _find_header(rows: Iterator[list[str]], columns: tuple[str, ...], file: Path) -> list[str]:
    """Return the names of the columns; lines before them describe the file.

    Raises:
        StatementError: no line has the columns.
    """
    for row, _ in zip(rows, range(MAX_HEADER_LINE), strict=False):
        names = [_normalize_name(cell) for cell in row]
        if columns[0] in names:
            missing = [name for name in columns if name not in names]
            if missing:
                raise StatementError([f"{file}: the header has no column {', '.join(map(repr, missing))}"])
            return names
    shown = ", ".join(columns)
    raise StatementError(
        [f"{file}: no line has the columns {shown}; export it as CSV in UTF-8, or name another --format"]
    )


def _parse_rows(
    rows: "csv._reader",  # type: ignore[name-defined]  # the type of csv.reader has no public name
    names: list[str],
    parse: Callable[[Mapping[str, str], int], StatementLine],
    file: Path,
    problems: list[str],
) -> Iterator[StatementLine]:
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
        try:
            yield parse(row, rows.line_num)
        except _LineError as error:
            problems.append(f"{file}:{rows.line_num}: {error}")
            if len(problems) == MAX_FAULTS:
                problems.append(f"{file}: more lines may be wrong; mend these first")
                return


def _parse_mpesa(row: Mapping[str, str], number: int, _: tzinfo) -> StatementLine:
    paid_in, withdrawn = (_parse_cell(row.get(name, ""), name) for name in ("paid in", "withdrawn"))
    is_completed = row.get("transaction status", "").lower() == "completed"
    if is_completed and bool(paid_in) == bool(withdrawn):
        raise _LineError("a completed line has an amount under either Paid In or Withdrawn")
    kind = row.get("reason type", "") or row.get("details", "")
    return StatementLine(
        number=number,
        receipt=_parse_receipt(row.get("receipt no.", "")),
        at=_parse_time(row.get("completion time", ""), MPESA_ZONE),
        amount_minor=paid_in or withdrawn,
        currency=MPESA_CURRENCY,
        direction="in" if paid_in else "out",
        account=re.sub(r"\s", "", row.get("a/c no.", "")),
        linked=row.get("linked transaction id", "").upper(),
        is_completed=is_completed,
        other=_find_other(kind),
    )


def _parse_generic(row: Mapping[str, str], number: int, zone: tzinfo) -> StatementLine:
    direction = _DIRECTIONS.get(row.get("direction", "").lower())
    if direction is None:
        raise _LineError(f"direction {row.get('direction', '')[:20]!r} is not known; write in or out")
    currency = row.get("currency", "").upper()
    if not _CURRENCY.fullmatch(currency):
        raise _LineError(f"{currency[:20]!r} is not a currency; write three letters such as BDT")
    amount = _parse_cell(row.get("amount", ""), "amount")
    if not amount:
        raise _LineError("the amount is missing or nothing; write one such as 1250.50")
    return StatementLine(
        number=number,
        receipt=_parse_receipt(row.get("receipt", "")),
        at=_parse_time(row.get("time", ""), zone),
        amount_minor=amount,
        currency=currency,
        direction=direction,
        account=re.sub(r"\s", "", row.get("account", "")),
        linked=row.get("linked", ""),
    )


def _parse_cell(text: str, name: str) -> int:
    """Return hundredths; 0 for an empty cell. M-Pesa writes a withdrawal with a minus, or without.

    Raises:
        _LineError: the cell has no amount.
    """
    try:
        return parse_amount(text.removeprefix("-")) if text else 0
    except AmountError as error:
        raise _LineError(f"{name}: {error}") from None


def _parse_receipt(text: str) -> str:
    if not _RECEIPT.fullmatch(text):
        raise _LineError(f"{text[:40]!r} is not a receipt number; it has letters and digits, such as SB70A49EDA")
    return text


def _parse_time(text: str, zone: tzinfo) -> datetime:
    for time_format in _TIMES:
        try:
            return datetime.strptime(text, time_format).replace(tzinfo=zone)
        except ValueError:
            continue
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _LineError(f"{text[:40]!r} is not a time; write one such as 2026-11-30 14:05:00") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _find_other(kind: str) -> str:
    """Return the reason type where the movement is neither a payment nor a refund; a reversal is a refund."""
    low = kind.lower()
    return kind if any(word in low for word in _OTHER_MOVEMENTS) and "revers" not in low else ""


def _normalize_name(cell: str) -> str:
    return " ".join(cell.lower().split())


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


_FORMATS: Final[
    Mapping[StatementFormat, tuple[tuple[str, ...], Callable[[Mapping[str, str], int, tzinfo], StatementLine]]]
] = {
    "mpesa": (MPESA_COLUMNS, _parse_mpesa),
    "generic": (GENERIC_COLUMNS, _parse_generic),
}
