"""Who a citizen is: their account, what they told of themselves, their papers, their e-mail address."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select

from services.emails import Emails
from services.own_data.held import Item, Record, Whose
from services.profiles import Profiles
from services.records.database import Records, Transaction
from services.records.tables import (
    accounts,
    callers,
    email_events,
    emails,
    profile_facts,
    profile_papers,
    registrants,
    security_answers,
)


class OfAccount:
    """The account itself. An emptied row stays, which what was applied for goes on to name; its number is free again."""

    name: Final = "account"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Number, name, language, since when, and the questions that bring a citizen back; never their answers."""
        row = (await self._records.read(select(accounts).where(accounts.c.id == whose.account))).one()
        asked = select(security_answers.c.question).where(security_answers.c.account == whose.account)
        questions = (await self._records.read(asked.order_by(security_answers.c.place))).scalars()
        about = [
            Item("number", whose.number),
            Item("name", whose.name),
            Item("language", row.language, "language"),
            Item("since", row.created_at, "moment"),
        ]
        return [[*about, *(Item("question", question, "question") for question in questions)]]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """The language that its number is spoken to in; the rest went when it was closed."""
        for table in (callers, registrants):
            await transaction.execute(delete(table).where(table.c.number == whose.number))


class OfProfile:
    """What they told of themselves; of identity numbers only the last digits can be told."""

    name: Final = "profile"

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Every answer by its key."""
        ways = {"gender": "gender", "born": "date"}
        told = await self._profiles.told(whose.account)
        items = [Item(one.key, one.value, ways.get(one.key, "text"), "profile") for one in told if one.since]
        return [items] if items else []

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """All of it."""
        await transaction.execute(delete(profile_facts).where(profile_facts.c.account == whose.account))


class OfPapers:
    """The papers on file."""

    name: Final = "papers"

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def told(self, whose: Whose) -> Sequence[Record]:
        """Each with since when, and the application with which an office saw it."""
        return [
            [
                Item("paper", [paper.code], "papers"),
                Item("since", paper.since, "moment"),
                Item("application", paper.application, "tracking"),
            ]
            for paper in await self._profiles.papers(whose.account)
        ]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """What was said of them."""
        await transaction.execute(delete(profile_papers).where(profile_papers.c.account == whose.account))


class OfEmail:
    """Their e-mail address."""

    name: Final = "email"

    def __init__(self, addresses: Emails) -> None:
        self._addresses = addresses

    async def told(self, whose: Whose) -> Sequence[Record]:
        """It, and whether it was confirmed."""
        kept = await self._addresses.of(whose.account)
        if kept is None:
            return []
        return [[Item("address", kept.address), Item("confirmed", "yes" if kept.verified else "no", "confirmed")]]

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """It, and what was asked for it."""
        for table in (emails, email_events):
            await transaction.execute(delete(table).where(table.c.account == whose.account))
