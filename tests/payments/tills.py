"""Payments as one process has them, over a wallet that does as a test tells it."""

import json
from collections import deque
from datetime import timedelta

from sqlalchemy import select

from services.messages import Messages
from services.payments import Payments, Refunds, Wanted
from services.payments.port import ByHand, Pushed, Report, Unclear
from services.payments.telling import Telling
from services.payments.till import Till
from services.records.tables import payment_refunds, payments
from tests.desk import SEAL, say

PAYER, OTHER = "+254700000001", "+254700000002"
NUMBER = "123456789016"


class ToldWallet:
    """Answers what it was told to, once each; else that it is put before the payer, and is pending."""

    name = "told"

    def __init__(self):
        self.currencies = {"KES": 100}
        self.answers, self.reports, self.returns = deque(), deque(), deque()
        self.asked, self.queried, self.given_back = [], [], []

    def reaches(self, number):
        return True

    async def ask(self, push):
        self.asked.append(push)
        answer = self.answers.popleft() if self.answers else Pushed(f"ws_CO_{len(self.asked)}")
        return await answer(push) if callable(answer) else answer

    async def query(self, asked):
        self.queried.append(asked)
        return self.reports.popleft() if self.reports else Report("pending")

    async def give_back(self, back):
        self.given_back.append(back)
        return self.returns.popleft() if self.returns else ByHand()


class Shop:
    """One process: its payments, its refunds, its till."""

    def __init__(self, records, clock, wallet=None, errands=(), **options):
        self.records, self.clock = records, clock
        self.wallet = wallet or ToldWallet()
        self.messages = Messages(records, SEAL, clock=clock)
        self.telling = Telling(self.messages, say)
        self.payments = Payments(records, SEAL, self.wallet.name, self.telling, clock=clock, **options)
        self.refunds = Refunds(records, self.telling, clock=clock)
        self.till = Till(self.payments, self.refunds, self.wallet, errands)

    async def works(self):
        """Everything that is due now."""
        while await self.till.round():
            continue

    async def later(self, **by):
        self.clock.moves(**by)
        await self.works()

    async def rows(self, table=payments):
        return (await self.records.read(select(table).order_by(table.c.id))).all()

    async def statuses(self, table=payments):
        return [row.status for row in await self.rows(table)]

    async def refund_statuses(self):
        return await self.statuses(payment_refunds)

    async def sent(self):
        """The texts that are waiting, as (text, facts)."""
        claimed = await self.messages.claim("test", 100)
        return [tuple(json.loads(one.text)[1:]) for one in claimed]

    async def texts(self):
        return [text for text, _ in await self.sent()]


def fee(reference=NUMBER, payer=PAYER, amount=20000, **other):
    given = {
        "purpose": "fee",
        "reference": reference,
        "subject": "good_conduct",
        "payer": payer,
        "amount_minor": amount,
        "currency": "KES",
        "language": "en",
        "channel": "ussd",
    }
    return Wanted(**{**given, **other})


def paid(receipt="QK12345678", amount=20000, request="ws_CO_1"):
    return Report("paid", request=request, receipt=receipt, amount_minor=amount)


def refused(outcome="cancelled", request="ws_CO_1"):
    return Report(outcome, request=request)


UNCLEAR = Unclear("Timeout")
MINUTE = timedelta(minutes=1)
