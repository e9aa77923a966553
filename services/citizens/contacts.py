"""Contacts: MSISDNs of people who have not chosen a language in a call, recorded with the language of their country.

It is the language of messages until they choose one. The first USSD session still asks for the language. A language that is
chosen by SMS, whose sender can be forged, is the language of the replies by SMS; messages that nobody asked for get it only
where no language was chosen in a call.

Whose phone lacks the letters of the language can ask for SMS in Latin letters (`choose_letters`): every SMS to the MSISDN is
then in the locale `bn_Latn` instead of `bn`.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ScalarSelect, bindparam, select

from core.languages import LANGUAGE_CODES
from core.phone_numbers import find_country
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import accounts, callers, contacts

SOURCE_SMS: Final = "sms"
"""The source of a contact who wrote an SMS; another is `missed_call`."""
SOURCE_LETTERS: Final = "letters"
"""The source of a contact who asked for SMS in Latin letters, or in those of their language."""
SOURCE_CHOICE: Final = "sms_choice"
"""The source of a contact who chose their language by SMS."""


class Contacts:
    """The languages of messages to MSISDNs."""

    def __init__(
        self,
        database: Database,
        default_language: Callable[[str], str],
        *,
        offered: Collection[str] = LANGUAGE_CODES,
        clock: UtcClock = utc_now,
    ) -> None:
        """`default_language` gives the language of an unknown MSISDN; see `build_default_language`.

        A known language that is not among the `offered` is not used.
        """
        self._database = database
        self._default_language = default_language
        self._offered = offered
        self._clock = clock
        row = database.insert(contacts)
        self._upsert_language = row.on_conflict_do_update(
            index_elements=[contacts.c.msisdn], set_={"language": row.excluded.language}
        )
        self._upsert_letters = row.on_conflict_do_update(
            index_elements=[contacts.c.msisdn], set_={"latin_letters": row.excluded.latin_letters}
        )
        choice = {name: row.excluded[name] for name in ("language", "came_by", "created_at")}
        self._upsert_choice = row.on_conflict_do_update(index_elements=[contacts.c.msisdn], set_=choice)

    async def get_language(self, msisdn: str) -> str:
        """The language of messages that nobody asked for; see `language_if_known`; that of the country where none is known."""
        return await self.language_if_known(msisdn) or self._default_language(msisdn)

    async def language_if_known(self, msisdn: str) -> str | None:
        """The language chosen in a call, else by SMS, else that of the registration, else the recorded one; or None."""
        known = await self._find_languages(msisdn)
        return known.chosen or known.chosen_by_sms or known.registered or known.recorded

    async def reply_language_if_known(self, msisdn: str) -> str | None:
        """The language of replies to SMS: the newest choice, by SMS or in a call, else as `language_if_known`."""
        known = await self._find_languages(msisdn)
        return known.newest_choice or known.registered or known.recorded

    async def choose_language(self, msisdn: str, language: str) -> None:
        """Store the language that this MSISDN chose by SMS."""
        row = {"msisdn": msisdn, "language": language, "came_by": SOURCE_CHOICE, "created_at": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(self._upsert_choice, row)

    async def choose_letters(self, msisdn: str, *, latin: bool) -> None:
        """Store whether the SMS to this MSISDN shall be in Latin letters. The newest choice counts, also one by SMS."""
        row = {
            "msisdn": msisdn,
            "language": await self.get_language(msisdn),
            "came_by": SOURCE_LETTERS,
            "created_at": self._clock(),
            "latin_letters": latin,
        }
        async with self._database.transaction() as transaction:
            await transaction.execute(self._upsert_letters, row)

    async def prefers_latin(self, msisdn: str) -> bool:
        """Whether this MSISDN asked for SMS in Latin letters."""
        return bool((await self._database.fetch(LATIN_LETTERS_QUERY, {"msisdn": msisdn})).scalar())

    async def remember_script(self, msisdn: str, language: str) -> str:
        """The language of replies to an MSISDN that wrote in the script of `language`: the chosen one, else `language`.

        The latter is recorded.
        """
        known = await self._find_languages(msisdn)
        if chosen := known.newest_choice or known.registered:
            return chosen
        row = {"msisdn": msisdn, "language": language, "came_by": SOURCE_SMS, "created_at": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(self._upsert_language, row)
        return language

    async def record(self, msisdn: str, source: str) -> str:
        """The language of an MSISDN; an unknown one is recorded with the source of the contact, such as `missed_call`."""
        if known := await self.language_if_known(msisdn):
            return known
        row = {
            "msisdn": msisdn,
            "language": self._default_language(msisdn),
            "came_by": source,
            "created_at": self._clock(),
        }
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(contacts), row)
        return str(row["language"])

    async def _find_languages(self, msisdn: str) -> "_Languages":
        found = _Languages._make((await self._database.fetch(_LANGUAGES_QUERY, {"msisdn": msisdn})).one())
        languages = {name: getattr(found, name) for name in ("chosen", "registered", "recorded")}
        return found._replace(**{name: None for name, code in languages.items() if code not in self._offered})


def build_default_language(languages: Mapping[str, str], default: str) -> Callable[[str], str]:
    """A function from an MSISDN to the language of its country. `languages` is by country: `BD` to `bn`."""

    def find_default_language(msisdn: str) -> str:
        return languages.get(find_country(msisdn), default)

    return find_default_language


class _Languages(NamedTuple):
    """What is known of the language of an MSISDN."""

    chosen: str | None
    chosen_at: datetime | None
    registered: str | None
    recorded: str | None
    source: str | None
    recorded_at: datetime | None

    @property
    def chosen_by_sms(self) -> str | None:
        """The language chosen by SMS."""
        return self.recorded if self.source == SOURCE_CHOICE else None

    @property
    def newest_choice(self) -> str | None:
        """The language chosen last, by SMS or in a call."""
        if self.chosen_at and self.recorded_at and self.recorded_at < self.chosen_at:
            return self.chosen
        return self.chosen_by_sms or self.chosen


def _subquery(column: Column[Any]) -> ScalarSelect[Any]:
    return select(column).where(column.table.c.msisdn == bindparam("msisdn")).scalar_subquery()


LATIN_LETTERS_QUERY: Final = select(contacts.c.latin_letters).where(contacts.c.msisdn == bindparam("msisdn"))
_LANGUAGES_QUERY = select(
    _subquery(callers.c.language),
    _subquery(callers.c.chosen_at),
    _subquery(accounts.c.language),
    *(_subquery(contacts.c[name]) for name in ("language", "came_by", "created_at")),
)
