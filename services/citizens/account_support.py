"""What the helpdesk may do to a citizen's account: with a reason, and on the record.

`freeze` is for a lost phone: nobody signs in until the holder is back. `release` is for a number that somebody else has now;
`attach` gives the account of its former holder a new number. The citizen is told by SMS of every act that lets somebody in.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import func, select

from core.pin_policy import generate_pin
from core.types import TextRenderer
from db.database import Database
from db.tables import accounts, callers
from services.audit.staff_acts import StaffAct
from services.citizens.account_access import AccountAccess
from services.citizens.number_checks import SimState
from services.citizens.number_release import (
    AttachOutcome,
    NumberReleases,
    ReleaseRequest,
    ReleaseResult,
)
from services.citizens.pending_registrations import PendingRegistrations
from services.citizens.pin_changes import PinChanges
from services.citizens.pins import SecretHasher
from services.messaging.messages import Messages
from services.messaging.models import Message

RenderIn: TypeAlias = Callable[[str], str]
"""From a language to the text of an SMS."""
CheckSim: TypeAlias = Callable[[str], Awaitable[SimState]]
"""`NumberChecks.check`."""
PinResetOutcome: TypeAlias = Literal[
    "changed", "pending", "registering", "no_account", "frozen", "sim_swapped", "sim_unknown"
]


class PinReset(NamedTuple):
    """What became of a request for a new PIN.

    `changed`: a new PIN is on its way to the number. `pending`: so it is, and it works in `hours`, because the account was
    not used for long. `registering`: so it is, and it finishes the registration that waits. In every other case nothing was done: the account is frozen, the SIM was replaced lately, or the
    network did not say whether it was.
    """

    outcome: PinResetOutcome
    hours: int = 0


class AccountSupport:
    """The acts of the helpdesk on the account of a number; False, or None, where the number has no account."""

    def __init__(
        self,
        *,
        database: Database,
        access: AccountAccess,
        releases: NumberReleases,
        messages: Messages,
        pin_changes: PinChanges,
        registrations: PendingRegistrations,
        hasher: SecretHasher,
        check_sim: CheckSim,
        render_text: TextRenderer,
    ) -> None:
        self._database = database
        self._access = access
        self._releases = releases
        self._messages = messages
        self._pin_changes = pin_changes
        self._registrations = registrations
        self._hasher = hasher
        self._check_sim = check_sim
        self._render_text = render_text
        self.find_released = releases.find_released

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

    async def reset_pin(self, msisdn: str, act: StaffAct) -> PinReset:
        """Send a new PIN to the number, and end every sign-in. Nobody but the holder of the SIM reads the PIN."""
        state = await self._check_sim(msisdn)
        if state != "unchanged":
            return PinReset("sim_swapped" if state == "swapped" else "sim_unknown")
        account = await self._find_account(msisdn)
        if not account:
            return PinReset("registering" if await self._registrations.send_new_pin(msisdn, act) else "no_account")
        pin = generate_pin()
        result = await self._pin_changes.reset(account, await self._hasher.hash(pin), pin, act)
        return PinReset(result.outcome, result.hours) if result else PinReset("no_account")

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
