"""A citizen's consent that an operator acts for them: asked, given by a code on the citizen's phone, ended, and told of after.

A consent is for one purpose. It is alive for half an hour, or until the operator or the citizen ends it. What is done under
an effect is done once: the same effect again is told what came of it first.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Row, and_, or_, select, update

from services.audit import Act, Audit
from services.codes import Codes, Said
from services.consent_limits import Counting, Limits
from services.given import Clock, utc_now
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import OPEN_CONSENT, accounts, consent_checks, consents, operators
from services.visits import Visits

Purpose: TypeAlias = Literal["apply", "follow", "pay", "complain", "profile"]
Outcome: TypeAlias = Literal["sent", "too_many", "spent"]
Checked: TypeAlias = Literal["right", "wrong", "gone", "spent"]
Ended: TypeAlias = Literal["operator", "citizen", "lapsed", "suspended", "limit", "another"]

LIVES: Final = timedelta(minutes=30)
STEP: Final = 100  # consents that are ended in one transaction


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator asks a citizen for."""

    operator: int
    number: str = field(repr=False)
    purpose: Purpose
    channel: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking. `too_many`: the citizen was asked too often; `spent`: the operator asked too often."""

    outcome: Outcome
    consent: int


@dataclass(frozen=True, slots=True)
class Given:
    """What became of a code. Where it is right: the citizen's account, 0 where they have none yet."""

    outcome: Checked
    account: int = 0
    language: str = ""


class Consents:
    """All of them. Every number is E.164.

    `language_of` is what a number is written to in; `visits` says who asks, and what was done.
    """

    def __init__(
        self,
        records: Records,
        messages: Messages,
        codes: Codes,
        visits: Visits,
        *,
        language_of: Callable[[str], Awaitable[str]],
        limits: Limits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._messages = messages
        self._codes = codes
        self._visits = visits
        self._language_of = language_of
        self._counting = Counting(records, limits or Limits(), clock)
        self._clock = clock
        self._audit = Audit(records, clock=clock)

    async def ask(self, wish: Wish, effect: str) -> Asked:
        """Send the citizen who asks for what, and the code by which they consent."""
        row = await self._begun(wish, effect)
        if row.outcome not in {"asking", "sent"}:
            return Asked(row.outcome, row.id)
        if row.outcome == "asking" and (refused := await self._counting.refused(row)):
            return await self._asked(row, refused)
        return await self._asked(row, await self._send(row))

    async def check(self, consent: int, code: str, effect: str) -> Given:
        """Whether this is the code; then the consent is alive, and any other of this operator's is over."""
        row = await self._row(consent)
        if earlier := await self._checked_before(effect):
            return self._given(row, earlier)
        outcome = await self._checked(row, code, effect)
        async with self._records.transaction() as transaction:
            check = {"consent": consent, "outcome": outcome, "effect": effect, "created_at": self._clock()}
            await transaction.execute(self._records.insert_once(consent_checks), check)
            if outcome == "right":
                await self._end_others(transaction, row, effect)
                await self._give(transaction, row, effect)
        return self._given(await self._row(consent), outcome)

    async def of_whom(self, consent: int) -> tuple[str, str]:
        """The citizen's number, and the language they are written to in."""
        row = await self._row(consent)
        return row.number, row.language

    async def registered(self, consent: int) -> int:
        """The account that the citizen now has; it is the consent's from now on."""
        account = select(accounts.c.id).where(accounts.c.number == consents.c.number).scalar_subquery()
        found = update(consents).where(consents.c.id == consent).values(account=account).returning(consents.c.account)
        async with self._records.transaction() as transaction:
            return int((await transaction.execute(found)).scalar_one())

    async def over(self, consent: int, effect: str) -> Ended | None:
        """Why nothing may be done any more under this consent; None while it is alive.

        For what was done under an effect before the one that ended it, it is alive: a path may be heard again.
        """
        row = await self._row(consent)
        if row.ended_at:
            return None if _before(effect, row.ended_effect or "") else row.ended_by
        if row.given_at is None:
            return "lapsed"
        ended = await self._found_over(row)
        if ended:
            async with self._records.transaction() as transaction:
                await self._end(transaction, row, ended, effect)
        return ended

    async def end(self, consent: int, effect: str) -> None:
        """The operator is done; the citizen is told what was done."""
        async with self._records.transaction() as transaction:
            await self._end(transaction, await self._row(consent), "operator", effect)

    async def sign_in(self, operator: int, effect: str) -> None:
        """What this operator left alive in another session is over when they sign in again."""
        elsewhere = ~consents.c.effect.startswith(_session(effect), autoescape=True)
        left = _WITH_OPERATOR.where(OPEN_CONSENT, consents.c.operator == operator, elsewhere)
        async with self._records.transaction() as transaction:
            for row in (await transaction.execute(left)).all():
                await self._end(transaction, row, "another", effect)

    async def stop(self, number: str, effect: str) -> bool:
        """The citizen wants no operator: whatever was asked of them or is alive is over. Whether there was anything."""
        asked = _WITH_OPERATOR.where(consents.c.number == number, _waiting_or_alive(self._clock()))
        before = select(consents.c.id).where(consents.c.number == number, consents.c.ended_effect == effect)
        async with self._records.transaction() as transaction:
            rows = (await transaction.execute(asked)).all()
            for row in rows:
                await self._end(transaction, row, "citizen", effect)
            return bool(rows) or (await transaction.execute(before)).first() is not None

    async def sweep(self) -> int:
        """End what has lapsed without anybody looking, so that the citizen is told; how many did."""
        ended = 0
        while some := await self._end_lapsed():
            ended += some
        return ended

    async def _end_lapsed(self) -> int:
        """At most STEP of them."""
        lapsed = _WITH_OPERATOR.where(OPEN_CONSENT, consents.c.lapses_at <= self._clock()).limit(STEP)
        async with self._records.transaction() as transaction:
            rows = (await transaction.execute(lapsed)).all()
            for row in rows:
                await self._end(transaction, row, "lapsed", "")
        return len(rows)

    async def _begun(self, wish: Wish, effect: str) -> Row[Any]:
        """The row of what is asked: counted before it is looked whether it is too many, so that none slips through."""
        row = {
            "operator": wish.operator,
            "number": wish.number,
            "newcomer": False,
            "purpose": wish.purpose,
            "language": await self._language_of(wish.number),
            "channel": wish.channel,
            "outcome": "asking",
            "effect": effect,
            "asked_at": self._clock(),
        }
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert_once(consents), row)
            return (await transaction.execute(_WITH_OPERATOR.where(consents.c.effect == effect))).one()

    async def _send(self, row: Row[Any]) -> Outcome:
        if row.given_at or row.ended_at:
            return "sent"  # heard again: its code is used up, and stays so
        said = Said("consent_code", {**self._visits.who(row), "purpose": row.purpose})
        return await self._codes.send(row.number, row.language, _for(row.id), row.effect, said=said)

    async def _asked(self, row: Row[Any], outcome: Outcome) -> Asked:
        if row.outcome == outcome:
            return Asked(outcome, row.id)
        async with self._records.transaction() as transaction:
            await transaction.execute(update(consents).where(consents.c.id == row.id).values(outcome=outcome))
            if outcome == "sent":
                await self._note(transaction, row, "consent_asked", row.effect)
        return Asked(outcome, row.id)

    async def _checked(self, row: Row[Any], code: str, effect: str) -> Checked:
        if row.ended_at or row.suspended_at or row.asked_at <= self._clock() - LIVES:
            return "gone"
        if await self._counting.guessed_enough(row):
            return "spent"
        return await self._codes.check(row.number, _for(row.id), code, effect)

    async def _checked_before(self, effect: str) -> Checked | None:
        outcome = select(consent_checks.c.outcome).where(consent_checks.c.effect == effect)
        return (await self._records.read(outcome)).scalar_one_or_none()

    async def _give(self, transaction: Transaction, row: Row[Any], effect: str) -> None:
        now, account = self._clock(), select(accounts.c.id).where(accounts.c.number == row.number)
        known = (await transaction.execute(account)).scalar_one_or_none()
        given = {"given_at": now, "lapses_at": now + LIVES, "account": known, "newcomer": known is None}
        alone = (consents.c.id == row.id, consents.c.given_at.is_(None), consents.c.ended_at.is_(None))
        if (await transaction.execute(update(consents).where(*alone).values(given))).rowcount:
            await self._note(transaction, row, "consent_given", effect, account=known)

    @staticmethod
    def _given(row: Row[Any], outcome: Checked) -> Given:
        """As it was when it was given: whoever registered since then had no account."""
        if outcome != "right":
            return Given(outcome)
        return Given("right", 0 if row.newcomer else row.account or 0, row.language)

    async def _found_over(self, row: Row[Any]) -> Ended | None:
        if row.suspended_at:
            return "suspended"
        if row.lapses_at <= self._clock():
            return "lapsed"
        return "limit" if await self._counting.applied_enough(row) else None

    async def _end_others(self, transaction: Transaction, row: Row[Any], effect: str) -> None:
        others = _WITH_OPERATOR.where(OPEN_CONSENT, consents.c.operator == row.operator, consents.c.id != row.id)
        for other in (await transaction.execute(others)).all():
            await self._end(transaction, other, "another", effect)

    async def _end(self, transaction: Transaction, row: Row[Any], by: Ended, effect: str) -> None:
        """End it once, and tell the citizen; who was only asked and says no is told by the answer to that."""
        ended = {"ended_at": self._clock(), "ended_by": by, "ended_effect": effect or None}
        alone = (consents.c.id == row.id, consents.c.ended_at.is_(None))
        if not (await transaction.execute(update(consents).where(*alone).values(ended))).rowcount:
            return
        await self._note(transaction, row, "consent_ended", f"consent:{row.id}", account=row.account)
        done = await self._visits.done(transaction, row) if row.given_at else []
        if done or (row.given_at and by != "citizen"):
            told = Message(row.number, self._visits.told(row, done), "info", f"consent:{row.id}/ended")
            await self._messages.queue(transaction, told)

    async def _note(
        self, transaction: Transaction, row: Row[Any], act: str, effect: str, *, account: int | None = None
    ) -> None:
        about = {"purpose": row.purpose, "consent": str(row.id)}
        noted = Act("operator", str(row.operator), act, "consent", str(row.id), row.channel, effect)
        await self._audit.note(transaction, _for_account(noted, account, about))

    async def _row(self, consent: int) -> Row[Any]:
        return (await self._records.read(_WITH_OPERATOR.where(consents.c.id == consent))).one()


def _session(effect: str) -> str:
    return effect.rpartition(":")[0] + ":"


def _before(effect: str, than: str) -> bool:
    """Whether a key press came before another one of the same session."""
    session, _, length = effect.rpartition(":")
    in_session, _, at = than.rpartition(":")
    return session == in_session and int(length) < int(at)


def _for(consent: int) -> str:
    """What a code is for: this consent and no other."""
    return f"consent {consent}"


def _for_account(act: Act, account: int | None, details: Mapping[str, str]) -> Act:
    return replace(act, on_behalf_of=str(account) if account else "", details=details)


def _waiting_or_alive(now: datetime) -> ColumnElement[bool]:
    """Asked within half an hour, or alive."""
    asked = and_(consents.c.given_at.is_(None), consents.c.asked_at > now - LIVES)
    alive = and_(consents.c.given_at.is_not(None), consents.c.lapses_at > now)
    return and_(consents.c.outcome == "sent", consents.c.ended_at.is_(None), or_(asked, alive))


_ABOUT_OPERATOR = (
    operators.c.number.label("operator_number"),
    *(operators.c[name] for name in ("name", "centre", "suspended_at", "consents_a_day", "applications_a_day")),
)
_WITH_OPERATOR = select(consents, *_ABOUT_OPERATOR).join(operators, operators.c.id == consents.c.operator)
