"""All the services as one process has them, for tests: a clock that stands until it is moved, words that can be taken apart."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from sealing import Seal
from services.accounts import Accounts, NewAccount
from services.applications import Applications, Drafts, Filings, Following, Submission, Withdrawing
from services.departments.deliveries import Deliveries
from services.glances import Glances
from services.keys import Keys
from services.messages import Messages
from services.optouts import OptOuts
from services.payments import Payments
from services.payments.fees import Fees
from services.payments.telling import Telling
from services.pins import Pins
from services.records.database import Records
from services.registrants import Registrants

SEAL = Seal(b"a secret of the tests, 32 octets+")
HASHES: dict[str, str] = {}  # hashing is slow by design, and the tests say the same few things
RAHIMA = "+8801711000001"
KARIM = "+8801711000002"


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def moves(self, **by: float) -> None:
        self.now += timedelta(**by)


def say(language, text, facts):
    """What is said, in words that a test can take apart."""
    return json.dumps([language, text, dict(facts)], default=str, ensure_ascii=False)


class Desk:
    """All services over one database, as one process has them."""

    def __init__(self, records: Records, clock: Clock, pins: Pins, seal: Seal = SEAL) -> None:
        self.records, self.clock, self.seal, self.pins = records, clock, seal, pins
        self.messages = Messages(records, seal, clock=clock)
        self.accounts = Accounts(records, self.messages, pins, seal, say, clock=clock)
        zone = ZoneInfo("Asia/Dhaka")
        self.registrants = Registrants(records, lambda _: "bn", clock=clock)
        self.drafts = Drafts(records, seal, clock=clock)
        self.applications = Applications(
            records,
            self.messages,
            seal,
            say,
            lambda _: zone,
            drafts=self.drafts,
            language_of=self.registrants.language,
            clock=clock,
        )
        self.withdrawing = Withdrawing(records, self.messages, say, self.registrants.language, clock=clock)
        self.optouts = OptOuts(records, clock=clock)
        self.following = Following(records, self.messages, say, lambda _: zone, clock=clock)
        self.filings = Filings(records, self.messages, seal, say, language_of=self.registrants.language, clock=clock)
        self.keys = Keys(records, clock=clock)

    def glances(self, deliveries: Deliveries | None = None) -> Glances:
        """Applications as they are followed where every fee can be paid; no department has a system, but in `deliveries`."""
        payments = Payments(self.records, self.seal, "sandbox", Telling(self.messages, say), clock=self.clock)
        fees = Fees(self.records, payments, lambda _: True, lambda _: True)
        return Glances(self.records, self.following, fees, deliveries or Deliveries(self.records, self.seal, {}))

    async def registers(self, number=RAHIMA, pin="4821", effect="s1:9", language="bn") -> int:
        return await self.accounts.register(await self.newcomer(number, pin, language), effect)

    async def newcomer(self, number=RAHIMA, pin="4821", language="bn") -> NewAccount:
        pin_hash, school, village = [await self.hashed(one) for one in (pin, "Sonar Bangla School", "কুমিল্লা ৪")]
        return NewAccount(
            number, "Rahima Begum", language, pin_hash, (("first_school", school), ("birthplace", village))
        )

    async def hashed(self, secret: str) -> str:
        """The hash of `secret`, always the same one in this run; nothing of nothing."""
        if secret and secret not in HASHES:
            HASHES[secret] = await self.pins.hashed(secret)
        return HASHES.get(secret, "")

    async def sent(self, most=100):
        """The SMS that are waiting, as (to, language, text, facts), claimed and settled."""
        claimed = await self.messages.claim("test", most)
        return [(one.to, *json.loads(one.text)) for one in claimed]

    async def count(self, table) -> int:
        return (await self.records.read(select(func.count()).select_from(table))).scalar_one()


def birth_certificate(account=1, number=RAHIMA, **other) -> Submission:
    given = {
        "account": account,
        "number": number,
        "service": "birth_certificate",
        "office": "union_parishad",
        "department": "local_government",
        "form": {"child": "আয়েশা", "nid": "19950000000000001"},
        "days": 7,
        "fee_minor": 5000,
        "currency": "BDT",
        "language": "bn",
        "channel": "ussd",
    }
    return Submission(**{**given, **other})
