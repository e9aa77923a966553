"""Short links that are sent by SMS: nobody can guess one, and each works for so long and for so many uses.

A link's token follows from its effect and the gateway's key, so that the same effect gets the same link without the
token ever being kept: the database has a keyed hash of it, and what it leads to is sealed.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Delete, bindparam, delete, select, update

from services.given import Clock, Sealing, utc_now
from services.records.database import Records, Transaction
from services.records.tables import links

Purpose: TypeAlias = Literal["app", "document", "email", "own_data"]
State: TypeAlias = Literal["open", "gone", "unknown"]

# No 0 and O, no 1, l and I, that a link can be read out; and letters and digits alone, for a handset that finds links in
# a text may leave a hyphen or an underscore at the end of one out.
ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH: Final = 17  # of 57 letters: 99 bits, where 96 are more than anybody can guess
KEPT: Final = timedelta(days=30)  # after its end, for who asks what became of a link
BURIED: Final = 2  # of the long dead, for each that is made: the table does not grow for ever


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a link leads: what for, and to what (a document, an address to verify), in its maker's words."""

    purpose: Purpose
    subject: str = field(repr=False)


class Links:
    """Every link there is; `public_url` is what their addresses start with."""

    def __init__(self, records: Records, seal: Sealing, public_url: str, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._seal = seal
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    async def make(self, purpose: Purpose, subject: str, lives: timedelta, uses: int, effect: str) -> str:
        """The token of a link that works for `lives` and `uses` times; the same effect gets the first one's again."""
        async with self._records.transaction() as transaction:
            return await self.write(transaction, purpose, subject, lives, uses, effect=effect)

    async def write(
        self, transaction: Transaction, purpose: Purpose, subject: str, lives: timedelta, uses: int, *, effect: str
    ) -> str:
        """The same within the transaction of the message that brings it."""
        token, now = self._token(purpose, effect), self._clock()
        digest = self._digest(token)
        row = {
            "digest": digest,
            "purpose": purpose,
            "subject": self._seal.close(subject.encode(), _about(digest)),
            "uses_left": uses,
            "expires_at": now + lives,
            "created_at": now,
        }
        await transaction.execute(self._records.insert_once(links), row)
        await transaction.execute(_BURY, {"before": now - KEPT})
        return token

    def address(self, token: str) -> str:
        """What is sent: `https://…/d/` and the token."""
        return f"{self._public_url}/d/{token}"

    async def follow(self, token: str) -> Followed | None:
        """Where it leads, one use taken off; None when it has expired, is used up, or never was."""
        if not well_formed(token):
            return None
        digest = self._digest(token)
        async with self._records.transaction() as transaction:
            used = await transaction.execute(_USE, {"asked": digest, "now": self._clock()})
            row = used.one_or_none()
        return Followed(row.purpose, self._seal.open(row.subject, _about(digest)).decode()) if row else None

    async def give_back(self, token: str) -> None:
        """Put a use back on, where what it led to could not be shown."""
        async with self._records.transaction() as transaction:
            await transaction.execute(_GIVE_BACK, {"asked": self._digest(token)})

    async def state(self, token: str) -> State:
        """Whether following it would lead somewhere, takes no use off: `gone` expired or used up, `unknown` never was."""
        if not well_formed(token):
            return "unknown"
        found = await self._records.read(_STATE, {"asked": self._digest(token)})
        row = found.one_or_none()
        if row is None:
            return "unknown"
        return "open" if row.uses_left > 0 and row.expires_at > self._clock() else "gone"

    def _token(self, purpose: Purpose, effect: str) -> str:
        drawn = int(self._seal.name("link token", f"{purpose} {effect}"), 16)
        digits = []
        for _ in range(LENGTH):
            drawn, digit = divmod(drawn, len(ALPHABET))
            digits.append(ALPHABET[digit])
        return "".join(digits)

    def _digest(self, token: str) -> str:
        return self._seal.name("link", token)


def well_formed(token: str) -> bool:
    """Whether a link could have this token: what is not, need not be looked for."""
    return len(token) == LENGTH and set(token) <= _LETTERS


def _about(digest: str) -> str:
    return f"link:{digest}"


def _bury() -> Delete:
    """A few of the long dead; those that another process is burying are left to it."""
    dead = select(links.c.digest).where(links.c.expires_at < bindparam("before")).order_by(links.c.expires_at)
    some = dead.limit(BURIED).with_for_update(skip_locked=True).cte("some")
    return delete(links).where(links.c.digest.in_(select(some.c.digest)))


_LETTERS: Final = frozenset(ALPHABET)
_asked: Any = links.c.digest == bindparam("asked")
_BURY = _bury()
_GIVE_BACK = update(links).where(_asked).values(uses_left=links.c.uses_left + 1)
_STATE = select(links.c.uses_left, links.c.expires_at).where(_asked)
_USE = (
    update(links)
    .where(_asked, links.c.uses_left > 0, links.c.expires_at > bindparam("now"))
    .values(uses_left=links.c.uses_left - 1)
    .returning(links.c.purpose, links.c.subject)
)
