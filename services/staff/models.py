"""Values of staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["admin", "officer", "helpdesk", "auditor"]
"""An admin may do everything. An officer works on the cases of one department, the helpdesk for citizens who call. An auditor
reads, and changes nothing."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """A member of staff to add. Only an officer has a department."""

    login: str
    name: str
    role: Role
    department: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of staff. `has_code`: an authenticator app is enrolled. `password_chosen`: by the member, not generated."""

    id: int
    login: str
    name: str
    role: Role
    department: str
    language: str
    has_code: bool
    password_chosen: bool
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A sign-in. `proved_at` is when its holder last gave a code of the app, or else the password."""

    id: int
    member: Member
    proved_at: datetime
