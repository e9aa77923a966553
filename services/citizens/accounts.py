"""Citizens' accounts: the language of a caller, registration, sign-in, and recovery of a forgotten PIN.

Every change carries an idempotency key: a repeated key changes nothing and gets the first result.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, union_all, update

from core.crypto import Cipher
from core.idempotency import session_of_key
from core.pin_policy import generate_pin
from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import account_events, accounts, callers, security_answers
from services.audit.audit import AuditLog, build_audit_entry, citizen_actor
from services.citizens.account_access import AccountAccess
from services.citizens.account_notices import AccountNotices
from services.citizens.closed_accounts import ensure_account_open
from services.citizens.language_choices import LanguageChoices
from services.citizens.models import (
    AccountHolder,
    NewAccount,
    NumberTakenError,
    RecoveryResult,
    SignInResult,
)
from services.citizens.pending_pin import RecoveryPolicy
from services.citizens.pending_registrations import (
    PendingRegistrations,
    account_associated_data,
    discard_pending_registration,
)
from services.citizens.pin_changes import PinChanges
from services.citizens.pins import SecretHasher
from services.citizens.session_epoch import SessionEpoch, raised_epoch_columns
from services.citizens.sign_in import AccountSignIn, unlocked_columns
from services.messaging.messages import Messages
from services.messaging.models import Message


class Accounts:
    """The language choices of callers, and the accounts of citizens."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        hasher: SecretHasher,
        cipher: Cipher,
        render_text: TextRenderer,
        *,
        recovery_policy: RecoveryPolicy | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._hasher = hasher
        self._cipher = cipher
        self._render_text = render_text
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self.notices = AccountNotices(database, messages, render_text, clock=clock)
        self.registrations = PendingRegistrations(database, messages, hasher, cipher, render_text, clock=clock)
        self._sign_in = AccountSignIn(database, hasher, self._audit, self.notices, self.registrations, clock=clock)
        self.guessing_alarms = self._sign_in.guessing_alarms
        self.pin_changes = PinChanges(
            database, self._audit, self.notices, recovery_policy or RecoveryPolicy(), clock=clock
        )
        self.access = AccountAccess(database, self._audit, self.notices, clock=clock)
        self.find_session_end = self.access.find_session_end
        self.languages = LanguageChoices(database, clock=clock)
        self.find_language_choice = self.languages.find
        self.choose_language = self.languages.choose

    async def get_language(self, account: int) -> str:
        """The language of messages to an account: the caller's latest choice, else the language of the registration."""
        language = func.coalesce(callers.c.language, accounts.c.language)
        with_choice = accounts.outerjoin(callers, callers.c.msisdn == accounts.c.msisdn)
        query = select(language).select_from(with_choice).where(accounts.c.id == account)
        return str((await self._database.fetch(query)).scalar_one())

    async def set_questions(
        self, account: int, questions: Sequence[tuple[str, str]], idempotency_key: str, *, vouched: bool
    ) -> int:
        """Replace the security questions, pairs of a question's code and the hash of its answer; tell the citizen by SMS.

        It ends every other sign-in. The epoch that this session holds from now on, as from `change_pin`.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        async with self._database.transaction() as transaction:
            query = select(accounts.c.id).where(accounts.c.id == account).with_for_update()
            await transaction.execute(query)
            by_key = (account_events.c.idempotency_key == idempotency_key, account_events.c.account == account)
            earlier = select(account_events.c.epoch).where(*by_key, account_events.c.kind == "questions_set")
            if (event := (await transaction.execute(earlier)).one_or_none()) is not None:
                return int(event.epoch)
            if not await ensure_account_open(transaction, account, idempotency_key):
                return 0
            former = delete(security_answers).where(security_answers.c.account == account)
            if (await transaction.execute(former)).rowcount:  # a replayed path finds that there were questions before
                values: dict[str, Any] = {"account": account, "outcome": "done", "epoch": 0}
                await self._insert_event(transaction, "questions_set", f"account:{account}", values)
            await self._insert_answers(transaction, account, questions)
            raised = raised_epoch_columns(accounts, session_of_key(idempotency_key))
            change = update(accounts).where(accounts.c.id == account).values(raised).returning(accounts)
            row = (await transaction.execute(change)).one()
            epoch = SessionEpoch(row.epoch, row.lockouts if vouched else row.unvouched_lockouts).pack()
            values = {"account": account, "outcome": "done", "epoch": epoch}
            await self._insert_event(transaction, "questions_set", idempotency_key, values)
            await self._record_audit(transaction, "questions_given", account, idempotency_key)
            await self.notices.queue(transaction, account, "questions_set", idempotency_key)
        return epoch

    async def list_question_keys(self, account: int) -> Sequence[str]:
        """The idempotency keys under which the account got security questions; "" where it has some of unknown time.

        Those of a closed account, whose answers are erased, are for a replayed path.
        """
        answers = select(security_answers.c.account).where(security_answers.c.account == account)
        closed = select(accounts.c.id).where(accounts.c.id == account, accounts.c.closed_at.is_not(None))
        if (await self._database.fetch(union_all(answers, closed))).first() is None:
            return ()
        of_account = (account_events.c.account == account, account_events.c.kind == "questions_set")
        keys = (await self._database.fetch(select(account_events.c.idempotency_key).where(*of_account))).scalars().all()
        return keys or ("",)

    async def has_account(self, msisdn: str) -> bool:
        """Whether this MSISDN has an account."""
        return bool(await self.find_account(msisdn))

    async def find_account(self, msisdn: str) -> int:
        """The account of this MSISDN; 0 where it has none."""
        result = await self._database.fetch(select(accounts.c.id).where(accounts.c.msisdn == msisdn))
        return int(result.scalar_one_or_none() or 0)

    async def find_registration_key(self, msisdn: str) -> str | None:
        """The idempotency key of the registration of this MSISDN's account; None where it has no account."""
        query = select(account_events.c.idempotency_key).join(accounts).where(accounts.c.msisdn == msisdn)
        result = await self._database.fetch(query.where(account_events.c.kind == "registered"))
        return result.scalar_one_or_none()

    async def find_closed_registration_key(self, session: str) -> str | None:
        """The idempotency key of the registration of the account closed in this session; None where none is closed in it.

        A replayed path needs it: it passes the sign-in to that account again.
        """
        closings = select(account_events.c.account).where(account_events.c.idempotency_key == session)
        account = closings.where(account_events.c.kind == "closed_in").scalar_subquery()
        query = select(account_events.c.idempotency_key).where(account_events.c.account == account)
        result = await self._database.fetch(query.where(account_events.c.kind == "registered"))
        return result.scalar_one_or_none()

    async def close(self, transaction: Transaction, account: int, idempotency_key: str) -> bool:
        """Close the account within `transaction` and erase it; False where there is no open account with this id."""
        open_account = select(accounts.c.id).where(accounts.c.id == account, accounts.c.closed_at.is_(None))
        if (await transaction.execute(open_account.with_for_update())).one_or_none() is None:
            return False
        for kind, key in (("closed", idempotency_key), ("closed_in", session_of_key(idempotency_key))):
            await self._insert_event(transaction, kind, key, {"account": account, "outcome": "done"})
        erased = {"msisdn": f"#{account}", "name": b"", "pin_hash": "", "closed_at": self._clock()}
        raised = raised_epoch_columns(accounts, session_of_key(idempotency_key))
        values = {**erased, **unlocked_columns(), **raised}
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(values))
        await transaction.execute(delete(security_answers).where(security_answers.c.account == account))
        return True

    async def forget_session_language(self, msisdn: str, idempotency_key: str) -> None:
        """Delete the language choice of this MSISDN, where it is made in the session of the key; a later choice stays."""
        session = session_of_key(idempotency_key)
        async with self._database.transaction() as transaction:
            await transaction.execute(delete(callers).where(callers.c.msisdn == msisdn, callers.c.session == session))

    async def holder_name(self, account: int) -> str:
        """The name of the account's holder; empty once the account is closed."""
        holder = await self.find_holder(account)
        return holder.name if holder else ""

    async def find_holder(self, account: int) -> AccountHolder | None:
        """The account's holder; None once the account is closed."""
        query = select(accounts).where(accounts.c.id == account, accounts.c.closed_at.is_(None))
        row = (await self._database.fetch(query)).one_or_none()
        if row is None:
            return None
        name = self._cipher.decrypt(row.name, account_associated_data(row.msisdn)).decode()
        return AccountHolder(account, row.msisdn, name)

    async def rename_holder(self, transaction: Transaction, account: int, name: str) -> None:
        """Change the holder's name within `transaction`."""
        query = select(accounts.c.msisdn).where(accounts.c.id == account).with_for_update()
        msisdn = (await transaction.execute(query)).scalar_one()
        encrypted = self._cipher.encrypt(name.encode(), account_associated_data(msisdn))
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(name=encrypted))

    async def hash_secret(self, secret: str) -> str:
        """The hash of a PIN or of an answer to a security question."""
        return await self._hasher.hash(secret)

    async def verify_secret(self, secret: str, secret_hash: str) -> bool:
        """Whether `secret` matches the hash, however it is spelled."""
        return await self._hasher.verify(secret, secret_hash)

    async def register(self, new_account: NewAccount, idempotency_key: str, *, session: str = "") -> int:
        """Create an account; its id, or 0 where the gateway generates the PIN and sends it by SMS.

        `session` is that of the caller, where the key may come from an earlier one: the PIN chosen now may be another then.

        Raises:
            NumberTakenError: the MSISDN has an account that was created under another key, or in another session.
        """
        pin = "" if new_account.pin_hash else generate_pin()
        pin_hash = new_account.pin_hash or await self._hasher.hash(pin)
        async with self._database.transaction() as transaction:
            if await _is_closed_registration(transaction, idempotency_key):
                return await _find_earlier_registration(transaction, new_account.msisdn, idempotency_key)
            account = await self._insert_account(transaction, new_account, pin_hash)
            if account is None and session not in {"", session_of_key(idempotency_key)}:
                raise NumberTakenError
            if account is None:
                return await _find_earlier_registration(transaction, new_account.msisdn, idempotency_key)
            await discard_pending_registration(transaction, new_account.msisdn)
            await self._insert_answers(transaction, account, new_account.questions)
            outcome = "pin_sent" if pin else "in"
            event = {"account": account, "outcome": outcome}
            await self._insert_event(transaction, "registered", idempotency_key, event)
            if new_account.questions:
                await self._insert_event(transaction, "questions_set", idempotency_key, {**event, "epoch": 0})
            await self._record_audit(transaction, "registered", account, idempotency_key)
            if pin:
                text = self._render_first_pin(new_account, pin)
                await self._messages.enqueue(
                    transaction, Message(new_account.msisdn, text, "pin", f"{idempotency_key}/pin")
                )
        return 0 if pin else account

    def _render_first_pin(self, new_account: NewAccount, pin: str) -> str:
        """The SMS with a PIN that the gateway made; it says which operator registered the citizen."""
        by = new_account.registered_by
        if by is None:
            return self._render_text(new_account.language, "pin", {"pin": pin})
        facts = {"pin": pin, "who": by["who"], "operator": by["operator"]}
        return self._render_text(new_account.language, "pin_by_operator", facts)

    async def sign_in(self, msisdn: str, pin: str, idempotency_key: str, *, vouched: bool) -> SignInResult:
        """Sign in with a PIN. An MSISDN without an account costs the same time as a wrong PIN.

        `vouched`: the network vouches for the MSISDN; see `services.citizens.lockout`.
        """
        return await self._sign_in.attempt("pin", msisdn, (pin,), idempotency_key, vouched=vouched)

    async def get_questions(self, msisdn: str) -> tuple[str, ...]:
        """The codes of the security questions, in the order of their answers; empty where there is no account."""
        query = select(security_answers.c.question).join(accounts).where(accounts.c.msisdn == msisdn)
        return tuple((await self._database.fetch(query.order_by(security_answers.c.place))).scalars())

    async def sign_in_by_answers(
        self, msisdn: str, answers: Sequence[str], idempotency_key: str, *, vouched: bool
    ) -> SignInResult:
        """Sign in with the answers to the security questions, in their order; all must be right."""
        return await self._sign_in.attempt("answers", msisdn, answers, idempotency_key, vouched=vouched)

    async def change_pin(self, account: int, pin_hash: str, idempotency_key: str, *, vouched: bool) -> int:
        """Replace the PIN, unlock the account, end every other sign-in, and notify the citizen by SMS.

        The epoch that this session holds from now on; a repeated key returns the first one. The session may as well keep the
        epoch of its sign-in.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        return await self.pin_changes.change(account, pin_hash, idempotency_key, vouched=vouched)

    async def recover_pin(self, account: int, pin_hash: str, idempotency_key: str, *, vouched: bool) -> RecoveryResult:
        """Replace a forgotten PIN like `change_pin`; after a notice, where the account was not used for long.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        return await self.pin_changes.recover(account, pin_hash, idempotency_key, vouched=vouched)

    async def send_recovered_pin(self, account: int, idempotency_key: str, *, vouched: bool) -> RecoveryResult:
        """Replace a forgotten PIN like `recover_pin` by one that the gateway makes and sends by SMS.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        pin = generate_pin()
        pin_hash = await self._hasher.hash(pin)
        return await self.pin_changes.recover(account, pin_hash, idempotency_key, vouched=vouched, pin=pin)

    async def cancel_recovery(self, msisdn: str, idempotency_key: str) -> bool:
        """Drop the recovered PIN of this number that waits for its notice to end; False where none does."""
        return await self.pin_changes.cancel_pending(msisdn, idempotency_key)

    async def _insert_account(self, transaction: Transaction, new_account: NewAccount, pin_hash: str) -> int | None:
        row = {
            "msisdn": new_account.msisdn,
            "name": self._cipher.encrypt(new_account.name.encode(), account_associated_data(new_account.msisdn)),
            "language": new_account.language,
            "pin_hash": pin_hash,
            "created_at": self._clock(),
            "last_used_at": self._clock(),
        }
        insert = self._database.insert_or_ignore(accounts).returning(accounts.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none()

    async def _insert_answers(
        self, transaction: Transaction, account: int, questions: Sequence[tuple[str, str]]
    ) -> None:
        rows = [
            {"account": account, "place": place, "question": question, "answer_hash": answer_hash}
            for place, (question, answer_hash) in enumerate(questions, start=1)
        ]
        if rows:
            await transaction.execute(self._database.insert(security_answers), rows)

    async def _insert_event(
        self, transaction: Transaction, kind: str, idempotency_key: str, values: Mapping[str, Any]
    ) -> bool:
        """Record an event; False where one of this kind is recorded under this key already."""
        row = {"kind": kind, "idempotency_key": idempotency_key, "created_at": self._clock(), **values}
        insert = self._database.insert_or_ignore(account_events).returning(account_events.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none() is not None

    async def _record_audit(self, transaction: Transaction, act: str, account: int, idempotency_key: str) -> None:
        actor = citizen_actor(account, idempotency_key)
        entry = build_audit_entry(actor, act, "account", str(account), idempotency_key)
        await self._audit.record(transaction, entry)


async def _find_earlier_registration(transaction: Transaction, msisdn: str, idempotency_key: str) -> int:
    query = (
        select(account_events.c.account, account_events.c.outcome)
        .join(accounts)
        .where(account_events.c.idempotency_key == idempotency_key, account_events.c.kind == "registered")
        .where(or_(accounts.c.msisdn == msisdn, accounts.c.closed_at.is_not(None)))
    )
    row = (await transaction.execute(query)).one_or_none()
    if row is None:
        raise NumberTakenError
    return int(row.account) if row.outcome == "in" else 0


async def _is_closed_registration(transaction: Transaction, idempotency_key: str) -> bool:
    """Whether the account registered under this key is closed: its MSISDN is free, and a second account could be created."""
    query = select(accounts.c.id).join(account_events).where(account_events.c.idempotency_key == idempotency_key)
    closed = query.where(account_events.c.kind == "registered", accounts.c.closed_at.is_not(None))
    return (await transaction.execute(closed)).first() is not None
