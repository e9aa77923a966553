"""The services of payments over one database, and a scripted wallet."""

import json
from collections import deque
from datetime import timedelta

from sqlalchemy import select

from db.tables import payment_refunds, payments
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.messaging.messages import Messages
from services.payments.models import PaymentRequest
from services.payments.notifications import PaymentNotifier
from services.payments.payments import Payments
from services.payments.refunds import Refunds
from services.payments.wallets.base import ManualRefund, PaymentReport, PushAccepted, ResultUnknown
from services.payments.wallets.daraja import Merchant, build_callback_url
from services.payments.worker import PaymentWorker
from tests.fakes.daraja_server import KEY, PASSKEY, SECRET, SHORT_CODE
from tests.support.services import CIPHER, render_text

PAYER_MSISDN, OTHER_MSISDN = "+254700000001", "+254700000002"
TRACKING_NUMBER = "123456789016"


class ScriptedWallet:
    """Gives the scripted results, each once; otherwise it accepts every push, and its payment is pending."""

    name = "told"

    def __init__(self):
        self.currencies = {"KES": 100}
        self.push_results, self.reports, self.refund_results = deque(), deque(), deque()
        self.push_requests, self.status_queries, self.refund_requests = [], [], []

    def can_pay(self, msisdn, currency):
        return True

    async def push(self, request):
        self.push_requests.append(request)
        answer = self.push_results.popleft() if self.push_results else PushAccepted(f"ws_CO_{len(self.push_requests)}")
        return await answer(request) if callable(answer) else answer

    async def query_status(self, query):
        self.status_queries.append(query)
        return self.reports.popleft() if self.reports else PaymentReport("pending")

    async def refund(self, request):
        self.refund_requests.append(request)
        return self.refund_results.popleft() if self.refund_results else ManualRefund()


class PaymentServiceSet:
    """One process with payments, refunds and their worker."""

    def __init__(self, database, clock, wallet=None, jobs=(), **options):
        self.database, self.clock = database, clock
        self.wallet = wallet or ScriptedWallet()
        self.messages = Messages(database, CIPHER, clock=clock)
        self.notifier = PaymentNotifier(self.messages, render_text)
        self.payments = Payments(database, CIPHER, self.wallet.name, self.notifier, clock=clock, **options)
        self.refunds = Refunds(database, self.notifier, clock=clock)
        self.worker = PaymentWorker(self.payments, self.refunds, self.wallet, jobs)

    async def run_due_jobs(self):
        """Run every job that is due now."""
        while await self.worker.run_once():
            continue

    async def run_later(self, **by):
        self.clock.advance(**by)
        await self.run_due_jobs()

    async def fetch_rows(self, table=payments):
        return (await self.database.fetch(select(table).order_by(table.c.id))).all()

    async def statuses(self, table=payments):
        return [row.status for row in await self.fetch_rows(table)]

    async def refund_statuses(self):
        return await self.statuses(payment_refunds)

    async def claim_sms(self):
        """Claim the SMS in the outbox, as (text, facts)."""
        claimed = await self.messages.claim("test", 100)
        return [tuple(json.loads(one.text)[1:]) for one in claimed]

    async def claim_sms_texts(self):
        return [text for text, _ in await self.claim_sms()]


def fee_request(reference=TRACKING_NUMBER, payer=PAYER_MSISDN, amount=20000, **other):
    given = {
        "purpose": "fee",
        "reference": reference,
        "subject": "birth_certificate",
        "payer": payer,
        "amount_minor": amount,
        "currency": "KES",
        "language": "en",
        "channel": "ussd",
    }
    return PaymentRequest(**{**given, **other})


def paid_report(receipt="QK12345678", amount=20000, request="ws_CO_1"):
    return PaymentReport("paid", request_id=request, receipt=receipt, amount_minor=amount)


def refused_report(outcome="cancelled", request="ws_CO_1"):
    return PaymentReport(outcome, request_id=request)


STAFF_ACT = StaffAct(Actor("staff", "rahim", "terminal"), "seen in the portal", "terminal:1")
UNCLEAR_RESPONSE = ResultUnknown("Timeout")
MINUTE = timedelta(minutes=1)


def build_client(url, till=""):
    return Merchant(
        base_url=url,
        consumer_key=KEY,
        consumer_secret=SECRET,
        short_code=SHORT_CODE,
        passkey=PASSKEY,
        party=till or SHORT_CODE,
        transaction_type="CustomerBuyGoodsOnline" if till else "CustomerPayBillOnline",
        callback_url=build_callback_url("https://ekdial.example", "a token"),
    )
