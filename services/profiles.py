"""What is known of a citizen from one form to the next: what they told of themselves, and which papers they have at hand.

Answers are sealed; of identity numbers there is a keyed hash and the last four digits, so that a number can be known again
and never be read. What is done under an effect is done once, and never to an account that was closed: `AccountClosed` is
raised then, but in the session that closed it, when its path is heard again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Row, Select, select, update

from services.accounts import Accounts
from services.audit import Act, Audit, Who, act_of
from services.catalogue import answers
from services.catalogue.profile import IDENTITIES, NAME, PHONE, PROFILE
from services.closed import still_open
from services.given import Clock, Sealing, utc_now
from services.records.database import Records, Transaction
from services.records.tables import accounts, applications, profile_facts, profile_papers

SEEN: Final = ("approved", "ready", "delivered")
"""The statuses of an application whose papers an office has looked at and found good."""

PapersOf: TypeAlias = Callable[[str], Sequence[str]]
"""A service's code to the codes of its papers; none of a service that is no more."""
Done: TypeAlias = Callable[[str], bool]
"""Whether what was done under an effect counts yet; see `menus.journeys.sign_in.existed`."""


class Change(NamedTuple):
    """Whose profile changes, over which channel, under which effect."""

    account: int
    channel: str
    effect: str


class Known(NamedTuple):
    """One answer of a profile as it may be read: itself, or what is left of an identity number; and since when."""

    key: str
    value: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that is on file: since when, and because the citizen said so, or an application's office has seen it."""

    code: str
    since: datetime
    source: Literal["told", "application"]
    application: str = ""


class Profiles:
    """The profiles of all accounts."""

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        audit: Audit,
        seal: Sealing,
        papers_of: PapersOf,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._audit = audit
        self._seal = seal
        self._papers_of = papers_of
        self._clock = clock

    async def known(self, account: int, done: Done = lambda _: True) -> Mapping[str, str]:
        """Profile key to answer, in the form in which answers are kept; identity numbers are not among them.

        `done` says what counts already, for a path that is heard again.
        """
        return {one.key: one.value for one in await self.told(account, done) if one.key not in IDENTITIES}

    async def told(self, account: int, done: Done = lambda _: True) -> Sequence[Known]:
        """All that is known, in the order of a profile; of an identity number its last digits, such as `XXXX 1234`."""
        person = await self._accounts.person(account)
        if person is None:
            return ()
        rows = {row.key: row for row in await self._records.read(_of(account)) if done(row.effect)}
        said = {NAME: Known(NAME, person.name), PHONE: Known(PHONE, person.number)}
        said |= {key: Known(key, self._shown(row), row.created_at) for key, row in rows.items()}
        return [said[key] for key in PROFILE if key in said]

    async def matches(self, account: int, key: str, value: str) -> bool:
        """Whether this is the identity number that the account has under `key`."""
        kept = (await self._records.read(_of(account).where(profile_facts.c.key == key))).one_or_none()
        return kept is not None and kept.digest == self._digest(key, value)

    async def hint(self, account: int, key: str) -> str:
        """What may be shown of the identity number under `key`, such as `XXXX 1234`; empty where none is known."""
        kept = (await self._records.read(_of(account).where(profile_facts.c.key == key))).one_or_none()
        return self._shown(kept) if kept is not None else ""

    async def keep(self, change: Change, key: str, value: str) -> None:
        """Keep an answer, in the form that `answers.check` gave it, in place of the one before."""
        async with self._records.transaction() as transaction:
            if not await self._begin(transaction, change.account, change.effect):
                return
            if not await self._insert(transaction, change, key, value):
                return
            if key == NAME:
                await self._accounts.rename(transaction, change.account, value)
            await self._audit.note(transaction, _act(change, "kept", key))

    async def forget(self, change: Change, key: str) -> None:
        """Forget an answer; what a citizen is called stays, for an account has a name."""
        if key == NAME:
            return
        async with self._records.transaction() as transaction:
            begun = await self._begin(transaction, change.account, change.effect)
            if begun and await self._insert(transaction, change, key, ""):
                await self._audit.note(transaction, _act(change, "forgotten", key))

    async def learn(self, transaction: Transaction, account: int, given: Mapping[str, str], effect: str) -> None:
        """Within `transaction`, keep what was given in a form and is not known yet."""
        asked = {key: value for key, value in given.items() if value and key in PROFILE and key not in {NAME, PHONE}}
        if not asked or not await self._begin(transaction, account, effect):
            return
        known = {row.key for row in await transaction.execute(_of(account))}
        for key in asked.keys() - known:
            await self._insert(transaction, Change(account, "", effect), key, asked[key])

    async def documents(self, account: int) -> frozenset[str]:
        """The codes of the papers on file, which need not be given again."""
        return frozenset(paper.code for paper in await self.papers(account))

    async def papers(self, account: int, done: Done = lambda _: True) -> Sequence[Paper]:
        """The papers on file, by code; `done` says what counts already, for a path that is heard again."""
        said = [row for row in await self._records.read(_said_of_papers(account)) if done(row.effect)]
        found: dict[str, tuple[datetime, Paper | None]] = {}
        for since, code, paper in sorted([*await self._seen(account), *map(_told, said)], key=lambda one: one[0]):
            found[code] = (since, paper)
        return [paper for _, (_, paper) in sorted(found.items()) if paper]

    async def mark(self, change: Change, code: str, *, at_hand: bool) -> None:
        """Note that the citizen says of a paper that it is at hand, or that it is not any more."""
        row = {"account": change.account, "paper": code, "at_hand": at_hand}
        noted = {**row, "effect": change.effect, "created_at": self._clock()}
        done = "paper_marked" if at_hand else "paper_removed"
        async with self._records.transaction() as transaction:
            begun = await self._begin(transaction, change.account, change.effect)
            if begun and await self._once(transaction, profile_papers, noted):
                await self._audit.note(transaction, _act(change, done, code))

    async def _begin(self, transaction: Transaction, account: int, effect: str) -> bool:
        """Whether something is to be done to the account; what is done to it at once is done one by one."""
        await transaction.execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update())
        return await still_open(transaction, account, effect)

    async def _insert(self, transaction: Transaction, change: Change, key: str, value: str) -> bool:
        """Whether this is the first time that this key comes with this effect; what was known before is blanked then."""
        row = {"account": change.account, "key": key, "effect": change.effect, "created_at": self._clock()}
        held = {} if key == NAME else self._held(change.account, key, value)
        if not await self._once(transaction, profile_facts, {**_NOTHING, **row, **held}):
            return False
        before = (profile_facts.c.account == change.account, profile_facts.c.key == key)
        earlier = profile_facts.c.effect != change.effect
        await transaction.execute(update(profile_facts).where(*before, earlier).values(_NOTHING))
        return True

    async def _once(self, transaction: Transaction, table: Any, row: Mapping[str, Any]) -> bool:
        inserted = self._records.insert_once(table).returning(table.c.id)
        return (await transaction.execute(inserted, row)).scalar_one_or_none() is not None

    def _held(self, account: int, key: str, value: str) -> Mapping[str, Any]:
        if not value:
            return {}
        if key in IDENTITIES:
            return {"digest": self._digest(key, value), "last_four": value[-answers.LAST_SHOWN :]}
        return {"value": self._seal.close(value.encode(), _about(account, key))}

    def _shown(self, row: Row[Any]) -> str:
        if row.last_four:
            return f"XXXX {row.last_four}"
        return self._seal.open(row.value, _about(row.account, row.key)).decode()

    def _digest(self, key: str, value: str) -> str:
        return self._seal.name(f"profile {key}", value)

    async def _seen(self, account: int) -> Sequence[tuple[datetime, str, Paper]]:
        """Papers of applications whose office has looked at them."""
        columns = (applications.c.service, applications.c.tracking_number, applications.c.changed_at)
        finished = select(*columns).where(applications.c.account == account, applications.c.status.in_(SEEN))
        return [
            (row.changed_at, code, Paper(code, row.changed_at, "application", row.tracking_number))
            for row in await self._records.read(finished)
            for code in self._papers_of(row.service)
        ]


_NOTHING: Final[Mapping[str, Any]] = {"value": None, "digest": None, "last_four": None}


def _of(account: int) -> Select[Any]:
    """What is known of the account now."""
    held = profile_facts.c.value.is_not(None) | profile_facts.c.digest.is_not(None)
    return select(profile_facts).where(profile_facts.c.account == account, held)


def _said_of_papers(account: int) -> Select[Any]:
    return select(profile_papers).where(profile_papers.c.account == account).order_by(profile_papers.c.id)


def _told(row: Row[Any]) -> tuple[datetime, str, Paper | None]:
    paper = Paper(row.paper, row.created_at, "told") if row.at_hand else None
    return row.created_at, row.paper, paper


def _act(change: Change, done: str, what: str) -> Act:
    who = Who("citizen", str(change.account), change.channel)
    return act_of(who, "profile_changed", "account", who.id, change.effect, done=done, what=what)


def _about(account: int, key: str) -> str:
    return f"profile:{account}:{key}"
