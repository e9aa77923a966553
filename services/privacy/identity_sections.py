"""Sections about a citizen's identity: account, profile, documents on file, e-mail address."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, select

from db.database import Database, Transaction
from db.tables import (
    accounts,
    callers,
    contacts,
    email_events,
    emails,
    hidden_numbers,
    number_releases,
    pending_registrations,
    profile_facts,
    profile_papers,
    security_answers,
)
from services.citizens.contacts import LATIN_LETTERS_QUERY
from services.citizens.emails import Emails
from services.citizens.profiles import Profiles
from services.privacy.models import DataItem, DataRecord, DataSubject


class AccountSection:
    """The account. An empty row stays, because applications refer to it; its MSISDN can register again."""

    name: Final = "account"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """MSISDN, name, language, date of registration, and the recovery questions without their answers."""
        chosen = select(callers.c.language).where(callers.c.msisdn == subject.msisdn).scalar_subquery()
        language = func.coalesce(chosen, accounts.c.language).label("chosen")  # that of the registration may be another
        query = select(accounts.c.created_at, language).where(accounts.c.id == subject.account)
        row = (await self._database.fetch(query)).one()
        questions_query = select(security_answers.c.question).where(security_answers.c.account == subject.account)
        questions = (await self._database.fetch(questions_query.order_by(security_answers.c.place))).scalars()
        latin = (await self._database.fetch(LATIN_LETTERS_QUERY, {"msisdn": subject.msisdn})).scalar()
        about = [
            DataItem("number", subject.msisdn),
            DataItem("name", subject.name),
            DataItem("language", row.chosen, "language"),
            *([DataItem("letters", "abc")] if latin else []),
            DataItem("since", row.created_at, "moment"),
        ]
        return [[*about, *(DataItem("question", question, "question") for question in questions)]]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete what is known of the MSISDN, and its former numbers; the account itself is emptied when it is closed."""
        for table in (callers, contacts, hidden_numbers, pending_registrations):
            await transaction.execute(delete(table).where(table.c.msisdn == subject.msisdn))
        await transaction.execute(delete(number_releases).where(number_releases.c.account == subject.account))


class ProfileSection:
    """Profile answers; of an identity number only the last digits are stored."""

    name: Final = "profile"

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """Every answer with its key."""
        ways = {"gender": "gender", "born": "date"}
        entries = await self._profiles.list_entries(subject.account)
        items = [
            DataItem(one.key, one.value, ways.get(one.key, "text"), "profile") for one in entries if one.known_since
        ]
        return [items] if items else []

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete every answer."""
        await transaction.execute(delete(profile_facts).where(profile_facts.c.account == subject.account))


class PapersSection:
    """Documents on file."""

    name: Final = "papers"

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """Each document with its date, and the application with which an office saw it."""
        return [
            [
                DataItem("paper", [paper.code], "papers"),
                DataItem("since", paper.since, "moment"),
                DataItem("application", paper.application, "tracking"),
            ]
            for paper in await self._profiles.list_documents(subject.account)
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete what the citizen said about documents."""
        await transaction.execute(delete(profile_papers).where(profile_papers.c.account == subject.account))


class EmailSection:
    """The e-mail address."""

    name: Final = "email"

    def __init__(self, emails_service: Emails) -> None:
        self._emails = emails_service

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The address, and whether it is confirmed."""
        email = await self._emails.get(subject.account)
        if email is None:
            return []
        return [
            [DataItem("address", email.address), DataItem("confirmed", "yes" if email.verified else "no", "confirmed")]
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete the address, and the log of requests for it."""
        for table in (emails, email_events):
            await transaction.execute(delete(table).where(table.c.account == subject.account))
