"""Look up a citizen by a number of theirs: what is known, masked. Every look is on the record, and so is who is revealed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Row

from core.crypto import Cipher
from core.phone_numbers import mask_number
from core.types import UtcClock, utc_now
from db.database import Database
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.staff_acts import StaffAct
from services.citizens.number_release import NumberReleases
from services.citizens.pending_registrations import account_associated_data
from services.helpdesk import lines, queries
from services.helpdesk.masking import mask_name
from services.helpdesk.models import (
    AccountState,
    AccountSummary,
    Citizen,
    CitizenRecord,
    FormerAccount,
    Identity,
    LockOut,
    Newest,
    Reference,
)
from services.helpdesk.references import find_citizen
from services.messaging.message_status import MessageState, state_from_row

NEWEST: Final = 20
"""Items of each list of a record."""

Item = TypeVar("Item")


class CitizenLookup:
    """What the helpdesk sees. Each method records the look, in the name of the act's actor, before it returns anything."""

    def __init__(
        self, database: Database, cipher: Cipher, releases: NumberReleases, *, clock: UtcClock = utc_now
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._releases = releases
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def show(self, reference: Reference, act: StaffAct) -> CitizenRecord | None:
        """All that is known of the citizen whom the reference leads to; None where it leads nowhere."""
        citizen = await find_citizen(self._database, reference)
        if citizen is None:
            return None
        await self._record(citizen, "account_viewed", act)
        return await self._read(citizen)

    async def list_messages(
        self, reference: Reference, act: StaffAct, *, before: int = 0, count: int = NEWEST
    ) -> Newest[MessageState] | None:
        """The newest messages to the citizen, or those with an id below `before`; None where the reference leads nowhere."""
        citizen = await find_citizen(self._database, reference)
        if citizen is None:
            return None
        await self._record(citizen, "account_viewed", act)
        query = queries.list_messages(await self._find_addresses(citizen), before)
        return await self._list(query, state_from_row, count)

    async def reveal(self, reference: Reference, act: StaffAct) -> Identity | None:
        """Who the citizen is, with the whole number, name and e-mail address; None where the reference leads nowhere."""
        citizen = await find_citizen(self._database, reference)
        if citizen is None:
            return None
        await self._record(citizen, "identity_revealed", act)
        row = (await self._database.fetch(queries.select_account(citizen.account))).one_or_none()
        name = self._decrypt_name(row) if row else ""
        return Identity(citizen.msisdn, name, await self._find_email(citizen.account))

    async def find(self, reference: Reference) -> Citizen | None:
        """Whom the reference leads to; None where it leads nowhere. For acts, which are on the record themselves."""
        return await find_citizen(self._database, reference)

    async def has_message(self, citizen: Citizen, message: int) -> bool:
        """Whether the message with this id went to the citizen."""
        query = queries.select_message(message, await self._find_addresses(citizen))
        return (await self._database.fetch(query)).first() is not None

    async def _read(self, citizen: Citizen) -> CitizenRecord:
        account = (await self._database.fetch(queries.select_account(citizen.account))).one_or_none()
        facts = (await self._database.fetch(queries.select_number_facts(citizen.msisdn))).one()
        messages = queries.list_messages(await self._find_addresses(citizen))
        registration = facts.registration_until
        return CitizenRecord(
            found_by=citizen.found_by,
            reference=mask_number(citizen.reference) if citizen.found_by == "number" else citizen.reference,
            number=mask_number(citizen.msisdn),
            account=self._build_summary(account) if account else None,
            former_accounts=await self._find_former_accounts(citizen.msisdn),
            language=facts.language or (account.language if account else ""),
            opted_out_at=facts.opted_out_at,
            registration_until=registration if registration and registration > self._clock() else None,
            applications=await self._list(queries.list_applications(citizen), lines.application_line),
            applications_by_others=await self._list(
                queries.list_applications_by_others(citizen), lines.application_line
            ),
            complaints=await self._list(queries.list_complaints(citizen), lines.complaint_line),
            messages=await self._list(messages, state_from_row),
            payments=await self._list(queries.list_payments(citizen), lines.payment_line),
            consents=await self._list(
                queries.list_consents(citizen), lambda row: lines.consent_line(self._cipher, row)
            ),
            drafts=await self._list(queries.list_drafts(citizen), lines.draft_line),
            sign_ins=await self._list(queries.list_sign_ins(citizen), lines.sign_in_line),
            acts=await self._list(queries.list_acts(citizen), lines.act_line),
        )

    async def _find_former_accounts(self, msisdn: str) -> Sequence[FormerAccount]:
        released = await self._releases.find_released(msisdn)
        return [FormerAccount(one.account, one.released_at) for one in released]

    async def _list(
        self, query: queries.ListQuery, build: Callable[[Row[Any]], Item], count: int = NEWEST
    ) -> Newest[Item]:
        rows = (await self._database.fetch(query.select_newest(count))).all()
        total = len(rows)
        if total > count:
            total = (await self._database.fetch(query.select_count())).scalar_one()
        shown = [build(row) for row in rows[:count]]
        return Newest(shown, max(total, len(rows)) - len(shown))

    async def _record(self, citizen: Citizen, act_name: str, act: StaffAct) -> None:
        """Record a look. A number without an account is recorded masked: no whole number is in the audit log."""
        found_by = "" if citizen.found_by == "number" else f"{citizen.found_by} {citizen.reference}"
        details = {name: text for name, text in (("found_by", found_by), ("reason", act.reason)) if text}
        key = act.idempotency_key
        if citizen.account:
            entry = build_audit_entry(act.actor, act_name, "account", str(citizen.account), key, **details)
        else:
            entry = build_audit_entry(act.actor, act_name, "number", mask_number(citizen.msisdn), key, **details)
        async with self._database.transaction() as transaction:
            await self._audit.record(transaction, entry)

    async def _find_addresses(self, citizen: Citizen) -> list[str]:
        email = await self._find_email(citizen.account)
        return [citizen.msisdn, email] if email else [citizen.msisdn]

    async def _find_email(self, account: int) -> str:
        address = (await self._database.fetch(queries.select_email(account))).scalar_one_or_none()
        return self._cipher.decrypt(address, f"email:{account}").decode() if address else ""

    def _decrypt_name(self, row: Row[Any]) -> str:
        """The holder's name; empty for a closed account."""
        return self._cipher.decrypt(row.name, account_associated_data(row.msisdn)).decode() if row.name else ""

    def _build_summary(self, row: Row[Any]) -> AccountSummary:
        now = self._clock()
        return AccountSummary(
            account=row.id,
            number=mask_number(row.msisdn),
            name=mask_name(self._decrypt_name(row)),
            state=_account_state(row),
            language=row.language,
            registered_at=row.created_at,
            last_used_at=row.last_used_at,
            lock_outs=[one for one in _lock_outs(row) if one.until > now],
            new_pin_at=row.pending_pin_at if row.pending_pin_at and row.pending_pin_at > now else None,
            questions=row.questions,
            has_email=bool(row.emails),
            is_operator=bool(row.operators),
        )


def _account_state(row: Row[Any]) -> AccountState:
    if row.closed_at:
        return "closed"
    if row.released_at:
        return "released"
    return "frozen" if row.frozen_at else "open"


def _lock_outs(row: Row[Any]) -> Iterator[LockOut]:
    """Every lock-out of the account, also those that are over."""
    if row.pin_locked_until:
        yield LockOut("calls", "pin", row.pin_locked_until)
    if row.answers_locked_until:
        yield LockOut("calls", "answers", row.answers_locked_until)
    if row.unvouched_pin_locked_until:
        yield LockOut("sms", "pin", row.unvouched_pin_locked_until)
    if row.unvouched_answers_locked_until:
        yield LockOut("sms", "answers", row.unvouched_answers_locked_until)
