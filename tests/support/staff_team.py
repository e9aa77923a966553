"""Members of staff over the services themselves, with a clock that a test moves."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from core.rate_limit import LocalWindowCounter
from db.database import Database
from db.tables import audit
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.pins import SecretHasher
from services.staff.address_limit import AddressLimit
from services.staff.codes import compute_code, generate_code_secret
from services.staff.member_changes import StaffChanges
from services.staff.members import StaffMembers
from services.staff.models import Member, NewMember, Role
from services.staff.own_account import OwnAccount
from services.staff.passwords import normalize_password
from services.staff.sessions import StaffSessions
from services.staff.sign_in import SignInResult, StaffSignIn
from tests.support.services import CIPHER, ManualClock
from tests.support.staff import staff_act

ADDRESS = "203.0.113.7"


@dataclass(frozen=True)
class Colleague:
    """A member whom a test added, with what that person knows."""

    id: int
    login: str
    password: str
    secret: str = ""
    recovery_codes: Sequence[str] = ()


@dataclass
class StaffTeam:
    """The services of staff, and acts of people with them."""

    database: Database
    hasher: SecretHasher
    clock: ManualClock
    sessions: StaffSessions = field(init=False)
    members: StaffMembers = field(init=False)
    changes: StaffChanges = field(init=False)
    account: OwnAccount = field(init=False)
    sign_in: StaffSignIn = field(init=False)

    def __post_init__(self):
        clock = self.clock
        self.sessions = StaffSessions(self.database, CIPHER, clock=clock)
        self.members = StaffMembers(self.database, self.hasher, CIPHER, clock=clock)
        self.changes = StaffChanges(self.database, self.hasher, CIPHER, self.sessions, clock=clock)
        self.account = OwnAccount(self.database, self.hasher, CIPHER, self.sessions, clock=clock)
        limit = AddressLimit(LocalWindowCounter(self.clock.monotonic), CIPHER.keyed_hash)
        self.sign_in = StaffSignIn(self.database, self.hasher, CIPHER, self.sessions, limit, clock=clock)

    async def add(self, login: str = "asha", role: Role = "admin", department: str = "") -> Colleague:
        """A member whose password is chosen, and who has no app."""
        new = NewMember(login=login, name=login.capitalize(), role=role, department=department)
        member, password = await self.members.add(new, staff_act(), is_temporary=False)
        return Colleague(member, login, password)

    async def add_with_app(self, login: str = "asha", role: Role = "admin") -> Colleague:
        """A member with an app. Its code of this moment is used, so that the clock moves on by a step."""
        one, secret = await self.add(login, role), generate_code_secret()
        enrolment = await self.account.enrol_app(
            await self.find(one), secret, compute_code(secret, self.clock()), own_act(login)
        )
        assert enrolment is not None
        self.clock.advance(seconds=30)
        return Colleague(one.id, login, one.password, secret, enrolment.recovery_codes)

    async def find(self, one: Colleague) -> Member:
        """The member as the database has it."""
        member = await self.members.find(one.id)
        assert member is not None
        return member

    def code(self, one: Colleague, drift: int = 0) -> str:
        """What the app of a member shows, with its clock wrong by so many seconds."""
        return compute_code(one.secret, self.clock() + timedelta(seconds=drift))

    async def type_password(self, one: Colleague, password: str = "", address: str = ADDRESS) -> SignInResult:
        """Type login and password on the first page."""
        return await self.sign_in.sign_in(one.login, password or one.password, address)

    async def type_code(self, one: Colleague, code: str) -> SignInResult:
        """Type the password, and then a code on the second page."""
        ticket = (await self.type_password(one)).ticket
        return await self.sign_in.sign_in_with_code(ticket, code, ADDRESS)

    async def read_acts(self) -> Sequence[str]:
        """The acts in the audit log, the oldest first."""
        return (await self.database.fetch(select(audit.c.act).order_by(audit.c.id))).scalars().all()


def own_act(login: str) -> StaffAct:
    """An act of a member in the console."""
    return StaffAct(Actor("staff", login, "console"), "", staff_act().idempotency_key)


@contextmanager
def open_team(database: Database, clock: ManualClock) -> Iterator[StaffTeam]:
    """A team without members."""
    with closing(SecretHasher(CIPHER, normalize=normalize_password)) as hasher:
        yield StaffTeam(database, hasher, clock)
