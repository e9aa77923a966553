"""Proving whose documents are asked for: an Aadhaar number, a one-time code, and for a quarter of an hour an open door.

The number is kept as a keyed hash and its last four digits. What is done under an effect is done once; heard again,
at once, much later or by another process, it is told what came of it. Known and unknown numbers are answered alike, and
counted alike, until a code is right.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

import msgspec
from sqlalchemy import Row, Select, delete, func, or_, select, update

from services.documents.port import Citizen, Issuer, Newcomer, State, Unavailable
from services.given import Clock, Sealing, utc_now
from services.records.database import Records
from services.records.tables import document_checks, document_sign_ins

Asked: TypeAlias = Literal["sent", "too_many", "down"]
Checked: TypeAlias = Literal["right", "wrong", "gone", "too_many", "down"]

WITHIN: Final = timedelta(hours=1)
ASKED_BY_CALLER: Final = 5  # in the hour, for whatever numbers
ASKED_OF_NUMBER: Final = 5  # in the hour, by whatever callers
CHECKS: Final = 5  # of one code
WRONG_OF_NUMBER: Final = 20  # in a day, whatever codes
DAY: Final = timedelta(days=1)
CODE_LIVES: Final = timedelta(minutes=10)
OPEN: Final = timedelta(minutes=15)
KEPT: Final = timedelta(days=2)  # longer than anything is counted over
COUNTED: Final = ("asking", "sent", "open")
LOOKS, EVERY = 30, 0.1  # how often, and after how many seconds each, to look for what another process is just doing


class Codes(Protocol):
    """The one-time codes that we send."""

    async def send(self, number: str, language: str, purpose: str, effect: str) -> Literal["sent", "too_many"]:
        """Send one to `number`; the same effect again sends nothing."""

    async def check(self, number: str, purpose: str, code: str, effect: str) -> Literal["right", "wrong", "gone"]:
        """Whether this is the one that was sent last."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for the documents of an Aadhaar number, from which MSISDN and in which language."""

    number: str = field(repr=False)
    aadhaar: str = field(repr=False)
    language: str
    newcomer: Newcomer | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking, and the sign-in that a code is now to be checked for."""

    outcome: Asked
    sign_in: int = 0
    last_four: str = ""


class Opened:
    """What an issuer granted, kept sealed in the sign-in; renewed there when the issuer renews it."""

    def __init__(self, sign_ins: "SignIns", sign_in: int, granted: State) -> None:
        self._sign_ins = sign_ins
        self._sign_in = sign_in
        self.granted = granted

    async def renewed(self, granted: State) -> None:
        """Keep this in its place."""
        self.granted = granted
        await self._sign_ins.note(self._sign_in, granted=self._sign_ins.closed(granted, self._sign_in))


class SignIns:
    """Everybody who asks for documents. Every number is E.164, every Aadhaar number twelve digits that can be one."""

    def __init__(
        self, records: Records, issuer: Issuer, codes: Codes, seal: Sealing, *, clock: Clock = utc_now
    ) -> None:
        self._records = records
        self._issuer = issuer
        self._codes = codes
        self._seal = seal
        self._clock = clock

    async def ask(self, asking: Asking, effect: str) -> Answer:
        """Have a code sent for this Aadhaar number; whether there are documents behind it is not told by the answer."""
        holder = self._seal.name("aadhaar", asking.aadhaar)
        if not await self._claimed(asking, holder, effect):
            return await self._asked_before(asking, effect)
        row = await self._row(document_sign_ins.c.effect == effect)
        outcome: Asked = "too_many" if await self._too_often(row) else await self._challenged(asking, row)
        if outcome != "sent":
            await self.note(row.id, status=outcome)
        return Answer(outcome, row.id, row.last_four)

    async def check(self, sign_in: int, code: str, effect: str) -> Checked:
        """Whether this is the code; then the sign-in is open for a quarter of an hour."""
        row = {"sign_in": sign_in, "outcome": "", "effect": effect, "created_at": self._clock()}
        async with self._records.transaction() as transaction:
            inserted = await transaction.execute(self._records.insert_once(document_checks), row)
        if not inserted.rowcount:
            return await self._checked_before(effect)
        outcome: Checked = "down"
        try:
            outcome = await self._check(await self._row(document_sign_ins.c.id == sign_in), code, effect)
        finally:
            noted = update(document_checks).where(document_checks.c.effect == effect).values(outcome=outcome)
            async with self._records.transaction() as transaction:
                await transaction.execute(noted)
        return outcome

    async def opened(self, sign_in: int) -> Opened | None:
        """What was granted, as long as it counts."""
        row = await self._row(document_sign_ins.c.id == sign_in)
        if row.status != "open" or row.granted is None or row.ends_at <= self._clock():
            return None
        return Opened(self, sign_in, self._unsealed(row.granted, sign_in))

    async def sweep(self) -> None:
        """Forget what is of no use any more: secrets at once, whole sign-ins when nothing is counted by them."""
        now = self._clock()
        secrets = (document_sign_ins.c.state, document_sign_ins.c.granted, document_sign_ins.c.listed)
        ended = update(document_sign_ins).where(document_sign_ins.c.ends_at <= now)
        ended = ended.where(or_(*(one.is_not(None) for one in secrets))).values(dict.fromkeys(secrets))
        old = delete(document_sign_ins).where(document_sign_ins.c.ends_at <= now - KEPT)
        async with self._records.transaction() as transaction:
            await transaction.execute(ended)
            await transaction.execute(old)

    async def note(self, sign_in: int, **columns: Any) -> None:
        """Write these columns of a sign-in."""
        async with self._records.transaction() as transaction:
            await transaction.execute(
                update(document_sign_ins).where(document_sign_ins.c.id == sign_in).values(columns)
            )

    def closed(self, value: Any, sign_in: int) -> bytes:
        """Anything that JSON can say, sealed so that it opens in this sign-in alone."""
        return self._seal.close(msgspec.json.encode(value), _about(sign_in))

    async def _claimed(self, asking: Asking, holder: str, effect: str) -> bool:
        now = self._clock()
        row = {
            "number": asking.number,
            "holder": holder,
            "last_four": asking.aadhaar[-4:],
            "status": "asking",
            "effect": effect,
            "created_at": now,
            "ends_at": now + CODE_LIVES,
        }
        async with self._records.transaction() as transaction:
            inserted = await transaction.execute(self._records.insert_once(document_sign_ins), row)
        return bool(inserted.rowcount)

    async def _too_often(self, row: Row[Any]) -> bool:
        """Counted after it was written: of any number at once, as many come through as may, and not one more."""
        since = self._clock() - WITHIN
        by_caller = await self._count(_asked(since).where(document_sign_ins.c.number == row.number))
        of_number = await self._count(_asked(since).where(document_sign_ins.c.holder == row.holder))
        return by_caller > ASKED_BY_CALLER or of_number > ASKED_OF_NUMBER

    async def _challenged(self, asking: Asking, row: Row[Any]) -> Asked:
        citizen = Citizen(asking.aadhaar, row.holder, asking.number, asking.newcomer)
        try:
            challenge = await self._issuer.challenge(citizen)
        except Unavailable:
            return "down"
        state = self.closed(challenge.state, row.id)
        await self.note(row.id, state=state, code_to=challenge.code_to or None, status="sent")
        return await self._sent(asking, challenge.code_to, row.holder, row.effect)

    async def _sent(self, asking: Asking, code_to: str, holder: str, effect: str) -> Asked:
        """That so many codes went to somebody else's phone is not for the caller to know: theirs is never right then."""
        if not code_to:
            return "sent"
        sent = await self._codes.send(code_to, asking.language, _purpose(holder), effect)
        return sent if code_to == asking.number else "sent"

    async def _asked_before(self, asking: Asking, effect: str) -> Answer:
        """What came of it the first time; where that was a code of ours, it is alive again should Redis have lost it."""
        row = await self._row(document_sign_ins.c.effect == effect)
        for _ in range(LOOKS):
            if row.status != "asking":
                break
            await asyncio.sleep(EVERY)
            row = await self._row(document_sign_ins.c.effect == effect)
        if row.status == "sent":
            await self._sent(asking, row.code_to or "", row.holder, effect)
        return Answer(_ASKED.get(row.status, "down"), row.id, row.last_four)

    async def _check(self, row: Row[Any], code: str, effect: str) -> Checked:
        """Counted with itself, which was written before: of any number at once, as many are heard as may be."""
        since = self._clock() - DAY
        if await self._count(_not_right(since).where(document_sign_ins.c.holder == row.holder)) > WRONG_OF_NUMBER:
            return "too_many"
        of_this = await self._count(_not_right(since).where(document_sign_ins.c.id == row.id))
        if row.status != "sent" or row.ends_at <= self._clock() or of_this > CHECKS:
            return "gone"
        if row.code_to:
            checked = await self._codes.check(row.code_to, _purpose(row.holder), code, effect)
            return await self._open(row, "") if checked == "right" else checked
        return await self._open(row, code)

    async def _open(self, row: Row[Any], code: str) -> Checked:
        try:
            granted = await self._issuer.open(self._unsealed(row.state, row.id), code)
        except Unavailable:
            return "down"
        if granted is None:
            return "wrong"
        sealed, ends = self.closed(granted, row.id), self._clock() + OPEN
        await self.note(row.id, status="open", state=None, granted=sealed, ends_at=ends)
        return "right"

    async def _checked_before(self, effect: str) -> Checked:
        """What came of this check; `down` where nobody knows, because whoever made it is gone."""
        outcome = select(document_checks.c.outcome).where(document_checks.c.effect == effect)
        for _ in range(LOOKS):
            if known := _CHECKED.get((await self._records.read(outcome)).scalar_one()):
                return known
            await asyncio.sleep(EVERY)
        return "down"

    def _unsealed(self, sealed: bytes, sign_in: int) -> State:
        return msgspec.json.decode(self._seal.open(sealed, _about(sign_in)), type=dict[str, str])

    async def _row(self, where: Any) -> Row[Any]:
        return (await self._records.read(select(document_sign_ins).where(where))).one()

    async def _count(self, counted: Select[int]) -> int:
        return int((await self._records.read(counted)).scalar_one())


_ASKED: Mapping[str, Asked] = {"sent": "sent", "open": "sent", "too_many": "too_many"}
_CHECKED: Mapping[str, Checked] = {known: known for known in get_args(Checked)}


def _asked(since: datetime) -> Select[int]:
    """How often it was asked since then; what was refused does not count, nor what an issuer that is down cost nobody."""
    counted = select(func.count()).select_from(document_sign_ins)
    return counted.where(document_sign_ins.c.created_at > since, document_sign_ins.c.status.in_(COUNTED))


def _not_right(since: datetime) -> Select[int]:
    """How many codes were wrong since then, or are just being checked."""
    counted = select(func.count()).select_from(document_checks.join(document_sign_ins))
    return counted.where(document_checks.c.created_at >= since, document_checks.c.outcome.in_(("wrong", "")))


def _purpose(holder: str) -> str:
    """What a code is for: this Aadhaar number's documents and no other's."""
    return f"documents {holder}"


def _about(sign_in: int) -> str:
    return f"document sign-in:{sign_in}"
