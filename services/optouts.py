"""Who wants no message that they did not ask for."""

from collections.abc import Collection
from typing import Literal, TypeAlias

from sqlalchemy import bindparam, select, update

from services.given import Clock, utc_now
from services.records.database import Records, Transaction
from services.records.tables import optouts

How: TypeAlias = Literal["keyword", "provider"]

_OUT = select(optouts.c.number).where(
    optouts.c.number.in_(bindparam("numbers", expanding=True)), optouts.c.back_at.is_(None)
)


class OptOuts:
    """The numbers that are out. What is sent is decided when it is claimed, so that who is back gets what is new."""

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def out(self, number: str, how: How) -> None:
        """From now on this E.164 number gets nothing unasked. Said again it changes nothing: the first saying counts."""
        facts = {"how": how, "out_at": self._clock(), "back_at": None}
        said = self._records.insert(optouts).values(number=number, **facts)
        once_back = said.on_conflict_do_update(
            index_elements=[optouts.c.number], set_=facts, where=optouts.c.back_at.is_not(None)
        )
        async with self._records.transaction() as transaction:
            await transaction.execute(once_back)

    async def back(self, number: str) -> None:
        """From now on it gets everything again; of one that is not out nothing is noted."""
        out = (optouts.c.number == number, optouts.c.back_at.is_(None))
        async with self._records.transaction() as transaction:
            await transaction.execute(update(optouts).where(*out).values(back_at=self._clock()))

    async def is_out(self, number: str) -> bool:
        """Whether this number is to get nothing unasked."""
        return (await self._records.read(_OUT, {"numbers": [number]})).first() is not None


async def who_is_out(transaction: Transaction, numbers: Collection[str]) -> frozenset[str]:
    """Those of `numbers` that are out, within a transaction."""
    if not numbers:
        return frozenset()
    return frozenset((await transaction.execute(_OUT, {"numbers": list(numbers)})).scalars())
