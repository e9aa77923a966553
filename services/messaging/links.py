"""Short links sent by SMS: nobody can guess one, and each works for a limited time and a limited number of uses.

A link's token is derived from its idempotency key and the gateway's secret, so the same key gets the same link without the
token being stored: the database has a keyed hash of it. The subject of the link is encrypted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Row, bindparam, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import links

LinkPurpose: TypeAlias = Literal["app", "document", "email", "own_data"]
LinkState: TypeAlias = Literal["open", "gone", "unknown"]

# No 0 and O, no 1, l and I, so that a person can read a link aloud. Letters and digits only, because some handsets leave
# a hyphen or an underscore at the end of a link out.
TOKEN_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # noqa: S105  (an alphabet, not a secret)
TOKEN_LENGTH: Final = 17  # characters of 57: 99 bits; 96 are enough


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """The target of a link: its purpose, and its subject in the terms of the code that created it."""

    purpose: LinkPurpose
    subject: str = field(repr=False)


class FoundLink(NamedTuple):
    """The state of a link: `gone` is expired or used up, `unknown` never existed. Only an open link has a target."""

    state: LinkState
    link: ResolvedLink | None


class Links:
    """All links; `public_url` is the start of their addresses."""

    def __init__(self, database: Database, cipher: Cipher, public_url: str, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    async def create(
        self, purpose: LinkPurpose, subject: str, ttl: timedelta, max_uses: int, idempotency_key: str
    ) -> str:
        """Return the token of a link that works for `ttl` and `max_uses` times; the same key gets the same link."""
        async with self._database.transaction() as transaction:
            return await self.create_in_transaction(
                transaction, purpose, subject, ttl, max_uses, idempotency_key=idempotency_key
            )

    async def create_in_transaction(
        self,
        transaction: Transaction,
        purpose: LinkPurpose,
        subject: str,
        ttl: timedelta,
        max_uses: int,
        *,
        idempotency_key: str,
    ) -> str:
        """Create a link in the transaction of the message that carries it; see `create`."""
        token, now = self._token(purpose, idempotency_key), self._clock()
        digest = self._cipher.keyed_hash("link", token)
        row = {
            "digest": digest,
            "purpose": purpose,
            "subject": self._cipher.encrypt(subject.encode(), _associated_data(digest)),
            "uses_left": max_uses,
            "expires_at": now + ttl,
            "created_at": now,
        }
        await transaction.execute(self._database.insert_or_ignore(links), row)
        return token

    def url(self, token: str) -> str:
        """Return the address of a link: `https://…/d/` and the token."""
        return f"{self._public_url}/d/{token}"

    async def resolve(self, token: str) -> ResolvedLink | None:
        """Return the target of a link and take off one use; None for one that is expired, used up or unknown."""
        if not is_well_formed(token):
            return None
        async with self._database.transaction() as transaction:
            used = await transaction.execute(_USE, {"asked": self._digests(token), "now": self._clock()})
            row = used.one_or_none()
        return self._decrypt(row) if row else None

    async def restore_use(self, token: str) -> None:
        """Give a use back, where the link's target could not be shown."""
        async with self._database.transaction() as transaction:
            await transaction.execute(_RESTORE_USE, {"asked": self._digests(token)})

    async def find(self, token: str) -> FoundLink:
        """Return the state of a link, and its target while it is open, without taking off a use."""
        if not is_well_formed(token):
            return FoundLink("unknown", None)
        row = (await self._database.fetch(_FIND, {"asked": self._digests(token)})).one_or_none()
        if row is None:
            return FoundLink("unknown", None)
        if row.uses_left <= 0 or row.expires_at <= self._clock():
            return FoundLink("gone", None)
        return FoundLink("open", self._decrypt(row))

    def _decrypt(self, row: Row[Any]) -> ResolvedLink:
        return ResolvedLink(row.purpose, self._cipher.decrypt(row.subject, _associated_data(row.digest)).decode())

    def _token(self, purpose: LinkPurpose, idempotency_key: str) -> str:
        value = int(self._cipher.keyed_hash("link token", f"{purpose} {idempotency_key}"), 16)
        digits = []
        for _ in range(TOKEN_LENGTH):
            value, digit = divmod(value, len(TOKEN_ALPHABET))
            digits.append(TOKEN_ALPHABET[digit])
        return "".join(digits)

    def _digests(self, token: str) -> Sequence[str]:
        return self._cipher.keyed_hashes("link", token)


def is_well_formed(token: str) -> bool:
    """Return whether a link could have this token; others need no query."""
    return len(token) == TOKEN_LENGTH and set(token) <= _TOKEN_CHARACTERS


def _associated_data(digest: str) -> str:
    return f"link:{digest}"


_TOKEN_CHARACTERS: Final = frozenset(TOKEN_ALPHABET)
_by_digest: Any = links.c.digest.in_(bindparam("asked", expanding=True))
_RESTORE_USE = update(links).where(_by_digest).values(uses_left=links.c.uses_left + 1)
_FIND = select(links.c.uses_left, links.c.expires_at, links.c.purpose, links.c.subject, links.c.digest).where(
    _by_digest
)
_USE = (
    update(links)
    .where(_by_digest, links.c.uses_left > 0, links.c.expires_at > bindparam("now"))
    .values(uses_left=links.c.uses_left - 1)
    .returning(links.c.purpose, links.c.subject, links.c.digest)
)
