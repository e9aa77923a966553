"""Citizens' accounts: the language they chose, registering, signing in, and getting back in when the PIN is forgotten.

What is done under an effect is done once: the same effect again, at once or much later, is told what came of it first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import CursorResult, Executable, Row, delete, func, or_, select, update

from services.audit import Audit, act_of, citizen
from services.closed import still_open
from services.given import Clock, Say, Sealing, utc_now
from services.lockout import Tally
from services.messages import Message, Messages
from services.pins import Pins, new_pin
from services.records.database import Records, Transaction
from services.records.tables import account_events, accounts, callers, security_answers
from services.records.upsert import NotWritten
from together import Together

Outcome: TypeAlias = Literal["in", "wrong", "locked", "unknown"]
Run: TypeAlias = Callable[[Executable], Awaitable[CursorResult[Any]]]
OPEN: Final = Tally()
QUESTIONS = 2
TURNS = 8  # of the loop in which choices of a language come together: a commit costs many times what one does


class NumberTaken(Exception):
    """A number that has an account cannot get another one; whoever has it signs in, or answers the questions."""

    def __init__(self) -> None:
        super().__init__("This number has an account already; sign in to it, or recover its PIN.")


@dataclass(frozen=True, slots=True)
class Known:
    """A caller's language, and the session in which it was chosen."""

    language: str
    session: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whose an account is."""

    account: int
    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Someone who registers. Hashes are out of `hash_secret`; without one the PIN is ours to choose and goes by SMS.

    `questions` are the code of each security question and the hash of its answer.
    """

    number: str = field(repr=False)
    name: str = field(repr=False)
    language: str
    pin_hash: str = field(repr=False)
    questions: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What became of a try: the account if it was right, how many tries are left if not, until when it is closed."""

    outcome: Outcome
    account: int = 0
    left: int = 0
    until: datetime | None = None


class _Tallies(NamedTuple):
    """The wrong tries at either way into one account."""

    pin: Tally = OPEN
    answers: Tally = OPEN


class _Way(NamedTuple):
    """A way into an account: how its tries are recorded, its tally, what a right and a wrong try make of both.

    `acts` are what the audit calls an outcome; most are no act.
    """

    kind: str
    tally: Callable[[_Tallies], Tally]
    right: Callable[[_Tallies], _Tallies]
    wrong: Callable[[_Tallies, datetime], _Tallies]
    acts: Mapping[Outcome, str]


# Wrong answers count as wrong PINs too. Answers are heard while the account is closed for wrong PINs, or they could not
# reopen it; but five wrong answers close that way as well. Right ones leave the PIN closed until there is a new one.
_BY_PIN = _Way(
    "pin",
    lambda seen: seen.pin,
    lambda _: _Tallies(),
    lambda seen, now: seen._replace(pin=seen.pin.after_wrong(now)),
    {"locked": "locked"},
)
_BY_ANSWERS = _Way(
    "answers",
    lambda seen: seen.answers,
    lambda seen: seen._replace(answers=OPEN),
    lambda seen, now: _Tallies(seen.pin.after_wrong(now), seen.answers.after_wrong(now)),
    {"locked": "locked", "in": "recovered"},
)


class _Account(NamedTuple):
    """What a try is measured against; where there is no account it is 0, and hashes that nothing matches."""

    id: int
    tallies: _Tallies
    hashes: Sequence[str]


class Accounts:
    """Callers and their accounts. Every number is E.164."""

    def __init__(
        self, records: Records, messages: Messages, pins: Pins, seal: Sealing, say: Say, *, clock: Clock = utc_now
    ) -> None:
        self._records = records
        self._messages = messages
        self._pins = pins
        self._seal = seal
        self._say = say
        self._clock = clock
        self._audit = Audit(records, clock=clock)
        self.language_of = records.lookup(callers.c.number, (callers.c.language, callers.c.session), _known)
        """The language that a number chose, and in which session; None when it never did."""
        self._keep_languages = records.upsert(callers)
        self._choose_language = Together(self._choose_languages, turns=TURNS)

    def choose_language(self, number: str, language: str, session: str) -> Awaitable[None]:
        """Remember the language that a caller chose in this session; kept for good when this returns."""
        row = {"number": number, "language": language, "session": session, "chosen_at": self._clock()}
        return self._choose_language(row)

    async def language(self, account: int) -> str:
        """The language in which this account is told things: the caller's latest choice, else that of registering."""
        chosen = func.coalesce(callers.c.language, accounts.c.language)
        joined = accounts.outerjoin(callers, callers.c.number == accounts.c.number)
        found = await self._records.read(select(chosen).select_from(joined).where(accounts.c.id == account))
        return str(found.scalar_one())

    async def keep_questions(self, number: str, questions: tuple[tuple[str, str], ...]) -> None:
        """Give the account of this number its security questions; one that has some keeps those."""
        asked = select(security_answers.c.account).where(security_answers.c.account == accounts.c.id).exists()
        unasked = select(accounts.c.id).where(accounts.c.number == number, ~asked).with_for_update()
        async with self._records.transaction() as transaction:
            account = (await transaction.execute(unasked)).scalar_one_or_none()
            if account is not None:
                await self._insert_answers(transaction, account, questions)
                await self._act(transaction, "questions_given", account, f"account:{account}")

    async def exists(self, number: str) -> bool:
        """Whether this number has an account."""
        return await self.registered_by(number) is not None

    async def registered_by(self, number: str) -> str | None:
        """The effect under which this number's account was made; None when it has none."""
        made = select(account_events.c.effect).join(accounts).where(accounts.c.number == number)
        found = await self._records.read(made.where(account_events.c.kind == "registered"))
        return found.scalar_one_or_none()

    async def closed_in(self, session: str) -> str | None:
        """The effect under which the account was made that was closed in this session; None when none was.

        For a path that is heard again, which walks past signing in to it once more.
        """
        whose = select(account_events.c.account).where(account_events.c.effect == session)
        closed = whose.where(account_events.c.kind == "closed_in").scalar_subquery()
        made = select(account_events.c.effect).where(account_events.c.account == closed)
        found = await self._records.read(made.where(account_events.c.kind == "registered"))
        return found.scalar_one_or_none()

    async def close(self, transaction: Transaction, account: int, effect: str) -> bool:
        """Note within `transaction` that the account is closed from now on; False where it was before, or never was."""
        whose = select(accounts.c.id).where(accounts.c.id == account, accounts.c.closed_at.is_(None))
        if (await transaction.execute(whose.with_for_update())).one_or_none() is None:
            return False
        session = effect.rpartition(":")[0]
        for kind, of in (("closed", effect), ("closed_in", session)):
            await self._note(transaction, kind, of, {"account": account, "outcome": "done"})
        emptied = {"number": f"#{account}", "name": b"", "pin_hash": "", "closed_at": self._clock()}
        closed = update(accounts).where(accounts.c.id == account).values({**emptied, **_columns(_Tallies())})
        await transaction.execute(closed)
        await transaction.execute(delete(security_answers).where(security_answers.c.account == account))
        return True

    async def unhear(self, number: str, effect: str) -> None:
        """Forget the language that this number chose in the session of `effect`, and in no later one."""
        session = effect.rpartition(":")[0]
        heard = delete(callers).where(callers.c.number == number, callers.c.session == session)
        async with self._records.transaction() as transaction:
            await transaction.execute(heard)

    async def name(self, account: int) -> str:
        """What the citizen is called; empty once the account is closed."""
        person = await self.person(account)
        return person.name if person else ""

    async def person(self, account: int) -> Person | None:
        """Whose account this is; None once it is closed."""
        whose = select(accounts).where(accounts.c.id == account, accounts.c.closed_at.is_(None))
        row = (await self._records.read(whose)).one_or_none()
        if row is None:
            return None
        return Person(account, row.number, self._seal.open(row.name, _about(row.number)).decode())

    async def rename(self, transaction: Transaction, account: int, name: str) -> None:
        """Call the citizen something else, within the transaction of whatever makes it so."""
        whose = select(accounts.c.number).where(accounts.c.id == account).with_for_update()
        number = (await transaction.execute(whose)).scalar_one()
        sealed = self._seal.close(name.encode(), _about(number))
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(name=sealed))

    async def hash_secret(self, secret: str) -> str:
        """The hash under which a PIN or an answer may be kept."""
        return await self._pins.hashed(secret)

    async def matches(self, secret: str, hashed: str) -> bool:
        """Whether `secret` is what was hashed, however it is written this time."""
        return await self._pins.matches(secret, hashed)

    async def register(self, new: NewAccount, effect: str) -> int:
        """Make the account; its id, or 0 when it waits for the PIN that goes out by SMS.

        Raises:
            NumberTaken: the number has an account that was made under another effect.
        """
        pin = "" if new.pin_hash else new_pin()
        pin_hash = new.pin_hash or await self._pins.hashed(pin)
        async with self._records.transaction() as transaction:
            if await _closed_since(transaction, effect):
                return await _registered_before(transaction, new.number, effect)
            account = await self._insert_account(transaction, new, pin_hash)
            if account is None:
                return await _registered_before(transaction, new.number, effect)
            await self._insert_answers(transaction, account, new.questions)
            outcome = "pin_sent" if pin else "in"
            await self._note(transaction, "registered", effect, {"account": account, "outcome": outcome})
            await self._act(transaction, "registered", account, effect)
            if pin:
                text = self._say(new.language, "pin", {"pin": pin})
                await self._messages.queue(transaction, Message(new.number, text, "pin", f"{effect}/pin"))
        return 0 if pin else account

    async def sign_in(self, number: str, pin: str, effect: str) -> SignIn:
        """Try a PIN. A number without an account is told so after the same time and work as one with another PIN."""
        return await self._try(_BY_PIN, number, (pin,), effect)

    async def questions(self, number: str) -> tuple[str, ...]:
        """Codes of the security questions, in the order of their answers; empty when there is no account."""
        asked = select(security_answers.c.question).join(accounts).where(accounts.c.number == number)
        return tuple((await self._records.read(asked.order_by(security_answers.c.place))).scalars())

    async def answer(self, number: str, answers: Sequence[str], effect: str) -> SignIn:
        """Try the answers to the security questions, in their order; all must be right."""
        return await self._try(_BY_ANSWERS, number, answers, effect)

    async def change_pin(self, account: int, pin_hash: str, effect: str) -> None:
        """Give the account another PIN, open it if it was locked, and tell the citizen by SMS.

        Raises:
            AccountClosed: it was deleted meanwhile.
        """
        fresh = {"pin_hash": pin_hash, **_columns(_Tallies())}
        language = await self.language(account)
        async with self._records.transaction() as transaction:
            if not await self._note(transaction, "pin_changed", effect, {"account": account, "outcome": "done"}):
                return
            await still_open(transaction, account, effect)
            changed = update(accounts).where(accounts.c.id == account).values(fresh).returning(accounts.c.number)
            number = (await transaction.execute(changed)).scalar_one()
            await self._act(transaction, "pin_changed", account, effect)
            text = self._say(language, "pin_changed", {})
            await self._messages.queue(transaction, Message(number, text, "info", f"{effect}/pin_changed"))

    async def _choose_languages(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[BaseException | None]:
        try:
            await self._keep_languages(rows)
        except NotWritten:
            if len(rows) == 1:
                raise
            # One of them cannot be written, and the others are not to suffer for it.
            return await asyncio.gather(*(self._keep_languages([row]) for row in rows), return_exceptions=True)
        return [None] * len(rows)

    async def _insert_account(self, transaction: Transaction, new: NewAccount, pin_hash: str) -> int | None:
        row = {
            "number": new.number,
            "name": self._seal.close(new.name.encode(), _about(new.number)),
            "language": new.language,
            "pin_hash": pin_hash,
            "created_at": self._clock(),
        }
        made = self._records.insert_once(accounts).returning(accounts.c.id)
        return (await transaction.execute(made, row)).scalar_one_or_none()

    async def _insert_answers(
        self, transaction: Transaction, account: int, questions: Sequence[tuple[str, str]]
    ) -> None:
        rows = [
            {"account": account, "place": place, "question": question, "answer_hash": answer_hash}
            for place, (question, answer_hash) in enumerate(questions, start=1)
        ]
        if rows:
            await transaction.execute(self._records.insert(security_answers), rows)

    async def _note(self, transaction: Transaction, kind: str, effect: str, facts: Mapping[str, Any]) -> bool:
        """Whether this is the first time that something of this kind comes of this effect; if so it is noted."""
        row = {"kind": kind, "effect": effect, "created_at": self._clock(), **facts}
        noted = self._records.insert_once(account_events).returning(account_events.c.id)
        return (await transaction.execute(noted, row)).scalar_one_or_none() is not None

    async def _act(self, transaction: Transaction, act: str, account: int, effect: str) -> None:
        noted = act_of(citizen(account, effect), act, "account", str(account), effect)
        await self._audit.note(transaction, noted)

    async def _try(self, way: _Way, number: str, given: Sequence[str], effect: str) -> SignIn:
        if earlier := await _tried_before(self._records.read, way, number, effect):
            return earlier
        account = await self._held_against(way, number)
        right = not way.tally(account.tallies).closed(self._clock()) and await self._all_match(given, account.hashes)
        return await self._decide(way, account.id, number, right=right, effect=effect)

    async def _held_against(self, way: _Way, number: str) -> _Account:
        row = (await self._records.read(select(accounts).where(accounts.c.number == number))).one_or_none()
        if way is _BY_PIN:
            return _Account(row.id, _tallies(row), (row.pin_hash,)) if row else _Account(0, _Tallies(), ("",))
        if row is None:
            return _Account(0, _Tallies(), ("",) * QUESTIONS)
        kept = select(security_answers.c.answer_hash).where(security_answers.c.account == row.id)
        hashes = (await self._records.read(kept.order_by(security_answers.c.place))).scalars().all()
        return _Account(row.id, _tallies(row), hashes)

    async def _all_match(self, given: Sequence[str], hashes: Sequence[str]) -> bool:
        """Every one is compared, so that the time does not tell which was wrong; no answers at all match nothing."""
        if len(given) != len(hashes) or not hashes:
            return False
        return all([await self._pins.matches(secret, hashed) for secret, hashed in zip(given, hashes, strict=True)])

    async def _decide(self, way: _Way, account: int, number: str, *, right: bool, effect: str) -> SignIn:
        """What is decided holds for this account alone at this time: tries made at once are counted one by one."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            tallies = await _locked_tallies(transaction, account)
            if earlier := await _tried_before(transaction.execute, way, number, effect):
                return earlier
            result, after = _judged(way, account, tallies, right=right, now=now)
            await self._note(transaction, way.kind, effect, _event(account, result))
            act = way.acts.get(result.outcome)
            if act and (result.account or after != tallies):  # to be still locked is no act
                await self._act(transaction, act, account, effect)
            if after != tallies:
                changed = update(accounts).where(accounts.c.id == account).values(_columns(after))
                await transaction.execute(changed)
        return result


def _known(columns: Sequence[Any]) -> Known:
    return Known(*columns)


def _judged(way: _Way, account: int, tallies: _Tallies, *, right: bool, now: datetime) -> tuple[SignIn, _Tallies]:
    """The result of a try, and the tallies after it."""
    if not account:
        return SignIn("unknown"), tallies
    if way.tally(tallies).closed(now):
        return SignIn("locked", until=way.tally(tallies).until), tallies
    if right:
        return SignIn("in", account), way.right(tallies)
    after = way.wrong(tallies, now)
    tally = way.tally(after)
    if tally.closed(now):
        return SignIn("locked", until=tally.until), after
    return SignIn("wrong", left=tally.left), after


async def _registered_before(transaction: Transaction, number: str, effect: str) -> int:
    made = (
        select(account_events.c.account, account_events.c.outcome)
        .join(accounts)
        .where(account_events.c.effect == effect, account_events.c.kind == "registered")
        .where(or_(accounts.c.number == number, accounts.c.closed_at.is_not(None)))
    )
    row = (await transaction.execute(made)).one_or_none()
    if row is None:
        raise NumberTaken
    return int(row.account) if row.outcome == "in" else 0


async def _closed_since(transaction: Transaction, effect: str) -> bool:
    """Whether an account was made under this effect that is closed: its number is free, and would get another one."""
    made = select(accounts.c.id).join(account_events).where(account_events.c.effect == effect)
    closed = made.where(account_events.c.kind == "registered", accounts.c.closed_at.is_not(None))
    return (await transaction.execute(closed)).first() is not None


async def _tried_before(run: Run, way: _Way, number: str, effect: str) -> SignIn | None:
    """What came of it when it was heard first, from this number; a number without an account leaves none behind.

    Of an account that was closed since, nobody knows the number; what came of a try then is what it opened, and that is empty.
    """
    whose = (account_events.c.account.is_(None), accounts.c.number == number, accounts.c.closed_at.is_not(None))
    same_number = or_(*whose)
    tried = (
        select(account_events)
        .outerjoin(accounts)
        .where(account_events.c.effect == effect, account_events.c.kind == way.kind, same_number)
    )
    row = (await run(tried)).one_or_none()
    if row is None:
        return None
    return SignIn(row.outcome, row.account if row.outcome == "in" else 0, row.tries_left, row.locked_until)


async def _locked_tallies(transaction: Transaction, account: int) -> _Tallies:
    found = await transaction.execute(select(accounts).where(accounts.c.id == account).with_for_update())
    row = found.one_or_none()
    return _tallies(row) if row else _Tallies()


def _tallies(row: Row[Any]) -> _Tallies:
    return _Tallies(Tally(row.pin_failures, row.pin_locked_until), Tally(row.answer_failures, row.answers_locked_until))


def _columns(tallies: _Tallies) -> Mapping[str, Any]:
    return {
        "pin_failures": tallies.pin.failures,
        "pin_locked_until": tallies.pin.until,
        "answer_failures": tallies.answers.failures,
        "answers_locked_until": tallies.answers.until,
    }


def _event(account: int, result: SignIn) -> Mapping[str, Any]:
    return {
        "account": account or None,
        "outcome": result.outcome,
        "tries_left": result.left,
        "locked_until": result.until,
    }


def _about(number: str) -> str:
    return f"account:{number}"
