"""What went to and fro: SMS and letters to a citizen, their SMS and missed calls, their documents, what is on the audit."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, or_, select, update

from services.own_data.held import Item, Record, Whose
from services.records.database import Records, Transaction
from services.records.tables import (
    audit,
    document_holders,
    document_sign_ins,
    documents,
    inbound_sms,
    messages,
    missed_calls,
    optouts,
)

LATEST: Final = 500  # of each: a page that a phone can open
OVER: Final = ("sent", "failed")


class OfMessages:
    """Messages to them."""

    name: Final = "messages"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Which kind went out when; never the words again."""
        columns = (messages.c.kind, messages.c.medium, messages.c.created_at)
        theirs = select(*columns).where(messages.c.recipient.in_(_addresses(whose)))
        rows = await self._records.read(theirs.order_by(messages.c.id.desc()).limit(LATEST))
        return [[Item("kind", row.kind, "kind"), Item("sent", row.created_at, "moment")] for row in rows]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Whom they went to and what they said; what is still on its way gets there first."""
        theirs = (messages.c.recipient.in_(_addresses(whose)), messages.c.status.in_(OVER))
        await transaction.execute(update(messages).where(*theirs).values(recipient="", text=None))


class OfTexts:
    """SMS that they sent."""

    name: Final = "texts"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """When each came."""
        theirs = select(inbound_sms.c.received_at).where(inbound_sms.c.number == whose.number)
        rows = await self._records.read(theirs.order_by(inbound_sms.c.id.desc()).limit(LATEST))
        return [[Item("received", row.received_at, "moment")] for row in rows]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Whom they came from and what they said; the provider's id stays, or it could bring one of them again."""
        theirs = (inbound_sms.c.number == whose.number, inbound_sms.c.state == "done")
        await transaction.execute(update(inbound_sms).where(*theirs).values(number="", text=None, digest=""))


class OfCalls:
    """Their missed calls."""

    name: Final = "calls"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """When the last was answered, and how many were."""
        theirs = select(missed_calls).where(missed_calls.c.number == whose.number)
        rows = await self._records.read(theirs)
        return [[Item("received", row.begun_at, "moment"), Item("times", row.times, "count")] for row in rows]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """All of them."""
        await transaction.execute(delete(missed_calls).where(missed_calls.c.number == whose.number))


class OfDocuments:
    """What they proved themselves with for documents, and the documents that links still open."""

    name: Final = "documents"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """When they did, and the last digits of the Aadhaar number."""
        theirs = select(document_sign_ins).where(document_sign_ins.c.number == whose.number)
        rows = await self._records.read(theirs.order_by(document_sign_ins.c.id.desc()).limit(LATEST))
        return [[Item("asked", row.created_at, "moment"), Item("last_four", row.last_four)] for row in rows]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """The documents, and whose the Aadhaar number is; sign-ins, by which tries are counted, go by themselves."""
        theirs = select(document_sign_ins.c.id).where(document_sign_ins.c.number == whose.number)
        await transaction.execute(delete(documents).where(documents.c.sign_in.in_(theirs)))
        await transaction.execute(delete(document_holders).where(document_holders.c.number == whose.number))


class OfOptOut:
    """Whether they want no SMS that they did not ask for; that is remembered of a number, whoever has it."""

    name: Final = "optout"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Since when."""
        out = select(optouts.c.out_at).where(optouts.c.number == whose.number, optouts.c.back_at.is_(None))
        rows = await self._records.read(out)
        return [[Item("since", row.out_at, "moment")] for row in rows]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Nothing: who said STOP is not written to because they left."""


class OfAudit:
    """What was done to their record, by whom: in codes and ids alone, written once and never changed."""

    name: Final = "acts"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """What, when, and by which kind of person or system."""
        account = str(whose.account)
        theirs = or_(
            (audit.c.subject_kind == "account") & (audit.c.subject == account),
            (audit.c.actor_kind == "citizen") & (audit.c.actor == account),
            audit.c.on_behalf_of == account,
        )
        columns = (audit.c.act, audit.c.at, audit.c.actor_kind)
        rows = await self._records.read(select(*columns).where(theirs).order_by(audit.c.id.desc()).limit(LATEST))
        return [
            [Item("act", row.act, "act"), Item("done", row.at, "moment"), Item("by", row.actor_kind, "actor")]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Nothing: no name and no number stands in it."""


def _addresses(whose: Whose) -> list[str]:
    return [one for one in (whose.number, whose.address) if one]
