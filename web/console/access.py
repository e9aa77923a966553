"""Who may do what in the console, and by what proof. A request that names no action here is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from services.staff.models import ROLES, Role

Proof: TypeAlias = Literal["session", "reason", "code", "own_code"]
"""What an action asks for. `session`: it reads, or changes what is one's own. `reason`: it changes or reveals what is another's,
and the reason is on the record. `code`: a reason, and a code of the authenticator app in the last ten minutes, because it
changes who may sign in, or moves money. `own_code`: such a code and no reason, because it is about how one signs in oneself.
Where no app is enrolled, the password takes the place of the code."""
CODE_PROOFS: Final[frozenset[Proof]] = frozenset({"code", "own_code"})
"""Those that ask who is at the keyboard now."""

ADMIN: Final[tuple[Role, ...]] = ("admin",)
CASES: Final[tuple[Role, ...]] = ("admin", "officer")
CALLS: Final[tuple[Role, ...]] = ("admin", "helpdesk")
READERS: Final[tuple[Role, ...]] = ("admin", "auditor")


@dataclass(frozen=True, slots=True)
class Action:
    """What may be done, by which roles, and by what proof."""

    roles: tuple[Role, ...]
    proof: Proof = "session"


ACTIONS: Final[Mapping[str, Action]] = {
    "now.view": Action(ROLES),
    "journeys.view": Action(READERS),
    "applications.view": Action(("admin", "officer", "auditor")),
    "applications.move": Action(CASES, "reason"),
    "applications.reveal": Action(CASES, "reason"),
    "complaints.view": Action(("admin", "officer", "auditor")),
    "complaints.move": Action(CASES, "reason"),
    "complaints.reveal": Action(CASES, "reason"),
    "feedback.view": Action(("admin", "officer", "auditor")),
    "messages.view": Action(("admin", "helpdesk", "auditor")),
    "messages.settle": Action(ADMIN, "reason"),
    "messages.release": Action(ADMIN, "reason"),
    "messages.resend": Action(CALLS, "reason"),
    "citizens.view": Action(("admin", "helpdesk", "auditor")),
    "citizens.reveal": Action(CALLS, "reason"),
    "citizens.sign_out": Action(CALLS, "reason"),
    "citizens.freeze": Action(CALLS, "reason"),
    "citizens.unfreeze": Action(CALLS, "code"),
    "citizens.reset_pin": Action(CALLS, "code"),
    "citizens.reset_questions": Action(CALLS, "code"),
    "citizens.release": Action(CALLS, "code"),
    "citizens.attach": Action(CALLS, "code"),
    "payments.view": Action(("admin", "auditor")),
    "payments.settle": Action(ADMIN, "code"),
    "payments.refund": Action(ADMIN, "code"),
    "payments.cash": Action(ADMIN, "code"),
    "payments.reconcile": Action(ADMIN, "reason"),
    "catalogue.view": Action(ROLES),
    "operators.view": Action(("admin", "helpdesk", "auditor")),
    "operators.add": Action(ADMIN, "code"),
    "operators.suspend": Action(CALLS, "reason"),
    "operators.resume": Action(ADMIN, "code"),
    "operators.reset_pin": Action(ADMIN, "code"),
    "departments.view": Action(READERS),
    "departments.keys": Action(ADMIN, "code"),
    "departments.retry": Action(ADMIN, "reason"),
    "staff.view": Action(READERS),
    "staff.change": Action(ADMIN, "code"),
    "audit.view": Action(READERS),
    "audit.export": Action(READERS, "reason"),
    "settings.view": Action(READERS),
    "account.view": Action(ROLES),
    "account.language": Action(ROLES),
    "account.password": Action(ROLES),
    "account.code": Action(ROLES, "own_code"),
    "account.sign_ins": Action(ROLES),
    "sign_out": Action(ROLES),
}


def is_allowed(role: Role, action: str) -> bool:
    """Whether the role may do this.

    Raises:
        KeyError: there is no such action.
    """
    return role in ACTIONS[action].roles
