"""Bills: what a biller says is owed, having it paid, and telling the biller, again and again until it has taken or refused it.

What was shown is kept under its effect, so that what is paid is what was shown. A bill that was paid and is not taken is
given back, and where the wallet cannot do that it is in a person's hands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
import structlog
from sqlalchemy import Row, Select, select, update

from services.catalogue import answers
from services.catalogue.model import Field
from services.closed import still_open
from services.given import Clock, Sealing, utc_now
from services.payments import billing
from services.payments.fees import Payer, Reaches
from services.payments.port import takes
from services.payments.refunds import Giving, Refunds
from services.payments.rows import Payments
from services.payments.telling import Telling
from services.payments.values import GRACE, Counts, Paid, Wanted
from services.records.database import Records, Transaction
from services.records.tables import accounts, bills, payments

Found: TypeAlias = Literal["due", "none", "unknown", "down", "wrong", "paid", "pending", "elsewhere"]

AT_ONCE: Final = 8
FIRST_WAIT, LONGEST_WAIT = 20, 6 * 3600  # seconds between two times that a biller is told
GIVE_UP: Final = timedelta(days=3)  # after which it is given back: whoever paid has waited long enough
SHOWN: Final = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Connected:
    """A biller of the catalogue, and how it is asked."""

    code: str
    consumer: Field
    currency: str
    biller: billing.Biller


Connect: TypeAlias = Callable[[str], Connected | None]
"""A biller's code to the biller; None where it cannot be paid here, or is not in the catalogue any more."""
Takes: TypeAlias = Callable[[int, str], bool]
"""Whether the wallet takes this amount of this currency."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks after a bill: of which biller, for whose account (0 without one), from which MSISDN."""

    biller: str
    number: str = field(repr=False)
    account: int
    today: date


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of asking. `bill` is our id of it; the facts are what screens and texts say."""

    outcome: Found
    bill: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    refused: answers.Refused | None = None


class _Content(msgspec.Struct):
    """What is sealed in a row."""

    consumer: str
    reference: str = ""
    due: date | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Behind:
    """What bills stand on."""

    records: Records
    seal: Sealing
    payments: Payments
    refunds: Refunds
    telling: Telling
    connect: Connect
    takes: Takes
    reaches: Reaches


class Bills:
    """Every bill that somebody asked after."""

    def __init__(self, behind: Behind, *, clock: Clock = utc_now) -> None:
        self._behind = behind
        self._records = behind.records
        self._seal = behind.seal
        self._clock = clock

    async def look(self, asking: Asking, typed: str, effect: str, counts: Counts = lambda _: True) -> Shown:
        """What is owed under this consumer number; the same effect is told the same, though the biller be gone."""
        if kept := await self._kept(bills.c.effect == effect):
            return await self._as_shown(kept, counts)
        connected = self._behind.connect(asking.biller)
        if connected is None:
            return Shown("elsewhere")
        consumer = answers.check(connected.consumer, typed, asking.today)
        if isinstance(consumer, answers.Refused):
            return Shown("wrong", refused=consumer)
        try:
            found = await connected.biller.look(consumer.value)
        except billing.BillerDown:
            return Shown("down")
        await self._keep(asking, consumer.value, found, effect)
        kept = await self._kept(bills.c.effect == effect)
        assert kept is not None  # noqa: S101 - it was just written
        return await self._as_shown(kept, counts)

    async def look_again(self, asking: Asking, effect: str, counts: Counts) -> Shown:
        """What is owed under the number that this account paid for last."""
        last = await self._last(asking.account, asking.biller, counts)
        if last is None:
            return Shown("elsewhere")
        return await self.look(asking, self._content(last).consumer, effect, counts)

    async def last(self, account: int, biller: str, counts: Counts) -> str:
        """The last digits of the number that this account paid this biller for last; empty where it never did."""
        last = await self._last(account, biller, counts) if account else None
        return _shown(self._content(last).consumer) if last else ""

    async def pay(self, bill: int, payer: Payer, effect: str) -> Paid | Literal["none"]:
        """Have the payer's wallet asked for what was shown; `none` where that cannot be paid here any more."""
        row = await self._kept(bills.c.id == bill)
        if row is None or row.outcome != "due" or self._behind.connect(row.biller) is None:
            return "none"
        if not self._behind.takes(row.amount_minor, row.currency) or not self._behind.reaches(payer.number):
            return "none"
        wanted = Wanted(
            purpose="bill",
            reference=row.reference,
            subject=row.biller,
            bill=row.id,
            payer=payer.number,
            account=payer.account,
            amount_minor=row.amount_minor,
            currency=row.currency,
            language=payer.language,
            channel=payer.channel,
        )
        return await self._behind.payments.pay(wanted, effect)

    async def post(self) -> bool:
        """Tell billers of what was paid; whether there may be more. An errand of the till's."""
        claimed = await self._claim()
        for bill, payment in claimed:
            await self._post(bill, payment)
        return len(claimed) == AT_ONCE

    async def _claim(self) -> Sequence[tuple[Row[Any], Row[Any]]]:
        """Those that are due, with the payment of each; marked first, and due again should this worker die."""
        now = self._clock()
        open_ = (bills.c.posting.in_(("due", "posting")), bills.c.due_at <= now)
        free = select(bills).where(*open_).order_by(bills.c.due_at).limit(AT_ONCE).with_for_update(skip_locked=True)
        async with self._records.transaction() as transaction:
            rows = (await transaction.execute(free)).all()
            claimed = [(row, await _payment_of(transaction, row.id)) for row in rows]
            for row, payment in claimed:
                marked: dict[str, Any] = {"posting": "posting", "tries": row.tries + 1, "due_at": now + GRACE}
                gone: dict[str, Any] = {"posting": "refused", "reason": "NotPaid", "due_at": None}
                await self._note(transaction, row.id, **(marked if payment else gone))
        return [(row, payment) for row, payment in claimed if payment]

    async def _post(self, bill: Row[Any], payment: Row[Any]) -> None:
        content, connected = self._content(bill), self._behind.connect(bill.biller)
        told = billing.Payment(
            payment.key, content.consumer, content.reference, bill.amount_minor, bill.currency, payment.receipt or ""
        )
        try:
            if connected is None:
                raise billing.BillerDown  # noqa: TRY301 - it may be back in the catalogue tomorrow
            answer = await connected.biller.post(told)
        except billing.BillerDown:
            await self._later(bill, payment)
            return
        await self._answered(bill, payment, answer)

    async def _answered(self, bill: Row[Any], payment: Row[Any], answer: billing.Posted | billing.NotPosted) -> None:
        async with self._records.transaction() as transaction:
            if isinstance(answer, billing.Posted):
                await self._note(transaction, bill.id, posting="posted", receipt=answer.receipt, due_at=None)
                facts = {**self._facts(bill), "biller_receipt": answer.receipt}
                await self._behind.telling.posted(transaction, payment, facts)
            else:
                await self._refused(transaction, bill, payment, answer.reason)

    async def _later(self, bill: Row[Any], payment: Row[Any]) -> None:
        """Tell them again, each time later; whoever paid is told once that it takes longer, and at last gets it back."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            if payment.ended_at and payment.ended_at + GIVE_UP <= now:
                await self._refused(transaction, bill, payment, "NoAnswer")
                return
            await self._note(transaction, bill.id, posting="due", due_at=now + _wait(bill.tries))
            if bill.tries == 1:  # the second time that they did not answer
                await self._behind.telling.waits(transaction, payment, self._facts(bill))

    async def _refused(self, transaction: Transaction, bill: Row[Any], payment: Row[Any], reason: str) -> None:
        log.error("a bill that was paid is not taken and given back", bill=bill.id, reason=reason)
        await self._note(transaction, bill.id, posting="refused", reason=reason[:40], due_at=None)
        giving = Giving("gateway", "bills", f"NotPosted:{reason}", f"{payment.effect}/not_posted")
        await self._behind.refunds.ask_within(transaction, payment.id, None, giving)
        transaction.afterwards(self._behind.payments.stirred.set)

    async def _as_shown(self, row: Row[Any], counts: Counts) -> Shown:
        if row.outcome != "due":
            return Shown(row.outcome, row.id, self._facts(row))
        stands = await self._behind.payments.stands(row.reference, counts)
        here = self._behind.takes(row.amount_minor, row.currency) and self._behind.reaches(row.number)
        found: Found = stands if stands != "due" or here else "elsewhere"
        return Shown(found, row.id, self._facts(row))

    async def _keep(self, asking: Asking, consumer: str, found: billing.Looked, effect: str) -> None:
        now = self._clock()
        bill = found if isinstance(found, billing.Bill) else billing.Bill("", 0, "")
        content = _Content(consumer, bill.reference, bill.due, bill.name)
        row = {
            "biller": asking.biller,
            "account": asking.account or None,
            "number": asking.number,
            "outcome": _OUTCOMES[type(found)],
            "consumer": self._seal.name(f"consumer {asking.biller}", consumer),
            "reference": self._seal.name(f"bill {asking.biller}", f"{consumer} {bill.reference}"),
            "content": self._seal.close(msgspec.json.encode(content), _about(effect)),
            "amount_minor": bill.amount_minor,
            "currency": bill.currency,
            "effect": effect,
            "created_at": now,
            "updated_at": now,
        }
        async with self._records.transaction() as transaction:
            await still_open(transaction, asking.account, effect)
            await transaction.execute(self._records.insert_once(bills), row)

    async def _last(self, account: int, biller: str, counts: Counts) -> Row[Any] | None:
        paid: Select[Any] = select(bills, payments.c.effect.label("paid_under")).join(
            payments, payments.c.bill == bills.c.id
        )
        theirs = select(accounts.c.id).where(accounts.c.id == account, accounts.c.closed_at.is_(None))
        mine = (bills.c.account == theirs.scalar_subquery(), bills.c.biller == biller, bills.c.posting.is_not(None))
        rows = await self._records.read(paid.where(*mine).order_by(bills.c.id.desc()).limit(20))
        return next((row for row in rows if counts(row.paid_under)), None)

    async def _kept(self, where: Any) -> Row[Any] | None:
        return (await self._records.read(select(bills).where(where))).one_or_none()

    async def _note(self, transaction: Transaction, bill: int, **columns: Any) -> None:
        changed = update(bills).where(bills.c.id == bill)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))

    def _content(self, row: Row[Any]) -> _Content:
        return msgspec.json.decode(self._seal.open(row.content, _about(row.effect)), type=_Content)

    def _facts(self, row: Row[Any]) -> dict[str, object]:
        content = self._content(row)
        return {
            "biller": row.biller,
            "consumer": _shown(content.consumer),
            "bill_name": content.name or None,
            "bill_due": content.due.isoformat() if content.due else None,
            "fee": [row.amount_minor, row.currency] if row.amount_minor else None,
        }


_OUTCOMES: Final = {billing.Bill: "due", billing.NothingDue: "none", billing.NoSuchConsumer: "unknown"}


async def _payment_of(transaction: Transaction, bill: int) -> Row[Any] | None:
    """The one that pays it; None where its money was given back meanwhile, or is a person's to look at."""
    paid = select(payments).where(payments.c.bill == bill, payments.c.status == "paid")
    return (await transaction.execute(paid.limit(1))).one_or_none()


def _shown(consumer: str) -> str:
    return f"XX{consumer[-SHOWN:]}"


def _wait(tries: int) -> timedelta:
    return timedelta(seconds=min(FIRST_WAIT * 2.0 ** min(tries, 12), LONGEST_WAIT))


def _about(effect: str) -> str:
    return f"bill:{effect}"


def as_taken(wallet: Any) -> Takes:
    """Whether this wallet takes an amount."""

    def taken(amount_minor: int, currency: str) -> bool:
        return takes(wallet, amount_minor, currency)

    return taken
