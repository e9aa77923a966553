"""The e-mail address of an account: set, then verified by a link that is sent to it. Only verified addresses get messages.

Every change carries an idempotency key and happens once. The database has the address encrypted, and a keyed hash of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Executable, Row, Select, delete, func, select, update

from core.crypto import Cipher
from core.idempotency import IsPast
from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import accounts, email_events, emails
from services.audit.audit import AuditLog, build_audit_entry, citizen_actor
from services.audit.models import Actor
from services.citizens.account_notices import AccountNotices
from services.citizens.closed_accounts import ensure_account_open
from services.citizens.models import Email, LinkOutcome
from services.messaging.links import Links
from services.messaging.messages import Messages
from services.messaging.models import Message

LINK_TTL: Final = timedelta(days=3)
LINK_MAX_OPENS: Final = 20
ADDRESS_DIGITS: Final = 12  # of the keyed hash, enough to tell a corrected address from the one before
"""A mail program, a virus scanner and a browser may open a link before the person does."""
MAX_LINKS: Final = 5
"""Links to one address, and for one account, within LINK_LIMIT_WINDOW: the form must not send unwanted e-mail."""
LINK_LIMIT_WINDOW: Final = timedelta(days=1)

LinkRequestKind: TypeAlias = Literal["given", "again"]


class EmailEvent(NamedTuple):
    """A change of an address, and its outcome."""

    account: int
    digest: str
    kind: Literal["given", "again", "removed"]
    outcome: Literal["sent", "too_many", "verified", "done"]


class Emails:
    """The e-mail addresses of accounts, in the form that `menus.validators.email` returns: in lower case."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        links: Links,
        cipher: Cipher,
        render_email: TextRenderer,
        *,
        notices: AccountNotices,
        clock: UtcClock = utc_now,
    ) -> None:
        """The first line of a text of `render_email` is the subject."""
        self._database = database
        self._messages = messages
        self._links = links
        self._cipher = cipher
        self._render_email = render_email
        self._notices = notices
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def get(self, account: int) -> Email | None:
        """The address of an account, verified or not; None without one."""
        return self._email_from_row((await self._database.fetch(_select_email(account))).one_or_none())

    async def get_as_of(self, account: int, is_past: IsPast) -> Email | None:
        """The address that an account had after the changes whose keys are past, for a replayed path.

        An address that was removed since is empty.
        """
        events = await self._database.fetch(_address_changes_query(account))
        latest = next((event.kind for event in events if is_past(event.idempotency_key)), "removed")
        return None if latest == "removed" else await self.get(account) or Email("", "en", verified=False)

    async def set_address(self, account: int, address: str, language: str, idempotency_key: str) -> LinkOutcome:
        """Set the address of an account and send a link to it, unless it is `verified` already.

        `too_many`: the address or the account reached MAX_LINKS, and the account keeps its address.

        Raises:
            AccountClosedError: another session closed the account.
        """
        return await self._send_link(account, address, language, "given", idempotency_key)

    async def resend_link(self, account: int, language: str, idempotency_key: str) -> LinkOutcome | Literal["none"]:
        """Send another link to the account's address; `none` where it has no address.

        Raises:
            AccountClosedError: another session closed the account.
        """
        earlier: LinkOutcome | None = (
            await self._database.fetch(_outcome_query(idempotency_key, "again"))
        ).scalar_one_or_none()
        if earlier:
            return earlier
        row = (await self._database.fetch(_select_email(account))).one_or_none()
        if row is None:
            return "none"
        address = self._decrypt_address(row)
        return await self._send_link(account, address, language, "again", idempotency_key, stored_digest=row.digest)

    async def remove(self, account: int, idempotency_key: str) -> None:
        """Delete the account's address."""
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_email(account).with_for_update())).one_or_none()
            if row is None:
                return
            event = EmailEvent(account, row.digest, "removed", "done")
            if await self._insert_event(transaction, event, idempotency_key):
                await transaction.execute(delete(emails).where(emails.c.account == account))
                actor = citizen_actor(account, idempotency_key)
                await self._record_audit(transaction, "email_removed", actor, account, idempotency_key)
                await self._notices.queue(transaction, account, "email_removed", idempotency_key)

    async def for_link(self, subject: str) -> Email | None:
        """The address that a link with this subject verifies; None where the account has another address by now."""
        return self._email_from_row((await self._database.fetch(_select_linked_email(subject))).one_or_none())

    async def verify(self, subject: str) -> Email | None:
        """Mark the address of the link as verified, and return it; None where the account has another address by now."""
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_linked_email(subject).with_for_update())).one_or_none()
            if row and row.verified_at is None:
                change = update(emails).where(emails.c.account == row.account).values(verified_at=self._clock())
                await transaction.execute(change)
                actor = Actor("citizen", str(row.account), "web")
                key = f"email:{row.account}:{row.given_at.isoformat()}"
                await self._record_audit(transaction, "email_verified", actor, row.account, key)
        email = self._email_from_row(row)
        return replace(email, verified=True) if email else None

    async def queue_receipt(
        self, transaction: Transaction, account: int, language: str, facts: Mapping[str, object], idempotency_key: str
    ) -> None:
        """Queue the receipt of an application within `transaction`, if the account has a verified address."""
        await self.queue_email(transaction, account, self._render_email(language, "received", facts), idempotency_key)

    async def queue_email(self, transaction: Transaction, account: int, text: str, idempotency_key: str) -> None:
        """Queue an e-mail within `transaction`, if the account has a verified address."""
        email = self._email_from_row((await transaction.execute(_select_email(account))).one_or_none())
        if email and email.verified:
            message = Message(email.address, text, "receipt", f"{idempotency_key}/email", "email")
            await self._messages.enqueue(transaction, message)

    async def _send_link(
        self,
        account: int,
        address: str,
        language: str,
        kind: LinkRequestKind,
        idempotency_key: str,
        *,
        stored_digest: str = "",
    ) -> LinkOutcome:
        digests = self._cipher.keyed_hashes("email", address)
        digest = stored_digest or digests[0]
        # The link is committed first. If this transaction fails, no one has seen the link, and a retry gets the same one.
        if kind == "given":  # another address is another act, also where it is typed for the same intention
            idempotency_key = f"{idempotency_key}/{digest[:ADDRESS_DIGITS]}"
        link = await self._links.create("email", f"{account} {digest}", LINK_TTL, LINK_MAX_OPENS, idempotency_key)
        text = self._render_email(language, "verify", {"link": self._links.url(link)})
        async with self._database.transaction() as transaction:
            await transaction.execute(_lock_account(account))
            if not await ensure_account_open(transaction, account, idempotency_key):
                return "sent"  # as the first time, before the account was closed
            earlier: LinkOutcome | None = (
                await transaction.execute(_outcome_query(idempotency_key, kind))
            ).scalar_one_or_none()
            if earlier:
                return earlier
            outcome = await self._decide(transaction, account, digests)
            await self._insert_event(transaction, EmailEvent(account, digest, kind, outcome), idempotency_key)
            if outcome == "sent":
                if kind == "given":
                    await self._upsert_address(transaction, account, address, digest, language)
                    actor = citizen_actor(account, idempotency_key)
                    await self._record_audit(transaction, "email_given", actor, account, idempotency_key)
                    await self._notices.queue(transaction, account, "email_set", idempotency_key)
                message = Message(address, text, "link", f"{idempotency_key}/email", "email")
                await self._messages.enqueue(transaction, message)
        return outcome

    async def _decide(self, transaction: Transaction, account: int, digests: Sequence[str]) -> LinkOutcome:
        row = (await transaction.execute(_select_email(account))).one_or_none()
        if row and row.digest in digests and row.verified_at:
            return "verified"
        for condition in (email_events.c.account == account, email_events.c.digest.in_(digests)):
            sent = await transaction.execute(_sent_links_count(condition, self._clock() - LINK_LIMIT_WINDOW))
            if sent.scalar_one() >= MAX_LINKS:
                return "too_many"
        return "sent"

    async def _upsert_address(
        self, transaction: Transaction, account: int, address: str, digest: str, language: str
    ) -> None:
        """Replace the address that the account had."""
        values = {
            "address": self._cipher.encrypt(address.encode(), _associated_data(account)),
            "digest": digest,
            "language": language,
            "given_at": self._clock(),
            "verified_at": None,
        }
        insert = self._database.insert(emails).values(account=account, **values)
        await transaction.execute(insert.on_conflict_do_update(index_elements=[emails.c.account], set_=values))

    async def _insert_event(self, transaction: Transaction, event: EmailEvent, idempotency_key: str) -> bool:
        """Record an event; False where one of this kind is recorded under this key already."""
        insert = self._database.insert_or_ignore(email_events).returning(email_events.c.id)
        row = {**event._asdict(), "idempotency_key": idempotency_key, "created_at": self._clock()}
        return (await transaction.execute(insert, row)).scalar_one_or_none() is not None

    async def _record_audit(
        self, transaction: Transaction, act: str, actor: Actor, account: int, idempotency_key: str
    ) -> None:
        await self._audit.record(transaction, build_audit_entry(actor, act, "account", str(account), idempotency_key))

    def _email_from_row(self, row: Row[Any] | None) -> Email | None:
        if row is None:
            return None
        return Email(self._decrypt_address(row), row.language, row.verified_at is not None)

    def _decrypt_address(self, row: Row[Any]) -> str:
        return self._cipher.decrypt(row.address, _associated_data(row.account)).decode()


def _select_email(account: int) -> Select[Any]:
    return select(emails).where(emails.c.account == account)


def _select_linked_email(subject: str) -> Select[Any]:
    """The account's address, if it is the one that the link was sent to."""
    account, _, digest = subject.partition(" ")
    return _select_email(int(account)).where(emails.c.digest == digest)


def _lock_account(account: int) -> Executable:
    """Lock the account until the end of the transaction: concurrent requests are counted one by one."""
    return select(accounts.c.id).where(accounts.c.id == account).with_for_update()


def _outcome_query(idempotency_key: str, kind: LinkRequestKind) -> Select[Any]:
    return select(email_events.c.outcome).where(
        email_events.c.idempotency_key == idempotency_key, email_events.c.kind == kind
    )


def _address_changes_query(account: int) -> Select[Any]:
    """The latest changes of the account's address, newest first; one session cannot make as many."""
    changes = (email_events.c.kind != "again", email_events.c.outcome.in_(("sent", "done")))
    query = select(email_events.c.kind, email_events.c.idempotency_key).where(
        email_events.c.account == account, *changes
    )
    return query.order_by(email_events.c.id.desc()).limit(20)


def _sent_links_count(condition: Any, after: datetime) -> Select[int]:
    sent = (email_events.c.outcome == "sent", email_events.c.created_at > after)
    return select(func.count()).select_from(email_events).where(condition, *sent)


def _associated_data(account: int) -> str:
    return f"email:{account}"
