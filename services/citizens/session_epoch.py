"""Session epochs: a sign-in states the epoch of its account; it ends once the account has another one.

An account, or an operator, has a number of changes to who may sign in (column `epoch`) and a number of lock-outs for each
class of channel. A sign-in holds both in one integer. The session that makes a change stays signed in, also where its path
is replayed: `epoch_session` names it, `epoch_session_from` is the oldest epoch that it may hold.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Row, Table, case

EpochEnd: TypeAlias = Literal["", "changed", "locked"]

# The number of lock-outs is kept modulo this: an account reaches five of them on its first day, then one a day.
_LOCKOUTS: Final = 1 << 16


class SessionEpoch(NamedTuple):
    """The number of changes to who may sign in, and of lock-outs on one class of channel."""

    changes: int
    lockouts: int

    def pack(self) -> int:
        """Both numbers in one integer."""
        return self.changes * _LOCKOUTS + self.lockouts % _LOCKOUTS


def raised_epoch_columns(table: Table, session: str) -> Mapping[str, Any]:
    """The columns of `table` after one more change, which `session` makes; "" ends the sign-ins of every session."""
    oldest = case((table.c.epoch_session == session, table.c.epoch_session_from), else_=table.c.epoch)
    kept = {"epoch_session": session, "epoch_session_from": oldest}
    return {"epoch": table.c.epoch + 1, **(kept if session else {"epoch_session": None, "epoch_session_from": None})}


def find_epoch_end(row: Row[Any] | Any, held: int, session: str, lockouts: int) -> EpochEnd:
    """Why the sign-in that holds the epoch `held` in `session` is over; "" while it is valid.

    `row` has the columns of the epoch, `lockouts` is the number of lock-outs on the channel's class.
    """
    changes, held_lockouts = divmod(held, _LOCKOUTS)
    is_kept = bool(session) and row.epoch_session == session and changes >= row.epoch_session_from
    if changes != row.epoch and not is_kept:
        return "changed"
    return "" if held_lockouts == lockouts % _LOCKOUTS else "locked"
