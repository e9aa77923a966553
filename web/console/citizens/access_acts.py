"""The acts on the access to an account, by the name that their routes have: what each does, and what it says."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from services.audit.staff_acts import StaffAct
from services.citizens.account_support import AccountSupport


class ActResult(NamedTuple):
    """The key of what was done, or of why nothing was done; the other is empty."""

    done: str = ""
    refused: str = ""


AccessAct: TypeAlias = Callable[[AccountSupport, str, StaffAct], Awaitable[ActResult]]
"""From the number of an account to what was done."""


async def freeze(support: AccountSupport, msisdn: str, act: StaffAct) -> ActResult:
    """Let nobody sign in."""
    return _result(await support.freeze(msisdn, act), "frozen", "frozen_already")


async def unfreeze(support: AccountSupport, msisdn: str, act: StaffAct) -> ActResult:
    """Let the holder sign in again."""
    return _result(await support.unfreeze(msisdn, act), "unfrozen", "not_frozen")


async def sign_out(support: AccountSupport, msisdn: str, act: StaffAct) -> ActResult:
    """End every sign-in."""
    return _result(await support.sign_out(msisdn, act), "signed_out", "no_account")


async def reset_questions(support: AccountSupport, msisdn: str, act: StaffAct) -> ActResult:
    """Remove the security questions."""
    return _result(await support.reset_questions(msisdn, act), "questions", "no_account")


async def reset_pin(support: AccountSupport, msisdn: str, act: StaffAct) -> ActResult:
    """Send a new PIN to the number."""
    outcome = (await support.reset_pin(msisdn, act)).outcome
    is_sent = outcome in {"changed", "pending", "registering"}
    return ActResult(done=f"pin_{outcome}") if is_sent else ActResult(refused=outcome)


def _result(is_done: bool, done: str, refused: str) -> ActResult:
    return ActResult(done=done) if is_done else ActResult(refused=refused)


ACCESS_ACTS: Final[Mapping[str, AccessAct]] = {
    "freeze": freeze,
    "unfreeze": unfreeze,
    "sign_out": sign_out,
    "reset_pin": reset_pin,
    "reset_questions": reset_questions,
}
"""By the last part of their actions."""
