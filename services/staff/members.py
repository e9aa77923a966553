"""Members of staff: add, list, find. Their names are encrypted."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import staff
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.citizens.pins import SecretHasher
from services.staff.models import Member, NewMember, is_login
from services.staff.passwords import generate_password

MEMBER_COLUMNS: Final = (
    staff.c.id.label("member"),
    *(
        staff.c[name]
        for name in (
            *("login", "name", "role", "department", "language", "password_chosen"),
            *("disabled_at", "locked_until", "lockouts", "signed_in_at"),
        )
    ),
    staff.c.code_secret.is_not(None).label("has_code"),
)
"""What `member_from_row` reads."""


class LoginTakenError(Exception):
    """A member of staff has this login already."""

    def __init__(self, login: str) -> None:
        super().__init__(f"There is a member of staff with the login {login!r} already; staff list shows them")


class StaffMembers:
    """Adds, lists and finds members of staff."""

    def __init__(self, database: Database, hasher: SecretHasher, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        """`hasher` normalizes by `normalize_password`."""
        self._database = database
        self._hasher = hasher
        self._cipher = cipher
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def add(self, new_member: NewMember, act: StaffAct, *, is_temporary: bool = True) -> tuple[int, str]:
        """Add a member; the id, and a password. Where it `is_temporary`, the member replaces it at the first sign-in.

        Raises:
            LoginTakenError: there is such a login.
        """
        password = generate_password()
        row = {
            "login": new_member.login,
            "name": self._cipher.encrypt(new_member.name.encode(), f"staff:{new_member.login}"),
            "role": new_member.role,
            "department": new_member.department,
            "language": new_member.language,
            "password_hash": await self._hasher.hash(password),
            "password_chosen": not is_temporary,
            "created_at": self._clock(),
        }
        try:
            async with self._database.transaction() as transaction:
                added = await transaction.execute(insert(staff).returning(staff.c.id), row)
                member: int = added.scalar_one()
                entry = build_staff_entry(act, "staff_added", "staff", str(member), role=new_member.role)
                await self._audit.record(transaction, entry)
        except IntegrityError:
            raise LoginTakenError(new_member.login) from None
        return member, password

    async def set_language(self, member: int, language: str) -> None:
        """Show the console to a member in another language."""
        async with self._database.transaction() as transaction:
            await transaction.execute(update(staff).where(staff.c.id == member).values(language=language))

    async def find(self, member: int) -> Member | None:
        """The member with this id."""
        return await self._find_one(staff.c.id == member)

    async def find_by_login(self, login: str) -> Member | None:
        """The member with this login."""
        return await self._find_one(staff.c.login == login) if is_login(login) else None

    async def list_page(self, after: str, limit: int) -> Sequence[Member]:
        """At most `limit` members whose logins come after `after`, by login; disabled ones too."""
        query = select(*MEMBER_COLUMNS).where(staff.c.login > after).order_by(staff.c.login).limit(limit)
        return [member_from_row(row, self._cipher) for row in await self._database.fetch(query)]

    async def list_all(self) -> Sequence[Member]:
        """Every member, disabled ones too, by login."""
        rows = (await self._database.fetch(select(*MEMBER_COLUMNS).order_by(staff.c.login))).all()
        return [member_from_row(row, self._cipher) for row in rows]

    async def _find_one(self, condition: ColumnElement[bool]) -> Member | None:
        row = (await self._database.fetch(select(*MEMBER_COLUMNS).where(condition))).one_or_none()
        return member_from_row(row, self._cipher) if row else None


def member_from_row(row: Row[Any], cipher: Cipher) -> Member:
    """The member in a row with `MEMBER_COLUMNS`."""
    return Member(
        id=row.member,
        login=row.login,
        name=cipher.decrypt(row.name, f"staff:{row.login}").decode(),
        role=row.role,
        department=row.department,
        language=row.language,
        has_code=row.has_code,
        password_chosen=row.password_chosen,
        disabled_at=row.disabled_at,
        locked_until=row.locked_until,
        lockouts=row.lockouts,
        signed_in_at=row.signed_in_at,
    )
