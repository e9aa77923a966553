"""Compares the statement of a wallet with our books, line by line, and changes nothing."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row

from services.payments.models import OPEN_STATUSES, UNPAID_STATUSES
from services.payments.statement_books import BookEntries, StatementBooks
from services.payments.statement_file import Direction, StatementLine

BATCH_SIZE: Final = 500
DifferenceKind: TypeAlias = Literal[
    "missing_in_books", "missing_in_statement", "amount", "currency", "state", "twice", "not_completed"
]
"""`state`: the money has moved, and our books wait for it or say that it did not. `not_completed`: the other way round."""
_REFUNDS_TO_RECORD: Final = ("by_hand", "unknown", "failed")


@dataclass(frozen=True, slots=True)
class Correction:
    """The act that corrects our books: `settle` a payment as paid, or record a refund as `returned`."""

    act: Literal["settle", "returned"]
    id: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; amounts in hundredths, None where a side has none. `line` is 0 where the statement has none."""

    kind: DifferenceKind
    direction: Direction
    line: int
    receipt: str
    payment: int
    refund: int
    at: datetime | None
    currency: str
    statement_minor: int | None
    books_minor: int | None
    status: str = ""
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class ComparedPeriod:
    """The period that is compared: from `since` on, before `until`."""

    since: datetime
    until: datetime


@dataclass(slots=True)
class Comparison:
    """The result. Sums are in hundredths by (currency, direction); `others` by (kind, currency, direction)."""

    period: ComparedPeriod
    matched: int = 0
    not_completed: int = 0
    outside: int = 0
    differences: list[Difference] = field(default_factory=list)
    statement_sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    book_sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    other_counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    other_sums: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def is_equal(self) -> bool:
        """Whether everything matches."""
        return not self.differences


class StatementComparison:
    """Compares one statement. What was found on both sides is remembered, so it runs once."""

    def __init__(self, books: StatementBooks, period: ComparedPeriod) -> None:
        self._books = books
        self._result = Comparison(period)
        self._receipts: dict[Direction, set[str]] = {"in": set(), "out": set()}
        self._matched_payments: set[int] = set()
        self._matched_refunds: set[int] = set()

    async def compare(self, lines: Iterator[StatementLine]) -> Comparison:
        """Compare all lines with the books, and then the books of the period with the lines."""
        while batch := list(islice(lines, BATCH_SIZE)):
            entries = await self._books.fetch_entries(batch)
            for line in batch:
                self._compare_line(line, entries)
        period = self._result.period
        await self._compare_books(self._books.read_payments(period.since, period.until), "in")
        await self._compare_books(self._books.read_refunds(period.since, period.until), "out")
        return self._result

    def _compare_line(self, line: StatementLine, entries: BookEntries) -> None:
        is_repeat = line.is_completed and line.receipt in self._receipts[line.direction]
        if line.is_completed:
            self._receipts[line.direction].add(line.receipt)
        find = self._find_payment if line.direction == "in" else self._find_refund
        found = find(line, entries)
        if not self._result.period.since <= line.at < self._result.period.until:
            self._result.outside += 1
            return
        if found is None and line.other:
            self._count_other(line)
            return
        if not line.is_completed:
            self._compare_failed(line, found)
            return
        self._result.statement_sums[line.currency, line.direction] += line.amount_minor
        if is_repeat:
            found = _differ("twice", line, found if line.direction == "in" and isinstance(found, Row) else None)
        elif found is None:
            found = _differ("missing_in_books", line)
        if isinstance(found, Difference):
            self._result.differences.append(found)
        else:
            self._result.matched += 1

    def _compare_failed(self, line: StatementLine, found: "Difference | Row[Any] | None") -> None:
        """A line whose money did not move differs where our books have the money under its receipt."""
        if isinstance(found, Difference) or found is None:
            self._result.not_completed += 1
            return
        self._result.differences.append(_differ("not_completed", line, found if line.direction == "in" else None))

    def _find_payment(self, line: StatementLine, entries: BookEntries) -> "Difference | Row[Any] | None":
        """Return the payment that matches a line, or how it differs; None where the books know nothing of it."""
        of_receipt = entries.by_receipt.get(line.receipt, ())
        if len(of_receipt) > 1:
            return _differ("twice", line, of_receipt[0])
        if of_receipt:
            return self._compare_payment(line, of_receipt[0])
        charged = [one for one in entries.reports.get(line.receipt, ()) if one.payment]
        if charged:
            return _differ("twice", line, payment=charged[0].payment)
        return self._find_by_account(line, entries.by_account.get(line.account, ())) if line.is_completed else None

    def _find_by_account(self, line: StatementLine, rows: Sequence[Row[Any]]) -> "Difference | Row[Any] | None":
        if not rows:
            return None
        unused = [one for one in rows if one.id not in self._matched_payments]
        waiting = [one for one in unused if one.status in OPEN_STATUSES]
        unpaid = [one for one in unused if one.status in UNPAID_STATUSES]
        without_receipt = [one for one in unused if one.paid_minor is not None and not one.receipt]
        candidates = without_receipt or waiting or unpaid
        if candidates:
            fitting = [one for one in candidates if one.amount_minor == line.amount_minor]
            return self._compare_payment(line, (fitting or candidates)[0])
        return _differ("twice", line, rows[0])

    def _compare_payment(self, line: StatementLine, row: Row[Any]) -> "Difference | Row[Any]":
        self._matched_payments.add(row.id)
        if row.currency != line.currency:
            return _differ("currency", line, row)
        if _book_amount(row) != line.amount_minor:
            return _differ("amount", line, row)
        if row.paid_minor is None:
            return _differ("state", line, row, correction=Correction("settle", row.id, line.receipt))
        return row

    def _find_refund(self, line: StatementLine, entries: BookEntries) -> "Difference | Row[Any] | None":
        refunds = entries.refunds_by_receipt.get(line.receipt, ())
        paid = [*entries.by_receipt.get(line.linked, ()), *entries.by_account.get(line.account, ())]
        if not refunds:
            of_payment = [one for row in paid for one in entries.refunds.get(row.id, ()) if not one.receipt]
            unused = [one for one in of_payment if one.id not in self._matched_refunds]
            refunds = [one for one in unused if one.amount_minor == line.amount_minor] or unused
        if refunds:
            return self._compare_refund(line, refunds[0])
        return _differ("missing_in_books", line, paid[0], is_refund=True) if paid else None

    def _compare_refund(self, line: StatementLine, refund: Row[Any]) -> "Difference | Row[Any]":
        self._matched_refunds.add(refund.id)
        if refund.amount_minor != line.amount_minor:
            return _differ_refund("amount", line, refund)
        if refund.status == "returned":
            return refund
        can_record = refund.status in _REFUNDS_TO_RECORD
        return _differ_refund(
            "state", line, refund, Correction("returned", refund.id, line.receipt) if can_record else None
        )

    def _count_other(self, line: StatementLine) -> None:
        key = (line.other, line.currency, line.direction)
        self._result.other_counts[key] += 1
        self._result.other_sums[key] += line.amount_minor if line.is_completed else 0

    async def _compare_books(self, rows: AsyncIterator[Row[Any]], direction: Direction) -> None:
        """Find what the statement does not have, and sum up the books."""
        matched = self._matched_payments if direction == "in" else self._matched_refunds
        async for row in rows:
            amount = row.paid_minor if direction == "in" else row.amount_minor
            self._result.book_sums[row.currency, direction] += amount
            if row.id not in matched and row.receipt not in self._receipts[direction]:
                self._result.differences.append(_miss(row, direction, amount))


def _differ(
    kind: DifferenceKind,
    line: StatementLine,
    row: Row[Any] | None = None,
    *,
    payment: int = 0,
    is_refund: bool = False,
    correction: Correction | None = None,
) -> Difference:
    return Difference(
        kind=kind,
        direction=line.direction,
        line=line.number,
        receipt=line.receipt,
        payment=row.id if row else payment,
        refund=0,
        at=line.at,
        currency=line.currency,
        statement_minor=line.amount_minor,
        books_minor=None if row is None or is_refund else _book_amount(row),
        status=row.status if row and not is_refund else "",
        correction=correction,
    )


def _differ_refund(
    kind: DifferenceKind, line: StatementLine, refund: Row[Any], correction: Correction | None = None
) -> Difference:
    return Difference(
        kind,
        line.direction,
        line.number,
        line.receipt,
        refund.payment,
        refund.id,
        line.at,
        line.currency,
        line.amount_minor,
        refund.amount_minor,
        refund.status,
        correction,
    )


def _miss(row: Row[Any], direction: Direction, amount: int) -> Difference:
    is_payment = direction == "in"
    return Difference(
        "missing_in_statement",
        direction,
        0,
        row.receipt or "",
        row.id if is_payment else row.payment,
        0 if is_payment else row.id,
        row.ended_at if is_payment else row.updated_at,
        row.currency,
        None,
        amount,
        row.status,
    )


def _book_amount(row: Row[Any]) -> int:
    """Return what our books say was paid, or was to be paid where they know of no money."""
    return int(row.amount_minor if row.paid_minor is None else row.paid_minor)


def group_differences(differences: Sequence[Difference]) -> Mapping[DifferenceKind, Sequence[Difference]]:
    """Return the differences by kind."""
    groups: dict[DifferenceKind, list[Difference]] = defaultdict(list)
    for one in differences:
        groups[one.kind].append(one)
    return groups
