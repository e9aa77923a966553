"""Closed accounts: a session that began before the account was closed must not write to it.

The check runs within the transaction that writes. The deletion of an account locks its row: the check waits for the
deletion, and a row written after the check is found and deleted.
"""

from typing import Final

from sqlalchemy import bindparam, select

from core.idempotency import session_of_key
from db.database import Transaction
from db.tables import account_events, accounts
from services.citizens.models import AccountClosedError


async def ensure_account_open(transaction: Transaction, account: int, idempotency_key: str) -> bool:
    """Whether the account may be written to. Account 0, which stands for no account, always may.

    False: there is no such account, or the session of this key closed it. The replayed path continues and writes nothing.

    Raises:
        AccountClosedError: another session closed the account, or its number was released.
    """
    if not account:
        return True
    row = (await transaction.execute(_CLOSED_AT_QUERY, {"account": account})).one_or_none()
    if row is None:
        return False
    if row.released_at:
        raise AccountClosedError
    if row.closed_at is None:
        return True
    session = session_of_key(idempotency_key)
    event = await transaction.execute(_CLOSED_IN_SESSION_QUERY, {"account": account, "session": session})
    if event.scalar_one_or_none() is None:
        raise AccountClosedError
    return False


_CLOSED_AT_QUERY: Final = (
    select(accounts.c.closed_at, accounts.c.released_at)
    .where(accounts.c.id == bindparam("account"))
    .with_for_update(read=True, of=accounts)
)
_CLOSED_IN_SESSION_QUERY: Final = select(account_events.c.id).where(
    account_events.c.kind == "closed_in",
    account_events.c.account == bindparam("account"),
    account_events.c.idempotency_key == bindparam("session"),
)
