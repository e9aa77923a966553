"""Sections about messages: SMS and e-mail in both directions, missed calls, documents, opt-out and the audit log."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, or_, select, update

from db.database import Database, Transaction
from db.tables import (
    audit,
    document_holders,
    document_sign_ins,
    documents,
    inbound_sms,
    messages,
    missed_calls,
    opt_outs,
)
from services.privacy.models import DataItem, DataRecord, DataSubject

MAX_ROWS: Final = 500  # rows of a section: a page that a phone can open
FINAL_STATUSES: Final = ("sent", "failed")


class MessagesSection:
    """Messages to the citizen."""

    name: Final = "messages"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The kind and the time of each message, without its text."""
        columns = (messages.c.kind, messages.c.medium, messages.c.created_at)
        query = select(*columns).where(messages.c.recipient.in_(_recipient_addresses(subject)))
        rows = await self._database.fetch(query.order_by(messages.c.id.desc()).limit(MAX_ROWS))
        return [[DataItem("kind", row.kind, "kind"), DataItem("sent", row.created_at, "moment")] for row in rows]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Remove recipient and text, with its variables, of every message that is sent or failed; a queued one is delivered first."""
        condition = (messages.c.recipient.in_(_recipient_addresses(subject)), messages.c.status.in_(FINAL_STATUSES))
        await transaction.execute(update(messages).where(*condition).values(recipient="", text=None, variables=None))


class InboundSmsSection:
    """SMS from the citizen."""

    name: Final = "texts"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The time of each SMS."""
        query = select(inbound_sms.c.received_at).where(inbound_sms.c.msisdn == subject.msisdn)
        rows = await self._database.fetch(query.order_by(inbound_sms.c.id.desc()).limit(MAX_ROWS))
        return [[DataItem("received", row.received_at, "moment")] for row in rows]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Remove sender and text; the provider's id stays, so that a repeated delivery is recognised."""
        condition = (inbound_sms.c.msisdn == subject.msisdn, inbound_sms.c.state == "done")
        await transaction.execute(update(inbound_sms).where(*condition).values(msisdn="", text=None, digest=""))


class MissedCallsSection:
    """Missed calls."""

    name: Final = "calls"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """When the last one was answered, and how many were."""
        query = select(missed_calls).where(missed_calls.c.msisdn == subject.msisdn)
        rows = await self._database.fetch(query)
        return [
            [DataItem("received", row.begun_at, "moment"), DataItem("times", row.answer_count, "count")] for row in rows
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete every record."""
        await transaction.execute(delete(missed_calls).where(missed_calls.c.msisdn == subject.msisdn))


class DocumentsSection:
    """Sign-ins for documents, and the documents that links still open."""

    name: Final = "documents"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The time of each sign-in, and the last digits of the Aadhaar number."""
        query = select(document_sign_ins).where(document_sign_ins.c.msisdn == subject.msisdn)
        rows = await self._database.fetch(query.order_by(document_sign_ins.c.id.desc()).limit(MAX_ROWS))
        return [[DataItem("asked", row.created_at, "moment"), DataItem("last_four", row.last_four)] for row in rows]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete the documents and the owner of the Aadhaar number; sign-ins, which limit attempts, expire by themselves."""
        query = select(document_sign_ins.c.id).where(document_sign_ins.c.msisdn == subject.msisdn)
        await transaction.execute(delete(documents).where(documents.c.sign_in.in_(query)))
        await transaction.execute(delete(document_holders).where(document_holders.c.msisdn == subject.msisdn))


class OptOutSection:
    """The opt-out from unsolicited SMS, which belongs to an MSISDN whoever has it."""

    name: Final = "optout"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The time of the opt-out."""
        out = select(opt_outs.c.opted_out_at).where(
            opt_outs.c.msisdn == subject.msisdn, opt_outs.c.opted_in_at.is_(None)
        )
        rows = await self._database.fetch(out)
        return [[DataItem("since", row.opted_out_at, "moment")] for row in rows]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete nothing: an opt-out stays valid after the account is deleted."""


class AuditSection:
    """Entries of the audit log: codes and ids alone, append-only."""

    name: Final = "acts"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The act, the time, and the kind of actor."""
        account = str(subject.account)
        condition = or_(
            (audit.c.subject_kind == "account") & (audit.c.subject == account),
            (audit.c.actor_kind == "citizen") & (audit.c.actor == account),
            audit.c.on_behalf_of == account,
        )
        columns = (audit.c.act, audit.c.at, audit.c.actor_kind)
        rows = await self._database.fetch(select(*columns).where(condition).order_by(audit.c.id.desc()).limit(MAX_ROWS))
        return [
            [
                DataItem("act", row.act, "act"),
                DataItem("done", row.at, "moment"),
                DataItem("by", row.actor_kind, "actor"),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete nothing: no name and no MSISDN is in it."""


def _recipient_addresses(subject: DataSubject) -> list[str]:
    return [one for one in (subject.msisdn, subject.email) if one]
