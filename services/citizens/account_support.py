"""What the helpdesk sees of a citizen's account and may do to it: masked, with a reason, and on the record.

`freeze` is for a lost phone: nobody signs in until the holder is back. `release` is for a number that somebody else has now;
`attach` gives the account of its former holder a new number. The citizen is told by SMS of every act that lets somebody in.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from unicodedata import category

from sqlalchemy import ColumnElement, Row, func, select

from core.crypto import Cipher
from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database
from db.tables import accounts, applications, callers, complaints, drafts, emails, operators, security_answers
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.staff_acts import StaffAct
from services.citizens.account_access import AccountAccess
from services.citizens.number_release import (
    AttachOutcome,
    NumberReleases,
    ReleaseRequest,
    ReleaseResult,
)
from services.citizens.pending_registrations import account_associated_data
from services.messaging.messages import Messages
from services.messaging.models import Message

AccountState: TypeAlias = Literal["open", "frozen"]
RenderIn: TypeAlias = Callable[[str], str]
"""From a language to the text of an SMS."""

VISIBLE_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account as the helpdesk sees it: number and name are masked, and nothing else identifies the citizen."""

    account: int
    number: str
    name: str
    state: AccountState
    language: str
    registered_at: datetime
    last_used_at: datetime | None
    locked_until: datetime | None
    questions: int
    has_email: bool
    applications: int
    open_drafts: int
    complaints: int
    is_operator: bool


class AccountSupport:
    """The acts of the helpdesk on the account of a number; False, or None, where the number has no account."""

    def __init__(
        self,
        *,
        database: Database,
        access: AccountAccess,
        releases: NumberReleases,
        messages: Messages,
        cipher: Cipher,
        render_text: TextRenderer,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._access = access
        self._releases = releases
        self._messages = messages
        self._cipher = cipher
        self._render_text = render_text
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self.find_released = releases.find_released

    async def show(self, msisdn: str, act: StaffAct) -> AccountSummary | None:
        """The account of the number; the look is recorded."""
        row = (await self._database.fetch(_summary_query(msisdn))).one_or_none()
        if row is None:
            return None
        entry = build_audit_entry(act.actor, "account_viewed", "account", str(row.id), act.idempotency_key)
        async with self._database.transaction() as transaction:
            await self._audit.record(transaction, entry)
        return self._build_summary(row)

    async def has_account(self, msisdn: str) -> bool:
        """Whether the number has an account."""
        return bool(await self._find_account(msisdn))

    async def freeze(self, msisdn: str, act: StaffAct) -> bool:
        """Keep everybody from signing in to the account, and end every sign-in; False also where it is frozen already."""
        account = await self._find_account(msisdn)
        return bool(account) and await self._access.freeze(account, act)

    async def unfreeze(self, msisdn: str, act: StaffAct) -> bool:
        """Let the holder sign in again; False also where the account is not frozen."""
        return await self._act(
            msisdn, act, self._access.unfreeze, lambda one: self._render_text(one, "support_unfrozen", {})
        )

    async def sign_out(self, msisdn: str, act: StaffAct) -> bool:
        """End every sign-in to the account."""
        return await self._act(
            msisdn, act, self._access.sign_out_everywhere, lambda one: self._render_text(one, "support_signed_out", {})
        )

    async def reset_questions(self, msisdn: str, act: StaffAct) -> bool:
        """Delete the security questions, and end every sign-in."""
        return await self._act(
            msisdn, act, self._access.reset_questions, lambda one: self._render_text(one, "support_questions", {})
        )

    async def release(self, msisdn: str, act: StaffAct) -> ReleaseResult:
        """Take the number from its former holder: somebody else has it now."""
        request = ReleaseRequest(msisdn, "staff", act.actor, act.idempotency_key, act.reason)
        return await self._releases.release(request)

    async def attach(self, account: int, msisdn: str, act: StaffAct) -> AttachOutcome:
        """Give the account of a released number a new one."""
        outcome = await self._releases.attach(account, msisdn, act)
        if outcome == "attached":
            await self._notify(msisdn, act, lambda one: self._render_text(one, "support_attached", {}))
        return outcome

    async def _act(
        self, msisdn: str, act: StaffAct, change: Callable[[int, StaffAct], Awaitable[bool]], render: RenderIn
    ) -> bool:
        account = await self._find_account(msisdn)
        if not account or not await change(account, act):
            return False
        await self._notify(msisdn, act, render)
        return True

    async def _find_account(self, msisdn: str) -> int:
        query = select(accounts.c.id).where(accounts.c.msisdn == msisdn, accounts.c.closed_at.is_(None))
        return (await self._database.fetch(query)).scalar_one_or_none() or 0

    async def _notify(self, msisdn: str, act: StaffAct, render: RenderIn) -> None:
        language = func.coalesce(callers.c.language, accounts.c.language)
        query = select(language).select_from(accounts.outerjoin(callers, callers.c.msisdn == accounts.c.msisdn))
        chosen = (await self._database.fetch(query.where(accounts.c.msisdn == msisdn))).scalar_one()
        message = Message(msisdn, render(chosen), "info", f"{act.idempotency_key}/told")
        await self._messages.send(message)

    def _build_summary(self, row: Row[Any]) -> AccountSummary:
        name = self._cipher.decrypt(row.name, account_associated_data(row.msisdn)).decode()
        locks = [until for until in (row.pin_locked_until, row.unvouched_pin_locked_until) if until]
        return AccountSummary(
            account=row.id,
            number=mask_number(row.msisdn),
            name=mask_name(name),
            state="frozen" if row.frozen_at else "open",
            language=row.language,
            registered_at=row.created_at,
            last_used_at=row.last_used_at,
            locked_until=max((until for until in locks if until > self._clock()), default=None),
            questions=row.questions,
            has_email=bool(row.emails),
            applications=row.applications,
            open_drafts=row.drafts,
            complaints=row.complaints,
            is_operator=bool(row.operators),
        )


def mask_number(msisdn: str) -> str:
    """`…001`."""
    return f"…{msisdn[-VISIBLE_DIGITS:]}"


def mask_name(name: str) -> str:
    """The first letter of each word, with its marks: `R… B…`."""
    return " ".join(f"{_first_letter(word)}…" for word in name.split())


def _first_letter(word: str) -> str:
    end = 1
    while end < len(word) and category(word[end]).startswith("M"):
        end += 1
    return word[:end]


def _summary_query(msisdn: str) -> Any:
    own: Mapping[str, Sequence[ColumnElement[bool]]] = {
        "questions": (security_answers.c.account == accounts.c.id,),
        "emails": (emails.c.account == accounts.c.id, emails.c.verified_at.is_not(None)),
        "applications": (applications.c.account == accounts.c.id,),
        "drafts": (drafts.c.account == accounts.c.id, drafts.c.ended_by.is_(None)),
        "complaints": (complaints.c.msisdn == accounts.c.msisdn,),
        "operators": (operators.c.msisdn == accounts.c.msisdn,),
    }
    counts = [
        select(func.count()).where(*conditions).correlate(accounts).scalar_subquery().label(name)
        for name, conditions in own.items()
    ]
    return select(accounts, *counts).where(accounts.c.msisdn == msisdn, accounts.c.closed_at.is_(None))
