"""Payments in every state that a page shows, a refund for a person, and money that belongs to no payment."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core.types import utc_now
from db.tables import applications, payment_refunds, payment_reports, payments
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.sample_rows import insert_row

PAYER = "+8801700000021"
FEE: Mapping[str, Any] = {
    "purpose": "fee",
    "subject": "birth_certificate",
    "department": "civil_registration",
    "payer": PAYER,
    "amount_minor": 5000,
    "currency": "BDT",
    "language": "en",
    "channel": "ussd",
    "wallet": "sandbox",
}
STATES: Mapping[str, Mapping[str, Any]] = {
    "paid_payment": {"status": "paid", "paid_minor": 5000, "receipt": "RCT0000001"},
    "open_payment": {"status": "unknown", "reason": "WorkerGone"},
    "mismatch": {"status": "amount_mismatch", "paid_minor": 500, "receipt": "RCT0000003"},
    "twice": {"status": "duplicate_payment", "paid_minor": 5000, "receipt": "RCT0000004"},
    "failed_payment": {"status": "failed", "reason": "cancelled"},
    "refunded_payment": {"status": "paid", "paid_minor": 5000, "receipt": "RCT0000006"},
}
REASON = {"reason": "ticket 4711"}
FEE_NUMBER = "900000000017"

SAMPLES = {
    "payments.view": [
        Sample("GET", "/console/payments"),
        Sample("GET", "/console/payments/list"),
        Sample("GET", "/console/payments/list?status=paid&subject=fee:birth_certificate&since=2020-01-01"),
        Sample("GET", "/console/payments/report?by=service"),
        Sample("GET", "/console/payments/{paid_payment}"),
        Sample("GET", "/console/payments/{open_payment}"),
        Sample("GET", "/console/payments/{refunded_payment}"),
        Sample("GET", "/console/payments/money/{money}"),
        Sample("POST", "/console/payments/find", {"what": "RCT0000001"}),
    ],
    "payments.refund": [
        Sample("POST", "/console/payments/{paid_payment}/refund", {"amount": "10", "confirmed": "yes", **REASON}),
        Sample("POST", "/console/payments/{refunded_payment}/refunds/{refund}/returned", REASON),
    ],
    "payments.settle": [
        Sample("POST", "/console/payments/{open_payment}/settle", {"outcome": "paid", "receipt": "RCT9", **REASON}),
        Sample("POST", "/console/payments/money/{money}/assign", {"account": FEE_NUMBER, **REASON}),
        Sample("POST", "/console/payments/money/{money}/given-back", {"receipt": "BACK1", **REASON}),
    ],
    "payments.cash": [
        Sample("GET", "/console/payments/cash"),
        Sample("POST", "/console/payments/cash", {"number": FEE_NUMBER, "amount": "50", "receipt": "R-17", **REASON}),
    ],
    "payments.reconcile": [
        Sample("GET", "/console/payments/statement"),
        Sample("POST", "/console/payments/statement", {"format": "generic", **REASON}),
    ],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Add the payments, three hours old; who refunded one explained it in hostile text."""
    database, then = scene.room.database, utc_now() - timedelta(hours=3)
    names: dict[str, str] = {}
    for place, (name, state) in enumerate(STATES.items(), 1):
        row = FEE | {"reference": f"90000000000{place}", "ended_at": then if "paid_minor" in state else None} | state
        names[name] = str((await insert_row(database, payments, then, **row))[0])
    refund = {"payment": int(names["refunded_payment"]), "amount_minor": 1000, "status": "by_hand"}
    refunded = await insert_row(
        database, payment_refunds, then, **refund, explanation=HOSTILE, category="mistake", actor="rahim"
    )
    money = {"source": "callback", "outcome": "paid", "receipt": "RKT7", "amount_minor": 5000, "currency": "BDT"}
    report = await insert_row(database, payment_reports, then, **money, wallet="sandbox", reason="NoSuchPayment")
    await insert_row(
        database,
        applications,
        then,
        tracking_number=FEE_NUMBER,
        service="birth_certificate",
        department="civil_registration",
        msisdn=PAYER,
        status="submitted",
        language="en",
        channel="ussd",
    )
    return names | {"refund": str(refunded[0]), "money": str(report[0])}
