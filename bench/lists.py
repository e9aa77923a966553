"""Time of every list of staff on 10 million rows, on PostgreSQL, with the index that each reads.

python -m bench.lists [--rows 10000000] [--rounds 200] [--only payments]

Each table is filled by itself, measured and emptied, in a database that is dropped at the end.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, cast, get_args
from zoneinfo import ZoneInfo

import msgspec
from asyncpg import Connection
from sqlalchemy import event

from bench import list_rows
from core.crypto import Cipher
from core.pagination import PagePosition, PageRequest
from db.database import Database
from db.migrate import upgrade
from db.tables import applications, audit, complaints, consents, feedback, messages, payment_refunds, payments
from services.applications.department_view import DepartmentApplications
from services.applications.status import ApplicationStatusReader
from services.assisted.operators import Operators
from services.audit.entries import AuditReader
from services.audit.export import AuditFilter, read_entries
from services.complaints.department_view import DepartmentComplaints
from services.departments.deliveries import DeliveryRepository
from services.helpdesk import queries
from services.helpdesk.models import Citizen, Reference
from services.helpdesk.references import find_citizen
from services.messaging.message_status import Status
from services.messaging.messages import Messages
from services.payments.ledger import Ledger, LedgerPeriod
from services.payments.payment_history import PaymentHistories
from services.payments.payment_list import PaymentFilter, PaymentList
from services.payments.statement_books import StatementBooks
from tests.support.servers import new_database, real_postgres

PAGE: Final = 50
HELPDESK_PAGE: Final = 20
LIMIT_MS: Final = 50.0
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
CIPHER: Final = Cipher(bytes(32))
BILLERS: Final = tuple(f"biller_{number}" for number in range(0, 25, 5))
Call = Callable[[], Awaitable[object]]


class Measured(NamedTuple):
    """One list: milliseconds, the pages of 8 KiB that a call reads, and the indexes. `scans`: tables without an index."""

    name: str
    p50: float
    p95: float
    pages: int
    indexes: str
    scans: str


class _NoCipher:
    """Gives every text as empty."""

    def decrypt(self, _sealed: bytes, _associated_data: str) -> bytes:
        return b""


class Lists:
    """Every list, with random arguments among `rows` rows."""

    def __init__(self, database: Database, rows: int) -> None:
        self.database = database
        self.rows = rows
        self.random = random.Random(1)  # nosec B311  # the same rows at every run
        self.listing = PaymentList(database, CIPHER, BILLERS)
        self.messages = Messages(database, CIPHER)

    def row(self) -> int:
        """The number of a random row."""
        return self.random.randint(1, self.rows)

    def citizen(self, *, is_busy: bool = False) -> Citizen:
        """A random person, or the one with thousands of rows."""
        person = 0 if is_busy else self.random.randint(1, min(self.rows, list_rows.PEOPLE) - 1)
        number = f"+88017{person:08}"
        return Citizen("number", number, number, person)

    def at(self) -> datetime:
        """The time of a random row."""
        return START + self.row() * timedelta(seconds=3)

    def page(self, *, is_middle: bool = True) -> PageRequest:
        """A page from a random position on, or the first one."""
        return PageRequest(None, PagePosition(self.at(), self.row()) if is_middle else None, PAGE)

    def of_payments(self) -> Mapping[str, Call]:
        """The lists of finance, and the helpdesk's list of payments."""
        find, histories = self._find_payments, PaymentHistories(self.database, self.listing)
        books = StatementBooks(self.database, ["daraja"])
        dhaka = ZoneInfo("Asia/Dhaka")
        statuses = ("paid", "unknown", "failed", "duplicate_payment")
        filters: dict[str, Callable[[], PaymentFilter]] = {
            "all": PaymentFilter,
            "tracking number": lambda: PaymentFilter(reference=f"{self.row() // 5 * 5 + 1:012}"),
            "receipt": lambda: PaymentFilter(receipt=f"R{self.row()}"),
            "bill": lambda: PaymentFilter(consumer=f"{self.random.randint(1, list_rows.BILLS):08}"),
            "phone": lambda: PaymentFilter(payer=self.citizen().msisdn),
            "phone, thousands": lambda: PaymentFilter(payer=self.citizen(is_busy=True).msisdn),
            "department": lambda: PaymentFilter(department=f"department_{self.row() % 20}"),
            "biller": lambda: PaymentFilter(biller=f"biller_{self.row() % 5 * 5}"),
            "service": lambda: PaymentFilter(service=f"service_{self.row() // 5 * 5 % 200 + 1}"),
            **{f"state {one}": lambda one=one: PaymentFilter(status=one) for one in statuses},  # type: ignore[misc]  # a default of a lambda
            "department and state": lambda: PaymentFilter(department="department_1", status="unknown"),
            "service and state": lambda: PaymentFilter(service="service_1", status="duplicate_payment"),
            "biller and state": lambda: PaymentFilter(biller="biller_5", status="unknown"),
            "wallet": lambda: PaymentFilter(wallet="cash"),
            "days": self._days,
        }
        lists: dict[str, Call] = {
            f"payments list: {name}": lambda build=build: find(build())
            for name, build in filters.items()  # type: ignore[misc]  # a default of a lambda
        }
        return {
            **lists,
            "payments list: a later page": lambda: find(PaymentFilter(), before=self.row()),
            "payments list: department, a later page": lambda: find(
                PaymentFilter(department="department_1"), before=self.row()
            ),
            "payments show: receipt": lambda: histories.find(f"R{self.row()}"),
            "payments show: phone": lambda: histories.find(self.citizen().msisdn),
            "payments report: what waits": lambda: Ledger(self.database).issues(),
            "payments report: an hour": lambda: Ledger(self.database).fetch_totals(self._hour(dhaka)),
            "payments reconcile: a page of the books": lambda: _take(books.read_payments(*self._period()), PAGE),
            "payments reconcile: refunds": lambda: _take(books.read_refunds(*self._period()), PAGE),
            "helpdesk: payments": lambda: self._help(queries.list_payments(self.citizen())),
            "helpdesk: payments, thousands": lambda: self._help(queries.list_payments(self.citizen(is_busy=True))),
            "helpdesk: receipt": lambda: find_citizen(self.database, Reference("receipt", f"R{self.row()}")),
        }

    def of_applications(self) -> Mapping[str, Call]:
        """The lists of departments, of the helpdesk, and of citizens themselves."""
        view = DepartmentApplications(self.database, self.messages, CIPHER, _empty_text)
        own = ApplicationStatusReader(self.database, self.messages, _empty_text, lambda _: ZoneInfo("Asia/Dhaka"))
        department = "department_1"
        return {
            "department: applications": lambda: view.list_page(department, self.page()),
            "department: applications of a service": lambda: view.list_page(
                department, self.page(), service="service_1"
            ),
            "department: applications in a status": lambda: view.list_page(department, self.page(), status="ready"),
            "department: applications of a service in a status": lambda: view.list_page(
                department, self.page(), service="service_1", status="ready"
            ),
            "console: applications": lambda: view.list_newest(department, self.page()),
            "console: applications of all departments": lambda: view.list_newest(None, self.page()),
            "console: applications of all departments, newest": lambda: view.list_newest(
                None, self.page(is_middle=False)
            ),
            "console: applications of all departments in a status": lambda: view.list_newest(
                None, self.page(), status="ready"
            ),
            "console: applications of an office": lambda: view.list_newest(department, self.page(), office="office_1"),
            "console: applications of an office and a service in a status": lambda: view.list_newest(
                department, self.page(), status="ready", service="service_1", office="office_1"
            ),
            "citizen: own applications": lambda: own.list_own(self.citizen().account),
            "helpdesk: applications": lambda: self._help(queries.list_applications(self.citizen())),
            "helpdesk: applications, thousands": lambda: self._help(
                queries.list_applications(self.citizen(is_busy=True))
            ),
            "helpdesk: applications by others": lambda: self._help(
                queries.list_applications_by_others(self.citizen(is_busy=True))
            ),
        }

    def of_messages(self) -> Mapping[str, Call]:
        """The messages to a number, and those with an unknown result."""
        busy, deliveries = self.citizen(is_busy=True).msisdn, DeliveryRepository(self.database, CIPHER, {})
        return {
            "messages list": self.messages.list_unresolved,
            **{
                f"console: messages {status}": lambda status=status: self.messages.list_by_status(status, PAGE)  # type: ignore[misc]  # a default of a lambda
                for status in get_args(Status)
            },
            "console: messages failed, a later page": lambda: self.messages.list_by_status("failed", PAGE, self.row()),
            "console: queues": self.messages.list_queues,
            "helpdesk: messages": lambda: self._help(queries.list_messages([self.citizen().msisdn])),
            "helpdesk: messages, thousands": lambda: self._help(queries.list_messages([busy])),
            "helpdesk: messages, a later page": lambda: self._help(queries.list_messages([busy], self.row())),
            "departments rejected": deliveries.list_rejected,
        }

    def of_complaints(self) -> Mapping[str, Call]:
        """The lists of departments and of the helpdesk."""
        view = DepartmentComplaints(self.database, cast("Any", None), CIPHER)  # lists change nothing
        return {
            "department: complaints": lambda: view.list_page("department_1", self.page()),
            "department: complaints in a status": lambda: view.list_page(
                "department_1", self.page(), status="answered"
            ),
            "console: complaints": lambda: view.list_newest("department_1", self.page()),
            "console: complaints of all departments": lambda: view.list_newest(None, self.page()),
            "console: complaints of all departments in a status": lambda: view.list_newest(
                None, self.page(), status="answered"
            ),
            "helpdesk: complaints": lambda: self._help(queries.list_complaints(self.citizen())),
            "helpdesk: complaints, thousands": lambda: self._help(queries.list_complaints(self.citizen(is_busy=True))),
        }

    def of_feedback(self) -> Mapping[str, Call]:
        """The lists of feedback, whose texts are not real and so are not decrypted."""
        view = DepartmentComplaints(self.database, cast("Any", None), cast("Any", _NoCipher()))
        return {
            "console: feedback": lambda: view.list_newest_feedback("department_1", self.page()),
            "console: feedback of all departments": lambda: view.list_newest_feedback(None, self.page()),
        }

    def of_audit(self) -> Mapping[str, Call]:
        """The acts on an account, the log as the console shows it, and the export."""
        reader = AuditReader(self.database)
        filters: dict[str, Callable[[], AuditFilter]] = {
            "all": AuditFilter,
            "an act": lambda: AuditFilter(act="signed_in"),
            "an act that is rare": lambda: AuditFilter(act="audit_exported"),
            "operators": lambda: AuditFilter(actor_kind="operator"),
            "staff, who did nothing": lambda: AuditFilter(actor_kind="staff"),
            "one citizen": lambda: AuditFilter(actor_kind="citizen", actor=str(self.citizen().account)),
            "one operator and an act": lambda: AuditFilter(
                actor_kind="operator", actor=str(self.citizen().account), act="account_viewed"
            ),
            "operators and an act of others": lambda: AuditFilter(actor_kind="operator", act="signed_in"),
            "a subject": lambda: AuditFilter(subject=str(self.row())),
            "an act until a day": lambda: AuditFilter(act="signed_in", until=self.at()),
            "an act in an hour": self._hour_of_audit,
        }
        return {
            **{
                f"console: audit, {name}": lambda build=build: reader.find_page(build())  # type: ignore[misc]  # a default of a lambda
                for name, build in filters.items()
            },
            "console: audit, a later page": lambda: reader.find_page(
                AuditFilter(), PagePosition(self.at(), self.row())
            ),
            "helpdesk: acts": lambda: self._help(queries.list_acts(self.citizen())),
            "helpdesk: acts, thousands": lambda: self._help(queries.list_acts(self.citizen(is_busy=True))),
            "audit export: from a day on": lambda: _take(read_entries(self.database, AuditFilter(self.at())), PAGE),
            "audit export: one subject": lambda: _take(
                read_entries(self.database, AuditFilter(subject=str(self.row()))), PAGE
            ),
        }

    def of_consents(self) -> Mapping[str, Call]:
        """The consents of a number."""
        operators = Operators(self.database, self.messages, cast("Any", None), CIPHER, _empty_text)
        return {
            "helpdesk: consents": lambda: self._help(queries.list_consents(self.citizen())),
            "helpdesk: consents, thousands": lambda: self._help(queries.list_consents(self.citizen(is_busy=True))),
            "operator list": operators.list_all,
        }

    async def _find_payments(self, payment_filter: PaymentFilter, before: int = 0) -> object:
        return await self.listing.fetch_page(payment_filter, PAGE, before)

    async def _help(self, query: queries.ListQuery) -> None:
        await self.database.fetch(query.select_newest(HELPDESK_PAGE))
        await self.database.fetch(query.select_count())

    def _days(self) -> PaymentFilter:
        since, until = self._period()
        return PaymentFilter(since=since, until=until)

    def _period(self) -> tuple[datetime, datetime]:
        since = self.at()
        return since, since + timedelta(days=1)

    def _hour_of_audit(self) -> AuditFilter:
        since = self.at()
        return AuditFilter(since, since + timedelta(hours=1), act="signed_in")

    def _hour(self, zone: ZoneInfo) -> LedgerPeriod:
        since = self.at()
        return LedgerPeriod(since, since + timedelta(hours=1), zone)


GROUPS: Final = {
    "payments": (payments, payment_refunds),
    "applications": (applications,),
    "messages": (messages,),
    "complaints": (complaints,),
    "feedback": (feedback,),
    "audit": (audit,),
    "consents": (consents,),
}


async def measure(url: str, rows: int, rounds: int, groups: Sequence[str]) -> Sequence[Measured]:
    """Fill the tables of each group, and measure its lists."""
    await upgrade(url)
    measured: list[Measured] = []
    async with Database(url) as database, database._write_engine.connect() as connection:  # noqa: SLF001 - the bare driver
        raw = await connection.get_raw_connection()
        driver = cast("Connection", raw.driver_connection)
        await list_rows.prepare(driver)
        lists = Lists(database, rows)
        for group in groups:
            began = time.perf_counter()
            for table in GROUPS[group]:
                await list_rows.fill(driver, table, rows if table is GROUPS[group][0] else rows // 50)
            if group == "payments":
                await _write_bills(driver)
            print(f"{rows:,} rows of {group} written in {time.perf_counter() - began:.0f} s", flush=True)
            for name, call in getattr(lists, f"of_{group}")().items():
                one = await _measure_list(database, driver, name, call, rounds)
                print(
                    f"| {one.name} | {one.p50:.1f} | {one.p95:.1f} | {one.pages} | {one.indexes}{one.scans} |",
                    flush=True,
                )
                measured.append(one)
            for table in GROUPS[group]:
                await list_rows.empty(driver, table)
    return measured


async def _measure_list(database: Database, driver: Connection, name: str, call: Call, rounds: int) -> Measured:
    statements: dict[str, Any] = {}

    def keep(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        statements.setdefault(statement, parameters)

    engine = database._read_engine.sync_engine  # noqa: SLF001 - what the services really run
    event.listen(engine, "before_cursor_execute", keep)
    try:
        await call()
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    pages, indexes, scans = await _explain(driver, statements)
    return Measured(name, took[len(took) // 2], took[len(took) * 95 // 100], pages, indexes, scans)


async def _explain(driver: Connection, statements: Mapping[str, Any]) -> tuple[int, str, str]:
    """Return the pages and the names of the indexes that the statements read, and the tables that they read whole."""
    pages = 0
    indexes: dict[str, None] = {}
    scans: dict[str, None] = {}
    for statement, parameters in statements.items():
        (plan,) = await driver.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *parameters)
        pages += plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
        for node in _walk(plan["Plan"]):
            if "Index Name" in node:
                indexes[node["Index Name"]] = None
            elif node["Node Type"] == "Seq Scan" and node["Plan Rows"] > PAGE:
                scans[f" SCAN {node['Relation Name']}"] = None
    return pages, ", ".join(indexes), "".join(scans)


def _walk(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [node, *(found for child in node.get("Plans", ()) for found in _walk(child))]


async def _write_bills(driver: Connection) -> None:
    """Bills, with content that can be decrypted."""
    records = [_build_bill(number) for number in range(1, list_rows.BILLS + 1)]
    limit = list_rows.STATEMENT_TIMEOUT
    await driver.copy_records_to_table("bills", records=records, columns=list(_BILL_COLUMNS), timeout=limit)
    await driver.execute("VACUUM ANALYZE bills", timeout=limit)


_BILL_COLUMNS: Final = (
    *("id", "biller", "msisdn", "outcome", "consumer", "reference", "content", "amount_minor", "currency", "posting"),
    *("receipt", "idempotency_key", "created_at", "updated_at"),
)


def _build_bill(number: int) -> tuple[Any, ...]:
    biller, consumer, key = f"biller_{number % 5 * 5}", f"{number:08}", f"s:{number}"
    content = CIPHER.encrypt(msgspec.json.encode({"consumer": consumer}), f"bill:{key}")
    hashed = CIPHER.keyed_hash(f"consumer {biller}", consumer)
    amounts = (5000, "BDT", "posted", f"BR{number}", key, START, START)
    return (number, biller, "+8801700000001", "due", hashed, f"{number:032}", content, *amounts)


async def _take(rows: Any, count: int) -> None:
    """Read the first rows."""
    async for _ in rows:
        count -= 1
        if not count:
            return


def _empty_text(*_: object) -> str:
    return ""


def main() -> None:
    """Measure, and say which lists are too slow or read no index."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only", choices=GROUPS, action="append", help="a group of tables; several may be given")
    given = parser.parse_args()
    print("| list | p50 ms | p95 ms | pages | index |\n| --- | ---: | ---: | ---: | --- |")
    with real_postgres() as server, new_database(server) as url:
        measured = asyncio.run(measure(url, given.rows, given.rounds, given.only or list(GROUPS)))
    slow = [one.name for one in measured if one.p95 > LIMIT_MS]
    print(f"{len(measured)} lists; p95 of more than {LIMIT_MS:.0f} ms: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
