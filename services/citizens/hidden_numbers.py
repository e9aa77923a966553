"""Callers whose network hides their number: it calls them by an identity of its own, the same in every call.

Such a caller types their number once, and proves by a code sent to it that it is theirs. From then on the identity stands for
the number. Identities are stored as keyed hashes.
"""

from typing import Final

from sqlalchemy import bindparam, select

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import hidden_numbers
from services.citizens.models import CheckOutcome, SendOutcome
from services.citizens.one_time_codes import OneTimeCodes

PURPOSE: Final = "hidden number"
CODE_PURPOSE: Final = "link"

_NUMBER = (
    select(hidden_numbers.c.msisdn)
    .where(hidden_numbers.c.identity.in_(bindparam("identities", expanding=True)))
    .order_by(hidden_numbers.c.linked_at.desc())
    .limit(1)
)


class HiddenNumbers:
    """Finds the number of an identity, and links one to the other after a check by code."""

    def __init__(self, database: Database, cipher: Cipher, codes: OneTimeCodes, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._codes = codes
        self._clock = clock

    async def find(self, identity: str) -> str:
        """The MSISDN that is linked to an identity; empty where there is none."""
        identities = self._cipher.keyed_hashes(PURPOSE, identity)
        found = await self._database.fetch(_NUMBER, {"identities": identities})
        return str(found.scalar_one_or_none() or "")

    async def send_code(self, identity: str, msisdn: str, language: str, idempotency_key: str) -> SendOutcome:
        """Send a code to the number that the caller says is theirs. It counts against the limits of codes for others."""
        return await self._codes.send(
            msisdn, language, CODE_PURPOSE, idempotency_key, requester=self.name_caller(identity)
        )

    async def link(self, identity: str, msisdn: str, code: str, idempotency_key: str) -> CheckOutcome:
        """Link the number to the identity where the code is right. A number that was linked before is replaced."""
        outcome = await self._codes.check(
            msisdn, CODE_PURPOSE, code, idempotency_key, requester=self.name_caller(identity)
        )
        if outcome == "right":
            await self._store(self._cipher.keyed_hash(PURPOSE, identity), msisdn)
        return outcome

    def name_caller(self, identity: str) -> str:
        """A name for the caller in the place of a number, under which sessions are kept and lookups are counted."""
        return f"hidden {self._cipher.keyed_hash(PURPOSE, identity)}"

    async def _store(self, identity: str, msisdn: str) -> None:
        facts = {"msisdn": msisdn, "linked_at": self._clock()}
        insert = self._database.insert(hidden_numbers).values(identity=identity, **facts)
        async with self._database.transaction() as transaction:
            await transaction.execute(
                insert.on_conflict_do_update(index_elements=[hidden_numbers.c.identity], set_=facts)
            )
