"""Insert applications directly into the database, each with a note that appears on its status screen only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from bench.session import Script, tracking_script
from core.reference_numbers import generate_tracking_number
from db.database import Database
from db.migrate import upgrade
from db.tables import accounts, applications

APPLICATION_COUNT = 3000
CHANGED_AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
PROMISED_BY = date(2099, 12, 31)  # never late
STATUS_SCREEN = """\
CON Birth certificate
{}
Being checked, 1 Mar 2026
Promised by 31 Dec 2099
{}
1 Send this by SMS
2 Complain
3 History
4 Another number
0 Back"""


async def insert_applications(database_url: str) -> Sequence[Script]:
    """Create the tables, insert the applications, and return the script that asks for the status of each."""
    numbers = {generate_tracking_number() for _ in range(APPLICATION_COUNT)}
    desks = {number: f"D {place}" for place, number in enumerate(numbers)}
    await upgrade(database_url)
    async with Database(database_url) as records, records.transaction() as transaction:
        await transaction.execute(records.insert(accounts), _account_row())
        rows = [_application_row(number, desk) for number, desk in desks.items()]
        await transaction.execute(records.insert(applications), rows)
    return [
        tracking_script(number, STATUS_SCREEN.format(_group_digits(number), desk)) for number, desk in desks.items()
    ]


def _group_digits(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


def _account_row() -> Mapping[str, Any]:
    return {
        "id": 1,
        "msisdn": "+8801900000000",
        "name": b"",
        "language": "en",
        "pin_hash": "never asked for",
        "created_at": CHANGED_AT,
    }


def _application_row(tracking_number: str, note: str) -> Mapping[str, Any]:
    return {
        "tracking_number": tracking_number,
        "account": 1,
        "msisdn": "+8801900000000",
        "service": "birth_certificate",
        "office": "mirpur",
        "department": "dncc",
        "form": b"",
        "fee_minor": 5000,
        "currency": "BDT",
        "promised": PROMISED_BY,
        "language": "en",
        "channel": "ussd",
        "status": "under_review",
        "note": {"en": note},
        "idempotency_key": tracking_number,
        "created_at": CHANGED_AT,
        "changed_at": CHANGED_AT,
    }
