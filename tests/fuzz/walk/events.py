"""What happens while somebody is on the phone: departments answer, staff act, wallets are used, systems fail."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from core.types import utc_now
from db.tables import accounts, applications, complaints
from services.audit.audit import AuditLog
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.account_access import AccountAccess
from services.payments.worker import PaymentWorker
from services.privacy.models import DataRequest
from tests.fuzz.walk.gateway import CONNECTED_DEPARTMENTS, FuzzGateway
from tests.support.complaints import build_complaint, build_feedback
from tests.support.services import birth_certificate_submission
from tests.support.staff import staff_act

NOTE = {"en": "Bring the original papers " * 3, "bn": "মূল কাগজ নিয়ে আসুন"}
STATUSES = ("under_review", "needs_correction", "rejected", "ready", "delivered", "answered", "answered", "closed")
_find_link = re.compile(r"/d/([\w-]+)").search


async def open_cases(gateway: FuzzGateway, account: int, msisdn: str, partner: str) -> Sequence[str]:
    """Submit two applications, one for another person, a complaint and feedback; their numbers."""
    services, key = gateway.services, f"case-{gateway.next_number()}"
    own = birth_certificate_submission(account, msisdn)
    submitted = [
        await services.application_forms._submission.submit(application, f"{key}{number}:1")
        for number, application in enumerate((own, replace(own, beneficiary=partner, service="pan_card")))
    ]
    complaint = await services.complaints.submission.submit_complaint(build_complaint(msisdn=msisdn), f"{key}c:1")
    feedback = await services.complaints.submission.submit_feedback(build_feedback(msisdn=msisdn), f"{key}f:1")
    return [feedback, *(one.tracking_number for one in submitted), complaint.complaint_number]


async def move_case(gateway: FuzzGateway, number: str, status: str) -> None:
    """Let the department set an application or a complaint to a status."""
    services, key = gateway.services, f"move-{gateway.next_number()}"
    for column, view in (
        (applications.c.tracking_number, services.department_applications),
        (complaints.c.complaint_number, services.complaints.department_view),
    ):
        row = (await gateway.database.fetch(select(column.table.c.department).where(column == number))).one_or_none()
        if row:
            await view.move(row[0], number, status, NOTE, key)


async def suspend_operator(gateway: FuzzGateway, msisdn: str) -> None:
    """Suspend an operator, or let a suspended one work again."""
    operators = gateway.services.operators
    found = await operators.find_by_msisdn(msisdn)
    if found and not await operators.resume(found.id, staff_act()):
        await operators.suspend(found.id, staff_act())


async def change_account(gateway: FuzzGateway, msisdn: str, change: str) -> None:
    """Let staff or another session freeze, unfreeze, sign out, age or close the account of a number."""
    services, account = gateway.services, await gateway.services.accounts.find_account(msisdn)
    if not account:
        return
    key = f"event-{gateway.next_number()}:1"
    if change == "close":
        await services.privacy.delete_account(DataRequest(account, msisdn, "en", "web", key))
    elif change == "age":
        old = dict.fromkeys(("created_at", "last_used_at"), utc_now() - timedelta(days=200))
        async with gateway.database.transaction() as transaction:
            await transaction.execute(update(accounts).where(accounts.c.id == account).values(old))
    else:
        access = AccountAccess(gateway.database, AuditLog(gateway.database), services.accounts.notices, clock=utc_now)
        act = StaffAct(Actor("staff", "fuzz", "cli"), "lost_phone", key)
        await getattr(access, change)(account, act)


async def use_wallet(gateway: FuzzGateway, msisdn: str, pin: str) -> None:
    """Let the wallet ask for what is to be paid, and answer it."""
    payments = gateway.services.payments
    if payments.wallet is None:
        return
    worker = PaymentWorker(payments.payments, payments.refunds, payments.wallet, [payments.bills.post_due])
    await worker.run_once()
    for prompt in await payments.sandbox_wallet.pending_prompts(msisdn):
        await payments.sandbox_wallet.answer_prompt(prompt.id, pin or None)
    await worker.run_once()


async def open_email(gateway: FuzzGateway, address: str) -> None:
    """Open the newest link that was sent to an address."""
    for text in reversed(gateway.sent.get(address, ())):
        if found := _find_link(text):
            link = await gateway.services.links.resolve(found[1])
            if link and link.purpose == "email":
                await gateway.services.emails.verify(link.subject)
            return


def change_system(gateway: FuzzGateway, state: str) -> None:
    """Set what the issuer of documents does, what the network says of SIMs, and whether departments' systems answer."""
    name, _, value = state.partition("=")
    if name == "issuer":
        gateway.issuer.state = value
    elif name == "sim":
        gateway.sim_swap.state = value
    else:
        gateway.services.deliveries.unreachable.clear()
        gateway.services.deliveries.unreachable.update(CONNECTED_DEPARTMENTS if value == "down" else ())


SYSTEM_STATES: Sequence[str] = (
    *("departments=down", "departments=up"),
    *("issuer=down", "issuer=expired", "issuer=gone", "issuer=none", "issuer=up", "issuer=up"),
    *("sim=swapped", "sim=unknown", "sim=unchanged", "sim=unchanged"),
)
ACCOUNT_CHANGES: Sequence[str] = (
    *("freeze", "unfreeze", "unfreeze", "sign_out_everywhere", "reset_questions", "age", "age", "close"),
)
