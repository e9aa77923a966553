"""Bills over the payments of one process, with a biller and a wallet that do as they are told."""

from datetime import date

from core.rate_limit import LocalWindowCounter
from db.tables import bills
from services.catalogue.models import Field
from services.payments.billers.base import Bill, BillerUnavailableError, PaymentPosted
from services.payments.bills import Bills, ConnectedBiller
from services.payments.lookup_limits import LookupLimits, LookupQuotas
from services.payments.models import BillQuery, Payer
from tests.support.payments import PAYER_MSISDN, PaymentServiceSet, paid_report
from tests.support.services import CIPHER

CONSUMER = "12345678904321"
FIELD = Field(name="consumer", kind="identity", labels={"en": "Number"}, scheme="digits", lengths=(14,))
ALL = lambda _: True  # noqa: E731


class ScriptedBiller:
    def __init__(self):
        self.amounts_due = Bill("2026-11", 91000, "KES", date(2026, 12, 5), "R*** B***")
        self.post_results, self.posted_payments, self.is_down = [], [], False

    async def fetch_bill(self, consumer):
        if self.is_down:
            raise BillerUnavailableError
        return self.amounts_due

    async def post_payment(self, payment):
        self.posted_payments.append(payment)
        answer = self.post_results.pop(0) if self.post_results else PaymentPosted("B-1")
        if isinstance(answer, Exception):
            raise answer
        return answer


class BillServiceSet:
    """Bills over the payments of one process."""

    def __init__(self, database, clock):
        self.biller = ScriptedBiller()
        self.payments = PaymentServiceSet(database, clock, jobs=[self._post])
        self.bills = Bills(
            database=database,
            cipher=CIPHER,
            payments=self.payments.payments,
            refunds=self.payments.refunds,
            notifier=self.payments.notifier,
            find_biller=lambda code: ConnectedBiller(code, FIELD, "KES", self.biller) if code == "water" else None,
            accepts_amount=lambda _, currency: currency == "KES",
            can_pay=lambda msisdn, currency: msisdn.startswith("+254") and currency == "KES",
            lookup_limits=LookupLimits(LocalWindowCounter(), CIPHER.keyed_hash, LookupQuotas(per_caller=1000)),
            clock=clock,
        )

    async def _post(self):
        return await self.bills.post_due()

    async def look_up(
        self, typed=CONSUMER, *, idempotency_key="s:4", account=0, number=PAYER_MSISDN, biller="water", counts=ALL
    ):
        asking = BillQuery(biller, number, account, date(2026, 11, 21))
        return await self.bills.look_up(asking, typed, idempotency_key, counts)

    async def pay(self, idempotency_key="s:5", account=0, **looked):
        shown = await self.look_up(idempotency_key=f"{idempotency_key}/look", account=account, **looked)
        said = await self.bills.request_payment(
            shown.bill_id, Payer(PAYER_MSISDN, account, "en", "ussd"), idempotency_key
        )
        await self.payments.run_due_jobs()
        return said

    async def receive_report(self, report=None, place=-1):
        rows = await self.payments.fetch_rows()
        report = report or paid_report(amount=91000, request=rows[place].request)
        await self.payments.payments.record_report(rows[place].key, report)
        await self.payments.run_due_jobs()

    async def posting_statuses(self):
        return [row.posting for row in await self.payments.fetch_rows(bills)]
