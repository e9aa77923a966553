"""All services over one database, with a manual clock and texts that tests can parse."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.crypto import Cipher
from db.database import Database
from services.applications.department_view import DepartmentApplications
from services.applications.drafts import Drafts
from services.applications.models import NewApplication
from services.applications.status import ApplicationStatusReader
from services.applications.submission import ApplicationSubmission
from services.applications.withdrawal import Withdrawals
from services.audit.audit import AuditLog
from services.citizens.accounts import Accounts
from services.citizens.contacts import Contacts
from services.citizens.models import NewAccount
from services.citizens.pins import SecretHasher
from services.departments.api_keys import ApiKeys
from services.departments.deliveries import DeliveryRepository
from services.messaging.messages import Messages
from services.messaging.opt_outs import OptOuts
from services.messaging.routing import Route, SmsRoutes
from services.payments.cash import CashPayments
from services.payments.fees import Fees
from services.payments.notifications import PaymentNotifier
from services.payments.payments import Payments
from services.payments.reconciliation import PaymentReconciler
from services.tracking.summary import TrackingSummaries

CIPHER = Cipher(b"a secret of the tests, 32 octets+")
PIN_HASHES: dict[str, str] = {}  # hashing is slow by design, and the tests say the same few things
RAHIMA = "+8801711000001"
KARIM = "+8801711000002"


class ManualClock:
    """A wall clock that a test moves, and the monotonic clock beside it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._seconds = 1000.0

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Let time pass on both clocks."""
        self.now += timedelta(**by)
        self._seconds += timedelta(**by).total_seconds()

    def jump(self, **by: float) -> None:
        """Set the wall clock; no time passes."""
        self.now += timedelta(**by)

    def monotonic(self) -> float:
        """The monotonic clock, in seconds."""
        return self._seconds


def render_text(language, text, facts):
    """A text as JSON: its language, its key and its facts."""
    return json.dumps([language, text, dict(facts)], default=str, ensure_ascii=False)


class ServiceSet:
    """All services over one database, as in one process. SMS are those of one provider, whose name is empty by default."""

    def __init__(
        self,
        database: Database,
        clock: ManualClock,
        pins: SecretHasher,
        cipher: Cipher = CIPHER,
        *,
        sms_provider: str = "",
    ) -> None:
        self.database, self.clock, self.cipher, self.pins = database, clock, cipher, pins
        self.messages = Messages(database, cipher, clock=clock, routes=SmsRoutes(Route(provider=sms_provider)))
        self.accounts = Accounts(database, self.messages, pins, cipher, render_text, clock=clock)
        zone = ZoneInfo("Asia/Dhaka")
        self.contacts = Contacts(database, lambda _: "bn", clock=clock)
        self.drafts = Drafts(database, cipher, clock=clock)
        self.applications = ApplicationSubmission(
            database,
            self.messages,
            cipher,
            render_text,
            lambda _: zone,
            drafts=self.drafts,
            find_language=self.contacts.get_language,
            clock=clock,
        )
        self.withdrawals = Withdrawals(database, self.messages, render_text, self.contacts.get_language, clock=clock)
        self.opt_outs = OptOuts(database, clock=clock)
        self.status_reader = ApplicationStatusReader(database, self.messages, render_text, lambda _: zone, clock=clock)
        self.department_applications = DepartmentApplications(
            database, self.messages, cipher, render_text, find_language=self.contacts.get_language, clock=clock
        )
        self.api_keys = ApiKeys(database, clock=clock)

    def tracking_summaries(self, deliveries: DeliveryRepository | None = None) -> TrackingSummaries:
        """Tracking summaries where every fee can be paid; only the departments in `deliveries` have a system."""
        deliveries = deliveries or DeliveryRepository(self.database, self.cipher, {})
        return TrackingSummaries(self.database, self.status_reader, self.fees(), deliveries)

    def cash_payments(self, takes_cash=lambda _: True):
        notifier = PaymentNotifier(self.messages, render_text)
        audit = AuditLog(self.database, clock=self.clock)
        reconciler = PaymentReconciler(self.database, self.cipher, notifier, audit, self.clock)
        return CashPayments(self.database, reconciler, takes_cash, clock=self.clock)

    def fees(self):
        payments = Payments(
            self.database, self.cipher, "sandbox", PaymentNotifier(self.messages, render_text), clock=self.clock
        )
        return Fees(
            self.database,
            payments,
            is_payable=lambda _: True,
            can_pay=lambda *_: True,
            fee_currency=lambda _: "BDT",
        )

    async def register(self, msisdn=RAHIMA, pin="4821", idempotency_key="s1:9", language="bn") -> int:
        return await self.accounts.register(await self.new_account(msisdn, pin, language), idempotency_key)

    async def new_account(self, msisdn=RAHIMA, pin="4821", language="bn") -> NewAccount:
        pin_hash, school, scenario = [await self.hash_secret(one) for one in (pin, "Sonar Bangla School", "কুমিল্লা ৪")]
        return NewAccount(
            msisdn, "Rahima Begum", language, pin_hash, (("first_school", school), ("birthplace", scenario))
        )

    async def hash_secret(self, secret: str) -> str:
        """The hash of `secret`, the same one in the whole run; "" for ""."""
        if secret and secret not in PIN_HASHES:
            PIN_HASHES[secret] = await self.pins.hash(secret)
        return PIN_HASHES.get(secret, "")

    async def claim_sms(self, limit=100):
        """Claim the SMS in the outbox, as (to, language, text, facts)."""
        claimed = await self.messages.claim("test", limit)
        return [(one.to, *json.loads(one.text)) for one in claimed]

    async def count_rows(self, table) -> int:
        return (await self.database.fetch(select(func.count()).select_from(table))).scalar_one()


def birth_certificate_submission(account=1, msisdn=RAHIMA, **other) -> NewApplication:
    given = {
        "account": account,
        "msisdn": msisdn,
        "service": "birth_certificate",
        "office": "union_parishad",
        "department": "local_government",
        "form": {"child": "আয়েশা", "nid": "19950000000000001"},
        "promised_days": 7,
        "fee_minor": 5000,
        "currency": "BDT",
        "language": "bn",
        "channel": "ussd",
        "applied_for": "another" if other.get("beneficiary") else "self",
    }
    return NewApplication(**{**given, **other})


PAPERS = {"birth_certificate": ("vaccine_card", "parents_id"), "trade_licence": ("national_id", "photo")}
