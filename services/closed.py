"""What was closed for good is not written to. It is asked within the transaction that would, for a call may be older than that.

Whoever deletes an account holds its row until that is done, so what is asked here waits for it, and what is written after
being asked here is found and forgotten by it.
"""

from typing import Final

from sqlalchemy import bindparam, select

from services.records.database import Transaction
from services.records.tables import account_events, accounts


class AccountClosed(LookupError):
    """The account was deleted, from another call, while this one went on."""


async def still_open(transaction: Transaction, account: int, effect: str) -> bool:
    """Whether the account may be written to; nobody's, which is 0, always may.

    False: there is none, or it was closed in the session of `effect` itself, whose path is heard again. That goes on as it
    did, and nothing is written.

    Raises:
        AccountClosed: it was closed from elsewhere.
    """
    if not account:
        return True
    row = (await transaction.execute(_CLOSED_AT, {"asked": account})).one_or_none()
    if row is None or row.closed_at is None:
        return row is not None
    session = effect.rpartition(":")[0]
    here = await transaction.execute(_CLOSED_IN, {"asked": account, "session": session})
    if here.scalar_one_or_none() is None:
        raise AccountClosed
    return False


_CLOSED_AT: Final = (
    select(accounts.c.closed_at).where(accounts.c.id == bindparam("asked")).with_for_update(read=True, of=accounts)
)
_CLOSED_IN: Final = select(account_events.c.id).where(
    account_events.c.kind == "closed_in",
    account_events.c.account == bindparam("asked"),
    account_events.c.effect == bindparam("session"),
)
