"""One answer to a caller within the cool-down, however often they call, and whichever process hears it.

An answer is begun, given, and then noted as given. Where the gateway died before the last, who calls again is given it
once more under the same effect: so it is neither lost nor sent twice.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, update

from services.given import Clock, Sealing, utc_now
from services.records.database import Records
from services.records.tables import missed_calls

GIVING: Final = timedelta(seconds=30)  # far more than giving an answer takes


@dataclass(frozen=True, slots=True)
class Begun:
    """An answer that is to be given now, under `effect`; the `times`-th to this number."""

    number: str = field(repr=False)
    action: str
    times: int
    effect: str


class CoolDown:
    """When every caller was answered last. It is kept in the database, where losing Redis does not lose it."""

    def __init__(self, records: Records, seal: Sealing, lasts: timedelta, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._seal = seal
        self._lasts = lasts
        self._clock = clock
        row = records.insert(missed_calls)
        self._begin = row.on_conflict_do_update(
            index_elements=[missed_calls.c.number, missed_calls.c.action],
            set_={"times": missed_calls.c.times + 1, "answered": False, "begun_at": row.excluded.begun_at},
            where=missed_calls.c.begun_at <= bindparam("over"),
        ).returning(missed_calls.c.times)

    async def begin(self, number: str, action: str) -> Begun | None:
        """The answer to give to this number's call; None when it had this one less than a cool-down ago."""
        now = self._clock()
        row = {"number": number, "action": action, "times": 1, "answered": False, "begun_at": now}
        async with self._records.transaction() as transaction:
            begun = await transaction.execute(self._begin, {**row, "over": now - self._lasts})
            times = begun.scalar_one_or_none()
            if times is None:
                asked = {"asked": number, "with": action, "now": now, "before": now - GIVING}
                times = (await transaction.execute(_ONCE_MORE, asked)).scalar_one_or_none()
        return Begun(number, action, times, self._effect(number, action, times)) if times else None

    async def answered(self, begun: Begun) -> None:
        """Note that it was given."""
        facts = {"asked": begun.number, "with": begun.action, "now_given": begun.times}
        async with self._records.transaction() as transaction:
            await transaction.execute(_ANSWERED, facts)

    def _effect(self, number: str, action: str, times: int) -> str:
        return f"missed:{self._seal.name('missed call', number)}:{action}:{times}"


_this = (missed_calls.c.number == bindparam("asked"), missed_calls.c.action == bindparam("with"))
_ONCE_MORE = (
    update(missed_calls)
    .where(*_this, missed_calls.c.answered.is_(False), missed_calls.c.begun_at <= bindparam("before"))
    .values(begun_at=bindparam("now"))
    .returning(missed_calls.c.times)
)
_ANSWERED = update(missed_calls).where(*_this, missed_calls.c.times == bindparam("now_given")).values(answered=True)
