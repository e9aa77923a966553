"""An account's one e-mail address: given, verified by a link that is sent there, and only then written to.

What is done under an effect is done once. In the database an address is sealed; it is found by a keyed hash.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Executable, Row, Select, delete, func, select, update

from services.audit import Audit, Who, act_of, citizen
from services.closed import still_open
from services.given import Clock, Say, Sealing, utc_now
from services.links import Links
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import accounts, email_events, emails

LIVES: Final = timedelta(days=3)
OPENS: Final = 20  # of one link: a mail program, whatever guards it and a browser may all look before a person does
LINKS: Final = 5  # in a day, to one address and for one account: nobody is written to at somebody else's pleasure
WITHIN: Final = timedelta(days=1)

Sent: TypeAlias = Literal["sent", "too_many", "verified"]
Asked: TypeAlias = Literal["given", "again"]


@dataclass(frozen=True, slots=True)
class Email:
    """An account's address, in which language it is written to, and whether it is known to be the citizen's own."""

    address: str = field(repr=False)
    language: str
    verified: bool


class Note(NamedTuple):
    """What was asked for an address, and what came of it."""

    account: int
    digest: str
    kind: Literal["given", "again", "removed"]
    outcome: Literal["sent", "too_many", "verified", "done"]


class Emails:
    """The addresses of all accounts, as `menus.checks.email` leaves them: in lower case, so that one is one."""

    def __init__(
        self, records: Records, messages: Messages, links: Links, seal: Sealing, write: Say, *, clock: Clock = utc_now
    ) -> None:
        """`write` gives the texts of letters; their first line is the subject."""
        self._records = records
        self._messages = messages
        self._links = links
        self._seal = seal
        self._write = write
        self._clock = clock
        self._audit = Audit(records, clock=clock)

    async def of(self, account: int) -> Email | None:
        """The address that this account has, verified or not."""
        return self._opened((await self._records.read(_of(account))).one_or_none())

    async def before(self, account: int, done: Callable[[str], bool]) -> Email | None:
        """The address that this account had when only that was `done` whose effects it says so of.

        For a path that is heard again. Of an address that was taken back meanwhile nothing is known any more: it is empty.
        """
        events = await self._records.read(_came_and_went(account))
        last = next((event.kind for event in events if done(event.effect)), "removed")
        return None if last == "removed" else await self.of(account) or Email("", "en", verified=False)

    async def give(self, account: int, address: str, language: str, effect: str) -> Sent:
        """Make this the account's address and send it a link. One that is `verified` already needs none.

        `too_many`: it, or the account, had its share of links for a day; the account keeps the address it had.

        Raises:
            AccountClosed: it was deleted meanwhile.
        """
        return await self._send(account, address, language, "given", effect)

    async def again(self, account: int, language: str, effect: str) -> Sent | Literal["none"]:
        """Send another link to the account's address, where it has one."""
        earlier: Sent | None = (await self._records.read(_came_of(effect, "again"))).scalar_one_or_none()
        if earlier:
            return earlier
        kept = await self.of(account)
        return await self._send(account, kept.address, language, "again", effect) if kept else "none"

    async def remove(self, account: int, effect: str) -> None:
        """Forget the account's address; nothing more is written to it."""
        async with self._records.transaction() as transaction:
            kept = (await transaction.execute(_of(account).with_for_update())).one_or_none()
            if kept and await self._note(transaction, Note(account, kept.digest, "removed", "done"), effect):
                await transaction.execute(delete(emails).where(emails.c.account == account))
                await self._act(transaction, "email_removed", citizen(account, effect), account, effect)

    async def asked_about(self, subject: str) -> Email | None:
        """The address that a link with this subject verifies; None when it is not the account's any more."""
        return self._opened((await self._records.read(_meant(subject))).one_or_none())

    async def verify(self, subject: str) -> Email | None:
        """Take it for the citizen's own, who was shown it by the link; None when it is not the account's any more."""
        async with self._records.transaction() as transaction:
            kept = (await transaction.execute(_meant(subject).with_for_update())).one_or_none()
            if kept and kept.verified_at is None:
                seen = update(emails).where(emails.c.account == kept.account).values(verified_at=self._clock())
                await transaction.execute(seen)
                who, given = (
                    Who("citizen", str(kept.account), "web"),
                    f"email:{kept.account}:{kept.given_at.isoformat()}",
                )
                await self._act(transaction, "email_verified", who, kept.account, given)
        email = self._opened(kept)
        return replace(email, verified=True) if email else None

    async def receipt(
        self, transaction: Transaction, account: int, language: str, facts: Mapping[str, object], effect: str
    ) -> None:
        """Queue an application's receipt within the transaction that records it, if the account's address is verified."""
        await self.letter(transaction, account, self._write(language, "received", facts), effect)

    async def letter(self, transaction: Transaction, account: int, text: str, effect: str) -> None:
        """Queue a letter within the transaction of what it is about, if the account's address is verified."""
        kept = self._opened((await transaction.execute(_of(account))).one_or_none())
        if kept and kept.verified:
            letter = Message(kept.address, text, "receipt", f"{effect}/email", "email")
            await self._messages.queue(transaction, letter)

    async def _send(self, account: int, address: str, language: str, asked: Asked, effect: str) -> Sent:
        digest = self._seal.name("email", address)
        # The link has a transaction of its own. If this one fails, nobody has seen it; tried again, it is the same link.
        link = await self._links.make("email", f"{account} {digest}", LIVES, OPENS, effect)
        text = self._write(language, "verify", {"link": self._links.address(link)})
        async with self._records.transaction() as transaction:
            await transaction.execute(_one_at_a_time(account))
            if not await still_open(transaction, account, effect):
                return "sent"  # when it was heard first
            earlier: Sent | None = (await transaction.execute(_came_of(effect, asked))).scalar_one_or_none()
            if earlier:
                return earlier
            outcome = await self._judged(transaction, account, digest)
            await self._note(transaction, Note(account, digest, asked, outcome), effect)
            if outcome == "sent":
                if asked == "given":
                    await self._keep(transaction, account, address, digest, language)
                    await self._act(transaction, "email_given", citizen(account, effect), account, effect)
                await self._messages.queue(transaction, Message(address, text, "link", f"{effect}/email", "email"))
        return outcome

    async def _judged(self, transaction: Transaction, account: int, digest: str) -> Sent:
        kept = (await transaction.execute(_of(account))).one_or_none()
        if kept and kept.digest == digest and kept.verified_at:
            return "verified"
        for whose in (email_events.c.account == account, email_events.c.digest == digest):
            sent = await transaction.execute(_links_sent(whose, self._clock() - WITHIN))
            if sent.scalar_one() >= LINKS:
                return "too_many"
        return "sent"

    async def _keep(self, transaction: Transaction, account: int, address: str, digest: str, language: str) -> None:
        """Verified or not, what the account had before is its address no more."""
        sealed = self._seal.close(address.encode(), _about(account))
        given = {"address": sealed, "digest": digest, "language": language, "given_at": self._clock()}
        facts = {**given, "verified_at": None}
        insert = self._records.insert(emails).values(account=account, **facts)
        await transaction.execute(insert.on_conflict_do_update(index_elements=[emails.c.account], set_=facts))

    async def _note(self, transaction: Transaction, note: Note, effect: str) -> bool:
        """Whether this is the first time that this is asked under this effect; if so it is noted."""
        noted = self._records.insert_once(email_events).returning(email_events.c.id)
        row = {**note._asdict(), "effect": effect, "created_at": self._clock()}
        return (await transaction.execute(noted, row)).scalar_one_or_none() is not None

    async def _act(self, transaction: Transaction, act: str, who: Who, account: int, effect: str) -> None:
        await self._audit.note(transaction, act_of(who, act, "account", str(account), effect))

    def _opened(self, row: Row[Any] | None) -> Email | None:
        if row is None:
            return None
        address = self._seal.open(row.address, _about(row.account)).decode()
        return Email(address, row.language, row.verified_at is not None)


def _of(account: int) -> Select[Any]:
    return select(emails).where(emails.c.account == account)


def _meant(subject: str) -> Select[Any]:
    """The account's address, if it is still the one that the link was sent to."""
    account, _, digest = subject.partition(" ")
    return _of(int(account)).where(emails.c.digest == digest)


def _one_at_a_time(account: int) -> Executable:
    """Held until the end of a transaction: what an account asks for at once is counted one by one."""
    return select(accounts.c.id).where(accounts.c.id == account).with_for_update()


def _came_of(effect: str, kind: Asked) -> Select[Any]:
    return select(email_events.c.outcome).where(email_events.c.effect == effect, email_events.c.kind == kind)


def _came_and_went(account: int) -> Select[Any]:
    """The account's latest addresses, newest first, given and taken back; more than one call can hold."""
    changes = (email_events.c.kind != "again", email_events.c.outcome.in_(("sent", "done")))
    ours = select(email_events.c.kind, email_events.c.effect).where(email_events.c.account == account, *changes)
    return ours.order_by(email_events.c.id.desc()).limit(20)


def _links_sent(whose: Any, after: datetime) -> Select[int]:
    sent = (email_events.c.outcome == "sent", email_events.c.created_at > after)
    return select(func.count()).select_from(email_events).where(whose, *sent)


def _about(account: int) -> str:
    return f"email:{account}"
