"""What following an application takes among ten million of them, beside ten thousand, on a PostgreSQL.

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

from sealing import Seal
from services.applications import Following
from services.departments.deliveries import Deliveries
from services.glances import Glances
from services.messages import Messages
from services.payments import Payments
from services.payments.fees import Fees
from services.payments.telling import Telling
from services.records.database import Records
from services.records.migrate import upgrade
from tests.servers import new_database, real_postgres

AT_ONCE: Final = 64  # that follow an application at the same time
ASKED: Final = 2000  # of each of them in a round
PIECE: Final = 50_000  # rows written at a time
LONG: Final = 3600.0  # seconds that writing millions of rows may take; a gateway waits for nothing so long
STEP: Final = 61_803_398_875  # prime to 10**11, so that every number comes once
COLUMNS: Final = (
    *("tracking_number", "account", "number", "service", "office", "department", "form", "fee_minor", "currency"),
    *("promised", "language", "channel", "status", "note", "effect", "created_at", "changed_at"),
)
_KEPT = """
SELECT c.conname AS name, pg_get_constraintdef(c.oid) AS made, true AS is_constraint FROM pg_constraint c
WHERE c.conrelid = 'applications'::regclass AND c.contype IN ('u', 'f')
UNION ALL
SELECT i.indexname, i.indexdef, false FROM pg_indexes i
WHERE i.tablename = 'applications'
AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
"""


class Table(NamedTuple):
    """One database's applications, how to follow them, and some numbers that are there."""

    how_many: int
    follow: Glances
    numbers: Sequence[str]


class Round(NamedTuple):
    """What one round of lookups took, in milliseconds."""

    p50: float
    p99: float
    a_second: float


def numbers(how_many: int) -> Iterator[str]:
    """That many tracking numbers, each once, in no order that an index would like."""
    for place in range(how_many):
        digits = f"{place * STEP % 10**11:011}"
        yield digits + damm.calc_check_digit(digits)


async def filled(url: str, how_many: int) -> None:
    """Make the tables and fill them; what holds the rows to each other is made afterwards, for that is ten times faster."""
    await upgrade(url)
    async with Records(url) as records:
        async with records.transaction() as transaction:
            await transaction.execute(text(ACCOUNT))
        async with records._writing.connect() as connection:  # noqa: SLF001 - COPY is the driver's own
            raw = await connection.get_raw_connection()
            await _copied(cast("Connection", raw.driver_connection), how_many)


async def _copied(driver: Connection, how_many: int) -> None:
    kept = await driver.fetch(_KEPT)
    for one in kept:
        what = "ALTER TABLE applications DROP CONSTRAINT" if one["is_constraint"] else "DROP INDEX"
        await driver.execute(f'{what} "{one["name"]}"')
    await driver.copy_to_table("applications", source=_rows(how_many), columns=COLUMNS, format="csv", timeout=LONG)
    for one in kept:
        made = f'ALTER TABLE applications ADD CONSTRAINT "{one["name"]}" {one["made"]}'
        await driver.execute(made if one["is_constraint"] else one["made"], timeout=LONG)
    await driver.execute("VACUUM ANALYZE applications", timeout=LONG)


async def _rows(how_many: int) -> AsyncIterator[bytes]:
    piece: list[str] = []
    for number in numbers(how_many):
        piece.append(ROW.format(number=number))
        if len(piece) == PIECE:
            yield "".join(piece).encode()
            piece.clear()
    yield "".join(piece).encode()


ACCOUNT: Final = """
INSERT INTO accounts (id, number, name, language, pin_hash, created_at)
VALUES (1, '+8801900000000', 'sealed', 'en', 'never asked for', '2026-03-01T06:00:00Z')
"""
ROW: Final = (
    "{number},1,+8801900000000,birth_certificate,mirpur,dncc,\\x" + "5e" * 180 + ",5000,BDT,2099-12-31,en,ussd,"
    "under_review,{{}},{number},2026-03-01T06:00:00Z,2026-03-01T06:00:00Z\n"
)


async def _round(table: Table) -> Round:
    took: list[float] = []

    async def caller() -> None:
        for _ in range(ASKED):
            began = time.perf_counter()
            found = await table.follow(secrets.choice(table.numbers))
            took.append(time.perf_counter() - began)
            assert found is not None
            assert (found.status.status, found.fee) == ("under_review", "due")

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    lasted = time.perf_counter() - began
    took.sort()
    return Round(took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3, len(took) / lasted)


def _followed(records: Records, seal: Seal) -> Glances:
    """Status, fee and way of an application in one look, as the menus have it where a wallet is and one department has a system."""
    messages, dhaka = Messages(records, seal), ZoneInfo("Asia/Dhaka")
    following = Following(records, messages, _unsaid, lambda _: dhaka)
    fees = Fees(records, Payments(records, seal, "sandbox", Telling(messages, _unsaid)), lambda _: True, lambda _: True)
    return Glances(records, following, fees, Deliveries(records, seal, {"dncc": None}))


def _unsaid(*_: object) -> str:
    return ""


async def measured(urls: dict[int, str], rounds: int) -> dict[int, list[Round]]:
    """Table after table in each round, so that a busy minute of the machine falls on both."""
    seal = Seal(secrets.token_bytes(32))
    async with AsyncExitStack() as stack:
        tables = []
        for how_many, url in urls.items():
            records = await stack.enter_async_context(Records(url))
            follow = _followed(records, seal)
            known = list(numbers(min(how_many, 10_000)))
            spread = [f"{place * STEP % 10**11:011}" for place in range(0, how_many, max(1, how_many // 200_000))]
            known += [digits + damm.calc_check_digit(digits) for digits in spread]
            tables.append(Table(how_many, follow, known))
        for table in tables:
            await _round(table)
        seen: dict[int, list[Round]] = {table.how_many: [] for table in tables}
        for _ in range(rounds):
            for table in tables:
                seen[table.how_many].append(await _round(table))
        return seen


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=10_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with real_postgres() as server, new_database(server) as few, new_database(server) as many:
        urls = {given.few: few, given.many: many}
        for how_many, url in urls.items():
            began = time.perf_counter()
            asyncio.run(filled(url, how_many))
            print(f"{how_many:,} applications written in {time.perf_counter() - began:.0f} s")
        seen = uvloop.run(measured(urls, given.rounds))
    print("| applications | p50 ms | p99 ms | lookups/s |\n| ---: | ---: | ---: | ---: |")
    for how_many, rounds in seen.items():
        p50, p99, a_second = (median(getattr(one, name) for one in rounds) for name in Round._fields)
        print(f"| {how_many:,} | {p50:.2f} | {p99:.2f} | {a_second:,.0f} |")
    ratio = median(b.p50 / a.p50 for a, b in zip(seen[given.few], seen[given.many], strict=True))
    late = median(b.p99 / a.p99 for a, b in zip(seen[given.few], seen[given.many], strict=True))
    print(f"many beside few, median of {given.rounds} rounds: p50 × {ratio:.2f}, p99 × {late:.2f}; {AT_ONCE} at once")


if __name__ == "__main__":
    main()
