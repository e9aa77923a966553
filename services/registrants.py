"""Who was heard of before choosing a language: recorded once, in the language of their number's country.

What is recorded here was assumed. It is the language of what we send until they choose one; the language screen of a first
USSD call asks all the same.
"""

from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers
from sqlalchemy import ScalarSelect, Table, bindparam, func, select

from services.given import Clock, utc_now
from services.records.database import Records
from services.records.tables import accounts, callers, registrants

WROTE: Final = "sms"  # how somebody came by who wrote to us


class Registrants:
    """Everybody whose number we have, and the language each is spoken to in. Every number is E.164."""

    def __init__(self, records: Records, assumed: Callable[[str], str], *, clock: Clock = utc_now) -> None:
        """`assumed` gives the language for a number that nothing is known of; see `by_country`."""
        self._records = records
        self._assumed = assumed
        self._clock = clock
        row = records.insert(registrants)
        self._hear = row.on_conflict_do_update(
            index_elements=[registrants.c.number], set_={"language": row.excluded.language}
        )

    async def language(self, number: str) -> str:
        """The language they chose; else the one they registered in, the one recorded for them, or that of their country."""
        return await self.known(number) or self._assumed(number)

    async def known(self, number: str) -> str | None:
        """The same of whom anything is known; None of everybody else."""
        return (await self._records.read(_KNOWN, {"asked": number})).scalar_one_or_none()

    async def heard(self, number: str, language: str) -> str:
        """Their language, who wrote in the letters of `language`: the one they chose, else this, known from now on."""
        row = {"number": number, "language": language, "came_by": WROTE, "created_at": self._clock()}
        if chosen := (await self._records.read(_CHOSEN, {"asked": number})).scalar_one_or_none():
            return str(chosen)
        async with self._records.transaction() as transaction:
            await transaction.execute(self._hear, row)
        return language

    async def record(self, number: str, came_by: str) -> str:
        """Their language; who is heard of for the first time is recorded, with the way (`missed_call`) they came by."""
        if known := await self.known(number):
            return known
        row = {"number": number, "language": self._assumed(number), "came_by": came_by, "created_at": self._clock()}
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert_once(registrants), row)
        return str(row["language"])


def by_country(languages: Mapping[str, str], default: str) -> Callable[[str], str]:
    """What gives a number its country's language; `languages` goes from two letters (`BD`) to `bn`."""

    def assumed(number: str) -> str:
        try:
            country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        except phonenumbers.NumberParseException:
            return default
        return languages.get(country or "", default)

    return assumed


def _language_in(table: Table) -> ScalarSelect[str]:
    return select(table.c.language).where(table.c.number == bindparam("asked")).scalar_subquery()


_CHOSEN = select(func.coalesce(*map(_language_in, (callers, accounts))))
_KNOWN = select(func.coalesce(*map(_language_in, (callers, accounts, registrants))))
