"""Registrations that wait for their PIN: the number gets a PIN by SMS, and an account once somebody types it.

So a registration in the name of a number that is not the sender's creates nothing: it expires, or the next one replaces it.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, select, update

from core.crypto import Cipher
from core.phone_numbers import mask_number
from core.pin_policy import generate_pin
from core.types import TextRenderer, UtcClock
from db.database import Database, Transaction
from db.tables import account_events, accounts, pending_registrations
from services.audit.audit import AuditLog, build_audit_entry, citizen_actor
from services.audit.staff_acts import StaffAct
from services.citizens.models import NumberTakenError
from services.citizens.pins import SecretHasher
from services.messaging.messages import Messages
from services.messaging.models import Message

REGISTRATION_TTL: Final = timedelta(hours=24)
"""As long as the SMS with the PIN may take."""
MAX_PENDING_ATTEMPTS: Final = 5


class PendingRegistrations:
    """Starts registrations, and creates the account of the one whose PIN was typed."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        hasher: SecretHasher,
        cipher: Cipher,
        render_text: TextRenderer,
        *,
        clock: UtcClock,
    ) -> None:
        self._database = database
        self._messages = messages
        self._hasher = hasher
        self._cipher = cipher
        self._render_text = render_text
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def start(self, msisdn: str, name: str, language: str, idempotency_key: str) -> None:
        """Send a PIN to the number, and keep the registration for REGISTRATION_TTL; it replaces an earlier one.

        Raises:
            NumberTakenError: the number has an account.
        """
        pin = generate_pin()
        values = {
            "name": self._cipher.encrypt(name.encode(), account_associated_data(msisdn)),
            "language": language,
            "pin_hash": await self._hasher.hash(pin),
            "failures": 0,
            "idempotency_key": idempotency_key,
            "expires_at": self._clock() + REGISTRATION_TTL,
        }
        insert = self._database.insert(pending_registrations).values(msisdn=msisdn, **values)
        async with self._database.transaction() as transaction:
            if not await self._insert_event(transaction, "registering", idempotency_key, None, "sent"):
                return  # as the first time, though the account may exist by now
            account = await transaction.execute(select(accounts.c.id).where(accounts.c.msisdn == msisdn))
            if account.first() is not None:
                raise NumberTakenError
            await transaction.execute(
                insert.on_conflict_do_update(index_elements=[pending_registrations.c.msisdn], set_=values)
            )
            text = self._render_text(language, "pin", {"pin": pin})
            await self._messages.enqueue(transaction, Message(msisdn, text, "pin", f"{idempotency_key}/pin"))

    async def send_new_pin(self, msisdn: str, act: StaffAct) -> bool:
        """Send another PIN to the number whose registration waits for one, for the helpdesk; False where none waits."""
        pin = generate_pin()
        pin_hash = await self._hasher.hash(pin)
        async with self._database.transaction() as transaction:
            registration = await self.lock(transaction, msisdn)
            if registration is None:
                return False
            values = {"pin_hash": pin_hash, "failures": 0, "expires_at": self._clock() + REGISTRATION_TTL}
            by_number = pending_registrations.c.msisdn == msisdn
            await transaction.execute(update(pending_registrations).where(by_number).values(values))
            key = act.idempotency_key
            text = self._render_text(registration.language, "support_pin", {"pin": pin})
            await self._messages.enqueue(transaction, Message(msisdn, text, "pin", f"{key}/pin"))
            entry = build_audit_entry(act.actor, "pin_reset", "number", mask_number(msisdn), key, reason=act.reason)
            await self._audit.record(transaction, entry)
        return True

    async def find_key(self, msisdn: str) -> str | None:
        """The idempotency key of the registration that waits for its PIN; None where none does."""
        row = await self.find(msisdn)
        return row.idempotency_key if row else None

    async def find(self, msisdn: str) -> Row[Any] | None:
        """The registration that waits for its PIN."""
        return (await self._database.fetch(self._select(msisdn))).one_or_none()

    async def lock(self, transaction: Transaction, msisdn: str) -> Row[Any] | None:
        """The same until the end of `transaction`: concurrent attempts wait."""
        return (await transaction.execute(self._select(msisdn).with_for_update())).one_or_none()

    async def create_account(self, transaction: Transaction, registration: Row[Any]) -> int:
        """Create the account whose PIN was typed; its id."""
        now = self._clock()
        row = {name: getattr(registration, name) for name in ("msisdn", "name", "language", "pin_hash")}
        insert = self._database.insert(accounts).values(**row, created_at=now, last_used_at=now)
        account: int = (await transaction.execute(insert.returning(accounts.c.id))).scalar_one()
        await self._insert_event(transaction, "registered", registration.idempotency_key, account, "in")
        actor = citizen_actor(account, registration.idempotency_key)
        entry = build_audit_entry(actor, "registered", "account", str(account), registration.idempotency_key)
        await self._audit.record(transaction, entry)
        await discard_pending_registration(transaction, registration.msisdn)
        return account

    async def count_failure(self, transaction: Transaction, registration: Row[Any]) -> int:
        """Count a wrong PIN; the attempts left. The last one deletes the registration."""
        failures: int = registration.failures + 1
        left = MAX_PENDING_ATTEMPTS - failures
        if left < 1:
            await discard_pending_registration(transaction, registration.msisdn)
            return 0
        by_number = pending_registrations.c.msisdn == registration.msisdn
        change = update(pending_registrations).where(by_number).values(failures=failures)
        await transaction.execute(change)
        return left

    def _select(self, msisdn: str) -> Any:
        waiting = (pending_registrations.c.msisdn == msisdn, pending_registrations.c.expires_at > self._clock())
        return select(pending_registrations).where(*waiting)

    async def _insert_event(
        self, transaction: Transaction, kind: str, idempotency_key: str, account: int | None, outcome: str
    ) -> bool:
        """Record an event; False where one of this kind is recorded under this key already."""
        row = {"kind": kind, "idempotency_key": idempotency_key, "account": account, "outcome": outcome}
        insert = self._database.insert_or_ignore(account_events).returning(account_events.c.id)
        result = await transaction.execute(insert, {**row, "created_at": self._clock()})
        return result.scalar_one_or_none() is not None


async def discard_pending_registration(transaction: Transaction, msisdn: str) -> None:
    """Delete the registration of this number that waits for its PIN."""
    await transaction.execute(delete(pending_registrations).where(pending_registrations.c.msisdn == msisdn))


def account_associated_data(msisdn: str) -> str:
    """What the encrypted name of an account is bound to."""
    return f"account:{msisdn}"
