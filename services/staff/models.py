"""Values of staff."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["admin", "officer", "helpdesk", "auditor"]
"""An admin may do everything. An officer works on the cases of one department, the helpdesk for citizens who call. An auditor
reads, and changes nothing."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)
MAX_NAME_LENGTH: Final = 60
LOGIN_PATTERN: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")

ChangeOutcome: TypeAlias = Literal["done", "unknown", "unchanged", "yourself", "last_admin"]
"""What became of a change of a member. `unchanged`: the member is so already. `yourself`: nobody changes themselves so.
`last_admin`: nobody else could undo it."""
PasswordProblem: TypeAlias = Literal["too_short", "too_long", "like_login", "common"]
"""Why a password is not accepted."""
PasswordOutcome: TypeAlias = Literal["changed", "wrong", "locked", "same"] | PasswordProblem
"""What became of a change of one's own password."""


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
    """A member of staff. `has_code`: an authenticator app is enrolled. `password_chosen`: by the member, not generated.

    `locked_until` may be past. `lockouts`: how often too many failures have locked the login.
    """

    id: int
    login: str
    name: str
    role: Role
    department: str
    language: str
    has_code: bool
    password_chosen: bool
    disabled_at: datetime | None = None
    locked_until: datetime | None = None
    lockouts: int = 0
    signed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A sign-in. `proved_at` is when its holder last gave a code of the app, or else the password."""

    id: int
    member: Member
    proved_at: datetime


@dataclass(frozen=True, slots=True)
class OwnSignIn:
    """One of the sign-ins of a member, as the member sees it."""

    id: int
    created_at: datetime
    seen_at: datetime


def is_login(text: str) -> bool:
    """Whether somebody may have this login: 2 to 32 small letters, digits, dots, hyphens and underscores, a letter first."""
    return LOGIN_PATTERN.fullmatch(text) is not None
