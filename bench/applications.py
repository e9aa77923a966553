"""Applications to follow: put straight into the records, each with the screen that tells its status and no other's."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from bench.session import Script, followed
from services.numbers import tracking_number
from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import accounts, applications

HOW_MANY = 3000
CHANGED = datetime(2026, 3, 1, 6, tzinfo=UTC)
PROMISED = date(2099, 12, 31)  # never late
SCREEN = """\
CON Birth certificate
{}
Being checked, 1 Mar 2026
Promised by 31 Dec 2099
{}
1 Send me this by SMS
2 Complain
3 History
4 Other number
0 Back"""


async def put_into(database: str) -> Sequence[Script]:
    """Make the tables, fill them, and tell how each application is followed."""
    numbers = {tracking_number() for _ in range(HOW_MANY)}
    desks = {number: f"D {place}" for place, number in enumerate(numbers)}
    await upgrade(database)
    async with Records(database) as records, records.transaction() as transaction:
        await transaction.execute(records.insert(accounts), _account())
        rows = [_application(number, desk) for number, desk in desks.items()]
        await transaction.execute(records.insert(applications), rows)
    return [followed(number, SCREEN.format(_spaced(number), desk)) for number, desk in desks.items()]


def _spaced(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


def _account() -> Mapping[str, Any]:
    return {
        "id": 1,
        "number": "+8801900000000",
        "name": b"sealed",
        "language": "en",
        "pin_hash": "never asked for",
        "created_at": CHANGED,
    }


def _application(number: str, desk: str) -> Mapping[str, Any]:
    return {
        "tracking_number": number,
        "account": 1,
        "number": "+8801900000000",
        "service": "birth_certificate",
        "office": "mirpur",
        "department": "dncc",
        "form": b"sealed",
        "fee_minor": 5000,
        "currency": "BDT",
        "promised": PROMISED,
        "language": "en",
        "channel": "ussd",
        "status": "under_review",
        "note": {"en": desk},
        "effect": number,
        "created_at": CHANGED,
        "changed_at": CHANGED,
    }
