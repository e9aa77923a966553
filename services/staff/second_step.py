"""The second step of staff's sign-in: a code of the authenticator app, or one of ten recovery codes where it is not at hand."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import delete, func, insert, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import staff, staff_recovery_codes
from services.staff.codes import find_code_step, parse_code
from services.staff.passwords import generate_password

RECOVERY_CODES: Final = 10

CodeKind: TypeAlias = Literal["code", "recovery_code"]


class SecondStep:
    """Keeps the secrets of apps and the recovery codes, and accepts each code once."""

    def __init__(self, database: Database, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def use(self, member: int, text: str) -> CodeKind | None:
        """Use a code of a member; which kind it was, or None for one that is wrong or was used before."""
        if parse_code(text):
            return "code" if await self._use_app_code(member, text) else None
        return "recovery_code" if await self._use_recovery_code(member, text) else None

    async def store_secret(self, transaction: Transaction, member: int, login: str, secret: str, step: int) -> None:
        """Enrol the app with this secret; `step` is that of the code which confirmed it."""
        values: dict[str, Any] = {"code_secret": self._cipher.encrypt(secret.encode(), f"staff-code:{login}")}
        await transaction.execute(update(staff).where(staff.c.id == member).values(code_step=step, **values))

    async def remove(self, transaction: Transaction, member: int) -> None:
        """Remove the app and the recovery codes of a member."""
        await transaction.execute(update(staff).where(staff.c.id == member).values(code_secret=None))
        await self._delete_recovery_codes(transaction, member)

    async def replace_recovery_codes(self, transaction: Transaction, member: int) -> Sequence[str]:
        """Make ten new recovery codes, to be shown once; the former ones end."""
        codes = [generate_password() for _ in range(RECOVERY_CODES)]
        await self._delete_recovery_codes(transaction, member)
        rows = [{"staff": member, "digest": _digest(member, code)} for code in codes]
        await transaction.execute(insert(staff_recovery_codes), rows)
        return codes

    async def count_recovery_codes(self, member: int) -> int:
        """How many recovery codes of a member are left."""
        query = select(func.count()).where(
            staff_recovery_codes.c.staff == member, staff_recovery_codes.c.used_at.is_(None)
        )
        return int((await self._database.fetch(query)).scalar_one())

    async def _use_app_code(self, member: int, text: str) -> bool:
        query = select(staff.c.login, staff.c.code_secret, staff.c.code_step).where(staff.c.id == member)
        row = (await self._database.fetch(query)).one_or_none()
        if row is None or row.code_secret is None:
            return False
        secret = self._cipher.decrypt(row.code_secret, f"staff-code:{row.login}").decode()
        step = find_code_step(secret, text, self._clock(), row.code_step)
        if not step:
            return False
        # Of two requests with the same code, the first to write wins.
        used = update(staff).where(staff.c.id == member, staff.c.code_step < step).values(code_step=step)
        async with self._database.transaction() as transaction:
            return bool((await transaction.execute(used)).rowcount)

    async def _use_recovery_code(self, member: int, text: str) -> bool:
        codes = staff_recovery_codes.c
        unused = (codes.staff == member, codes.digest == _digest(member, text), codes.used_at.is_(None))
        async with self._database.transaction() as transaction:
            used = update(staff_recovery_codes).where(*unused).values(used_at=self._clock())
            return bool((await transaction.execute(used)).rowcount)

    async def _delete_recovery_codes(self, transaction: Transaction, member: int) -> None:
        await transaction.execute(delete(staff_recovery_codes).where(staff_recovery_codes.c.staff == member))


def _digest(member: int, code: str) -> bytes:
    """The digest of a recovery code; hyphens, spaces and case do not count. A code has 79 bits, so a fast hash is enough."""
    return sha256(f"{member}:{re.sub(r'[^a-z0-9]', '', code.casefold())}".encode()).digest()
