"""Numbers that opted out of unsolicited messages."""

from collections.abc import Collection
from typing import Literal, TypeAlias

from sqlalchemy import bindparam, select, update

from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import opt_outs

OptOutMethod: TypeAlias = Literal["keyword", "provider"]

_OPTED_OUT = select(opt_outs.c.msisdn).where(
    opt_outs.c.msisdn.in_(bindparam("numbers", expanding=True)), opt_outs.c.opted_in_at.is_(None)
)


class OptOuts:
    """The opted-out numbers. A message is checked when it is claimed, so a number that opts in again gets new messages."""

    def __init__(self, database: Database, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def opt_out(self, msisdn: str, method: OptOutMethod) -> None:
        """Opt a number out of unsolicited messages; the first opt-out counts."""
        facts = {"source": method, "opted_out_at": self._clock(), "opted_in_at": None}
        insert = self._database.insert(opt_outs).values(msisdn=msisdn, **facts)
        once_back = insert.on_conflict_do_update(
            index_elements=[opt_outs.c.msisdn], set_=facts, where=opt_outs.c.opted_in_at.is_not(None)
        )
        async with self._database.transaction() as transaction:
            await transaction.execute(once_back)

    async def opt_in(self, msisdn: str) -> None:
        """Opt a number in again; does nothing for a number that is not opted out."""
        out = (opt_outs.c.msisdn == msisdn, opt_outs.c.opted_in_at.is_(None))
        async with self._database.transaction() as transaction:
            await transaction.execute(update(opt_outs).where(*out).values(opted_in_at=self._clock()))

    async def is_opted_out(self, msisdn: str) -> bool:
        """Return whether a number has opted out."""
        return (await self._database.fetch(_OPTED_OUT, {"numbers": [msisdn]})).first() is not None


async def opted_out_among(transaction: Transaction, msisdns: Collection[str]) -> frozenset[str]:
    """Return the numbers among these that have opted out, within a transaction."""
    if not msisdns:
        return frozenset()
    return frozenset((await transaction.execute(_OPTED_OUT, {"numbers": list(msisdns)})).scalars())
