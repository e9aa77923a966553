"""What a citizen has to do with offices: applications and drafts, complaints and suggestions, payments, consents."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy import delete, or_, select, update

from services.applications.values import form_of
from services.given import Clock, Sealing, utc_now
from services.own_data.held import Item, Record, Whose
from services.records.database import Records, Transaction
from services.records.tables import (
    applications,
    bills,
    complaints,
    consents,
    drafts,
    feedback,
    payments,
    sandbox_prompts,
)

Answers: TypeAlias = Callable[[str, Mapping[str, str]], Sequence[tuple[Mapping[str, str], str | Mapping[str, str]]]]
"""A service and its form's answers, to each question and its answer as it may be read back."""


class OfApplications:
    """What they applied for. It stays: an office works on it, or has, and its number tells how far it has come."""

    name: Final = "applications"

    def __init__(self, records: Records, seal: Sealing, answers: Answers) -> None:
        self._records = records
        self._seal = seal
        self._answers = answers

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Each with how far it has come, and what was answered in its form."""
        theirs = select(applications).where(applications.c.account == whose.account)
        rows = await self._records.read(theirs.order_by(applications.c.id.desc()))
        return [
            [
                Item("application", row.tracking_number, "tracking"),
                Item("service", row.service, "service"),
                Item("status", row.status, "status"),
                Item("received", row.created_at, "moment"),
                Item("promised", row.promised, "date"),
                Item("fee", [row.fee_minor, row.currency] if row.fee_minor else None, "money"),
                *self._form(row.tracking_number, row.service, row.form),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Nothing."""

    def _form(self, tracking_number: str, service: str, sealed: bytes) -> Sequence[Item]:
        form = json.loads(self._seal.open(sealed, form_of(tracking_number)))
        return [Item(question, answer, "texts", "texts") for question, answer in self._answers(service, form)]


class OfDrafts:
    """Forms that they began."""

    name: Final = "drafts"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """For which service, and when."""
        theirs = select(drafts).where(drafts.c.account == whose.account, drafts.c.ended_by.is_(None))
        rows = await self._records.read(theirs)
        return [[Item("service", row.service, "service"), Item("received", row.begun, "date")] for row in rows]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """All of them."""
        await transaction.execute(delete(drafts).where(drafts.c.account == whose.account))


class OfComplaints:
    """What they complained of. It stays, with the number that is told what came of it."""

    name: Final = "complaints"

    def __init__(self, records: Records, seal: Sealing) -> None:
        self._records = records
        self._seal = seal

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Each in their own words, and how far it has come."""
        theirs = select(complaints).where(complaints.c.number == whose.number)
        rows = await self._records.read(theirs.order_by(complaints.c.id.desc()))
        return [
            [
                Item("complaint", row.complaint_number, "tracking"),
                Item("status", row.status, "status"),
                Item("received", row.created_at, "moment"),
                Item("text", self._seal.open(row.text, f"complaint:{row.complaint_number}").decode()),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Nothing."""


class OfFeedback:
    """What they would have otherwise."""

    name: Final = "feedback"

    def __init__(self, records: Records, seal: Sealing) -> None:
        self._records = records
        self._seal = seal

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Each in their own words."""
        theirs = select(feedback).where(feedback.c.number == whose.number)
        rows = await self._records.read(theirs.order_by(feedback.c.id.desc()))
        return [
            [
                Item("number", row.feedback_number, "tracking"),
                Item("received", row.created_at, "moment"),
                Item("text", self._seal.open(row.text, f"feedback:{row.effect}").decode()),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Whose it was; the words go on to the office that they concern."""
        await transaction.execute(update(feedback).where(feedback.c.number == whose.number).values(number=""))


class OfPayments:
    """What they paid. It stays, as books must; a bill that they only looked at does not."""

    name: Final = "payments"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """How much, for what, and what came of it."""
        theirs = or_(payments.c.account == whose.account, payments.c.payer == whose.number)
        rows = await self._records.read(select(payments).where(theirs).order_by(payments.c.id.desc()))
        return [
            [
                Item("amount", [row.amount_minor, row.currency], "money"),
                Item("service", row.subject, "service" if row.purpose == "fee" else "biller"),
                Item("status", row.status, "payment"),
                Item("asked", row.created_at, "moment"),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Bills that were looked at and not paid, and on whose phone the sandbox asked for what is over."""
        paid = select(payments.c.bill).where(payments.c.bill.is_not(None))
        theirs = or_(bills.c.account == whose.account, bills.c.number == whose.number)
        await transaction.execute(delete(bills).where(theirs, bills.c.id.not_in(paid)))
        asked = (sandbox_prompts.c.payer == whose.number, sandbox_prompts.c.status != "pending")
        await transaction.execute(update(sandbox_prompts).where(*asked).values(payer=""))


class OfConsents:
    """Whom they let act for them."""

    name: Final = "consents"

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Which operator asked for what, when it was given and when it ended."""
        theirs = select(consents).where(consents.c.number == whose.number).order_by(consents.c.id.desc())
        return [
            [
                Item("operator", row.operator),
                Item("purpose", row.purpose, "purpose"),
                Item("asked", row.asked_at, "moment"),
                Item("given", row.given_at, "moment"),
                Item("ended", row.ended_at or row.lapses_at, "moment"),
            ]
            for row in await self._records.read(theirs)
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Whose they were; what is alive ends, and what an operator did under it stays on the audit."""
        theirs = consents.c.number == whose.number
        now = self._clock()
        alive = update(consents).where(theirs, consents.c.ended_at.is_(None))
        await transaction.execute(alive.values(ended_at=now, ended_by="citizen"))
        await transaction.execute(update(consents).where(theirs).values(number="", account=None))
