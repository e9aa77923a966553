"""Time of a status lookup among 10 million applications, compared with 10,000, on PostgreSQL.

python -m bench.tracking [--many 10000000] [--few 10000] [--rounds 20]
"""

import argparse
import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from statistics import median
from typing import Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import uvloop
from asyncpg import Connection
from sqlalchemy import text
from stdnum import damm

from core.crypto import Cipher
from db.database import Database
from db.migrate import upgrade
from services.applications.status import ApplicationStatusReader
from services.departments.deliveries import DeliveryRepository
from services.messaging.messages import Messages
from services.payments.fees import Fees
from services.payments.notifications import PaymentNotifier
from services.payments.payments import Payments
from services.tracking.summary import TrackingSummaries
from tests.support.servers import new_database, real_postgres

CONCURRENCY: Final = 64  # lookups in flight
LOOKUPS_PER_CALLER: Final = 2000  # in each round
ROWS_PER_CHUNK: Final = 50_000  # rows in one chunk
STATEMENT_TIMEOUT: Final = 3600.0  # seconds; writing millions of rows takes minutes
NUMBER_STEP: Final = 61_803_398_875  # coprime to 10**11, so every number comes once
COLUMNS: Final = (
    *("tracking_number", "account", "msisdn", "service", "office", "department", "form", "fee_minor", "currency"),
    *("promised", "language", "channel", "status", "note", "idempotency_key", "created_at", "changed_at"),
)
_CONSTRAINTS_QUERY = """
SELECT c.conname AS name, pg_get_constraintdef(c.oid) AS made, true AS is_constraint FROM pg_constraint c
WHERE c.conrelid = 'applications'::regclass AND c.contype IN ('u', 'f')
UNION ALL
SELECT i.indexname, i.indexdef, false FROM pg_indexes i
WHERE i.tablename = 'applications'
AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
"""


class FilledDatabase(NamedTuple):
    """A filled database: number of applications, the lookup, and existing tracking numbers."""

    application_count: int
    find: TrackingSummaries
    tracking_numbers: Sequence[str]


class Round(NamedTuple):
    """Milliseconds of a lookup in one round, and lookups a second."""

    p50: float
    p99: float
    per_second: float


def generate_tracking_numbers(count: int) -> Iterator[str]:
    """Yield `count` different tracking numbers, in an order that is not that of the index."""
    for place in range(count):
        digits = f"{place * NUMBER_STEP % 10**11:011}"
        yield digits + damm.calc_check_digit(digits)


async def fill(url: str, application_count: int) -> None:
    """Create the tables and fill them. Indexes and constraints are created afterwards, which is ten times faster."""
    await upgrade(url)
    async with Database(url) as records:
        async with records.transaction() as transaction:
            await transaction.execute(text(ACCOUNT_STATEMENT))
        async with records._write_engine.connect() as connection:  # noqa: SLF001 - COPY exists in the driver only
            raw = await connection.get_raw_connection()
            await _copy_rows(cast("Connection", raw.driver_connection), application_count)


async def _copy_rows(driver: Connection, application_count: int) -> None:
    kept = await driver.fetch(_CONSTRAINTS_QUERY)
    for one in kept:
        what = "ALTER TABLE applications DROP CONSTRAINT" if one["is_constraint"] else "DROP INDEX"
        await driver.execute(f'{what} "{one["name"]}"')
    await driver.copy_to_table(
        "applications", source=_csv_chunks(application_count), columns=COLUMNS, format="csv", timeout=STATEMENT_TIMEOUT
    )
    for one in kept:
        made = f'ALTER TABLE applications ADD CONSTRAINT "{one["name"]}" {one["made"]}'
        await driver.execute(made if one["is_constraint"] else one["made"], timeout=STATEMENT_TIMEOUT)
    await driver.execute("VACUUM ANALYZE applications", timeout=STATEMENT_TIMEOUT)


async def _csv_chunks(application_count: int) -> AsyncIterator[bytes]:
    piece: list[str] = []
    for number in generate_tracking_numbers(application_count):
        piece.append(ROW_TEMPLATE.format(number=number))
        if len(piece) == ROWS_PER_CHUNK:
            yield "".join(piece).encode()
            piece.clear()
    yield "".join(piece).encode()


ACCOUNT_STATEMENT: Final = """
INSERT INTO accounts (id, msisdn, name, language, pin_hash, created_at)
VALUES (1, '+8801900000000', 'sealed', 'en', 'never asked for', '2026-03-01T06:00:00Z')
"""
ROW_TEMPLATE: Final = (
    "{number},1,+8801900000000,birth_certificate,mirpur,dncc,\\x" + "5e" * 180 + ",5000,BDT,2099-12-31,en,ussd,"
    "under_review,{{}},{number},2026-03-01T06:00:00Z,2026-03-01T06:00:00Z\n"
)


async def _run_round(filled: FilledDatabase) -> Round:
    took: list[float] = []

    async def caller() -> None:
        for _ in range(LOOKUPS_PER_CALLER):
            began = time.perf_counter()
            found = await filled.find(secrets.choice(filled.tracking_numbers))
            took.append(time.perf_counter() - began)
            assert found is not None
            assert (found.status.status, found.fee) == ("under_review", "due")

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
    lasted = time.perf_counter() - began
    took.sort()
    return Round(took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3, len(took) / lasted)


def _build_summaries(database: Database, cipher: Cipher) -> TrackingSummaries:
    """The lookup of the menus: status, fee and delivery in one query, with a wallet and one connected department."""
    messages, dhaka = Messages(database, cipher), ZoneInfo("Asia/Dhaka")
    following = ApplicationStatusReader(database, messages, _empty_text, lambda _: dhaka)
    fees = Fees(
        database,
        Payments(database, cipher, "sandbox", PaymentNotifier(messages, _empty_text)),
        lambda _: True,
        lambda _: True,
    )
    return TrackingSummaries(database, following, fees, DeliveryRepository(database, cipher, {"dncc": None}))


def _empty_text(*_: object) -> str:
    return ""


async def measure(urls: dict[int, str], rounds: int) -> dict[int, list[Round]]:
    """Return the rounds of each database, measured in turn, so that a busy minute of the machine affects both."""
    seal = Cipher(secrets.token_bytes(32))
    async with AsyncExitStack() as stack:
        tables = []
        for how_many, url in urls.items():
            records = await stack.enter_async_context(Database(url))
            summaries = _build_summaries(records, seal)
            known = list(generate_tracking_numbers(min(how_many, 10_000)))
            spread = [
                f"{place * NUMBER_STEP % 10**11:011}" for place in range(0, how_many, max(1, how_many // 200_000))
            ]
            known += [digits + damm.calc_check_digit(digits) for digits in spread]
            tables.append(FilledDatabase(how_many, summaries.find, known))
        for table in tables:
            await _run_round(table)
        seen: dict[int, list[Round]] = {table.application_count: [] for table in tables}
        for _ in range(rounds):
            for table in tables:
                seen[table.application_count].append(await _run_round(table))
        return seen


def main() -> None:
    """Fill the databases, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=10_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with real_postgres() as server, new_database(server) as few, new_database(server) as many:
        urls = {given.few: few, given.many: many}
        for how_many, url in urls.items():
            began = time.perf_counter()
            asyncio.run(fill(url, how_many))
            print(f"{how_many:,} applications written in {time.perf_counter() - began:.0f} s")
        seen = uvloop.run(measure(urls, given.rounds))
    print("| applications | p50 ms | p99 ms | lookups/s |\n| ---: | ---: | ---: | ---: |")
    for how_many, rounds in seen.items():
        p50, p99, a_second = (median(getattr(one, name) for one in rounds) for name in Round._fields)
        print(f"| {how_many:,} | {p50:.2f} | {p99:.2f} | {a_second:,.0f} |")
    ratio = median(b.p50 / a.p50 for a, b in zip(seen[given.few], seen[given.many], strict=True))
    late = median(b.p99 / a.p99 for a, b in zip(seen[given.few], seen[given.many], strict=True))
    print(
        f"many beside few, median of {given.rounds} rounds: p50 × {ratio:.2f}, p99 × {late:.2f}; {CONCURRENCY} at once"
    )


if __name__ == "__main__":
    main()
