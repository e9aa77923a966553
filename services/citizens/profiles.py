"""Profiles: the answers and documents of a citizen that are kept from one form to the next.

Answers are encrypted. Of an identity number there is a keyed hash and the last four digits: it can be compared and never
be read. Every change carries an idempotency key and happens once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, Select, select, update

from core.crypto import Cipher
from core.idempotency import IsPast
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import accounts, applications, profile_facts, profile_papers
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor, AuditEntry
from services.catalogue import field_validation
from services.catalogue.profile_fields import IDENTITY_KEYS, NAME_KEY, PHONE_KEY, PROFILE_FIELDS
from services.citizens.accounts import Accounts
from services.citizens.closed_accounts import ensure_account_open
from services.citizens.models import DocumentOnFile, ProfileChange, ProfileEntry

VERIFIED_STATUSES: Final = ("approved", "ready", "delivered")
"""The statuses of applications whose documents the department has accepted."""

DocumentsLookup: TypeAlias = Callable[[str], Sequence[str]]
"""From a service's code to the codes of its required documents; empty where the catalogue has no such service."""


class Profiles:
    """Reads and changes profiles.

    Every change raises `AccountClosedError` where another session closed the account.
    """

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        audit: AuditLog,
        cipher: Cipher,
        find_documents: DocumentsLookup,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._audit = audit
        self._cipher = cipher
        self._find_documents = find_documents
        self._clock = clock

    async def get_answers(self, account: int, is_past: IsPast = lambda _: True) -> Mapping[str, str]:
        """The stored answers by profile key, without identity numbers. `is_past` limits them for a replayed path."""
        entries = await self.list_entries(account, is_past)
        return {entry.key: entry.value for entry in entries if entry.key not in IDENTITY_KEYS}

    async def list_entries(self, account: int, is_past: IsPast = lambda _: True) -> Sequence[ProfileEntry]:
        """All entries in the order of PROFILE_FIELDS; an identity number is masked, such as `XXXX 1234`."""
        holder = await self._accounts.find_holder(account)
        if holder is None:
            return ()
        rows = {
            row.key: row for row in await self._database.fetch(_select_facts(account)) if is_past(row.idempotency_key)
        }
        entries = {NAME_KEY: ProfileEntry(NAME_KEY, holder.name), PHONE_KEY: ProfileEntry(PHONE_KEY, holder.msisdn)}
        entries |= {key: ProfileEntry(key, self._display_value(row), row.created_at) for key, row in rows.items()}
        return [entries[key] for key in PROFILE_FIELDS if key in entries]

    async def identity_matches(self, account: int, key: str, value: str) -> bool:
        """Whether `value` is the identity number that the account has under `key`."""
        row = (await self._database.fetch(_select_facts(account).where(profile_facts.c.key == key))).one_or_none()
        if row is None or row.digest not in (digests := self._cipher.keyed_hashes(f"profile {key}", value)):
            return False
        if row.digest != digests[0]:
            await self._replace_digest(row.id, row.digest, digests[0])
        return True

    async def identity_hint(self, account: int, key: str) -> str:
        """The masked identity number under `key`, such as `XXXX 1234`; empty where none is known."""
        row = (await self._database.fetch(_select_facts(account).where(profile_facts.c.key == key))).one_or_none()
        return self._display_value(row) if row is not None else ""

    async def _replace_digest(self, answer: int, former: str, digest: str) -> None:
        """Store the keyed hash of an identity number again, so that the former key is not needed for it."""
        same = (profile_facts.c.id == answer, profile_facts.c.digest == former)
        async with self._database.transaction() as transaction:
            await transaction.execute(update(profile_facts).where(*same).values(digest=digest))

    async def set_answer(self, change: ProfileChange, key: str, value: str) -> None:
        """Replace an answer. `value` has the form that `field_validation` returns."""
        async with self._database.transaction() as transaction:
            if not await self._lock_open_account(transaction, change.account, change.idempotency_key):
                return
            if not await self._insert_answer(transaction, change, key, value):
                return
            if key == NAME_KEY:
                await self._accounts.rename_holder(transaction, change.account, value)
            await self._audit.record(transaction, _build_audit_entry(change, "kept", key))

    async def delete_answer(self, change: ProfileChange, key: str) -> None:
        """Delete an answer; the name stays, since every account has one."""
        if key == NAME_KEY:
            return
        async with self._database.transaction() as transaction:
            is_open = await self._lock_open_account(transaction, change.account, change.idempotency_key)
            if is_open and await self._insert_answer(transaction, change, key, ""):
                await self._audit.record(transaction, _build_audit_entry(change, "forgotten", key))

    async def add_missing_answers(
        self, transaction: Transaction, account: int, answers_by_key: Mapping[str, str], idempotency_key: str
    ) -> None:
        """Store the answers of a form that the profile does not have, within `transaction`."""
        answers = {
            key: value
            for key, value in answers_by_key.items()
            if value and key in PROFILE_FIELDS and key not in {NAME_KEY, PHONE_KEY}
        }
        if not answers or not await self._lock_open_account(transaction, account, idempotency_key):
            return
        known = {row.key for row in await transaction.execute(_select_facts(account))}
        for key in answers.keys() - known:
            await self._insert_answer(transaction, ProfileChange(account, "", idempotency_key), key, answers[key])

    async def document_codes(self, account: int) -> frozenset[str]:
        """The codes of the documents on file."""
        return frozenset(document.code for document in await self.list_documents(account))

    async def list_documents(self, account: int, is_past: IsPast = lambda _: True) -> Sequence[DocumentOnFile]:
        """The documents on file, by code. `is_past` limits them for a replayed path."""
        rows = [row for row in await self._database.fetch(_select_documents(account)) if is_past(row.idempotency_key)]
        changes = [*await self._documents_from_applications(account), *map(_document_from_row, rows)]
        latest = {code: document for _, code, document in sorted(changes, key=lambda change: change[0])}
        return [document for _, document in sorted(latest.items()) if document]

    async def mark_document(self, change: ProfileChange, code: str, *, at_hand: bool) -> None:
        """Record whether the citizen says that a document is at hand."""
        row = {
            "account": change.account,
            "paper": code,
            "at_hand": at_hand,
            "idempotency_key": change.idempotency_key,
            "created_at": self._clock(),
        }
        change_kind = "paper_marked" if at_hand else "paper_removed"
        async with self._database.transaction() as transaction:
            is_open = await self._lock_open_account(transaction, change.account, change.idempotency_key)
            if is_open and await self._insert_once(transaction, profile_papers, row):
                await self._audit.record(transaction, _build_audit_entry(change, change_kind, code))

    async def _lock_open_account(self, transaction: Transaction, account: int, idempotency_key: str) -> bool:
        """Lock the account, so that concurrent changes run one by one; False where this session closed it."""
        await transaction.execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update())
        return await ensure_account_open(transaction, account, idempotency_key)

    async def _insert_answer(self, transaction: Transaction, change: ProfileChange, key: str, value: str) -> bool:
        """Insert an answer and blank earlier ones; False where the idempotency key is repeated."""
        row = {
            "account": change.account,
            "key": key,
            "idempotency_key": change.idempotency_key,
            "created_at": self._clock(),
        }
        columns = {} if key == NAME_KEY else self._answer_columns(change.account, key, value)
        if not await self._insert_once(transaction, profile_facts, {**_BLANK_ANSWER, **row, **columns}):
            return False
        before = (profile_facts.c.account == change.account, profile_facts.c.key == key)
        earlier = profile_facts.c.idempotency_key != change.idempotency_key
        await transaction.execute(update(profile_facts).where(*before, earlier).values(_BLANK_ANSWER))
        return True

    async def _insert_once(self, transaction: Transaction, table: Any, row: Mapping[str, Any]) -> bool:
        insert = self._database.insert_or_ignore(table).returning(table.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none() is not None

    def _answer_columns(self, account: int, key: str, value: str) -> Mapping[str, Any]:
        if not value:
            return {}
        if key in IDENTITY_KEYS:
            return {"digest": self._digest(key, value), "last_four": value[-field_validation.VISIBLE_DIGITS :]}
        return {"value": self._cipher.encrypt(value.encode(), _associated_data(account, key))}

    def _display_value(self, row: Row[Any]) -> str:
        if row.last_four:
            return f"XXXX {row.last_four}"
        return self._cipher.decrypt(row.value, _associated_data(row.account, row.key)).decode()

    def _digest(self, key: str, value: str) -> str:
        return self._cipher.keyed_hash(f"profile {key}", value)

    async def _documents_from_applications(self, account: int) -> Sequence[tuple[datetime, str, DocumentOnFile]]:
        """The documents of applications in VERIFIED_STATUSES: time, code, document."""
        columns = (applications.c.service, applications.c.tracking_number, applications.c.changed_at)
        query = select(*columns).where(applications.c.account == account, applications.c.status.in_(VERIFIED_STATUSES))
        return [
            (row.changed_at, code, DocumentOnFile(code, row.changed_at, "application", row.tracking_number))
            for row in await self._database.fetch(query)
            for code in self._find_documents(row.service)
        ]


_BLANK_ANSWER: Final[Mapping[str, Any]] = {"value": None, "digest": None, "last_four": None}


def _select_facts(account: int) -> Select[Any]:
    """The answers of an account that are not blank."""
    has_answer = profile_facts.c.value.is_not(None) | profile_facts.c.digest.is_not(None)
    return select(profile_facts).where(profile_facts.c.account == account, has_answer)


def _select_documents(account: int) -> Select[Any]:
    return select(profile_papers).where(profile_papers.c.account == account).order_by(profile_papers.c.id)


def _document_from_row(row: Row[Any]) -> tuple[datetime, str, DocumentOnFile | None]:
    document = DocumentOnFile(row.paper, row.created_at, "told") if row.at_hand else None
    return row.created_at, row.paper, document


def _build_audit_entry(change: ProfileChange, change_kind: str, subject: str) -> AuditEntry:
    actor = Actor("citizen", str(change.account), change.channel)
    return build_audit_entry(
        actor, "profile_changed", "account", actor.id, change.idempotency_key, done=change_kind, what=subject
    )


def _associated_data(account: int, key: str) -> str:
    return f"profile:{account}:{key}"
