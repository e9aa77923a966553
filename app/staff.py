"""Build the services of staff."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from app.keys import open_cipher
from app.limits import build_shared_counter
from app.menu import read_catalogue
from app.resources import Resources
from config.settings import Settings
from core.crypto import Cipher
from db.database import Database
from services.citizens.pins import SecretHasher
from services.staff.address_limit import AddressLimit
from services.staff.member_changes import StaffChanges
from services.staff.members import StaffMembers
from services.staff.own_account import OwnAccount
from services.staff.passwords import normalize_password
from services.staff.sessions import SessionLimits, StaffSessions
from services.staff.sign_in import StaffSignIn


@dataclass(frozen=True, slots=True)
class StaffServices:
    """Members of staff and their sign-ins."""

    members: StaffMembers
    changes: StaffChanges
    sessions: StaffSessions
    sign_in: StaffSignIn
    account: OwnAccount


@dataclass(frozen=True, slots=True)
class StaffCommands:
    """The services behind `staff`, and the codes of all departments; `zone` is the time zone of its times."""

    members: StaffMembers
    changes: StaffChanges
    departments: Collection[str]
    zone: ZoneInfo


def build_staff_services(settings: Settings, resources: Resources) -> StaffServices:
    """The services of staff over open resources."""
    database, cipher, hasher = resources.database, resources.cipher, resources.password_hasher
    sessions = _build_sessions(settings, database, cipher)
    limit = AddressLimit(build_shared_counter(resources), cipher.keyed_hash)
    return StaffServices(
        members=StaffMembers(database, hasher, cipher),
        changes=StaffChanges(database, hasher, cipher, sessions),
        sessions=sessions,
        sign_in=StaffSignIn(database, hasher, cipher, sessions, limit),
        account=OwnAccount(database, hasher, cipher, sessions),
    )


@asynccontextmanager
async def open_staff_commands(settings: Settings) -> AsyncIterator[StaffCommands]:
    """Open the services behind `staff`.

    Raises:
        ValidationFailedError: the catalogue is invalid, or the key is not that of the database.
        MigrationsPendingError: the tables are older than this program.
    """
    departments = sorted(read_catalogue(settings.catalogue).catalogue.departments)
    cipher = await open_cipher(settings)
    with closing(SecretHasher(cipher, normalize=normalize_password)) as hasher:
        async with Database(settings.database.url.get_secret_value()) as database:
            changes = StaffChanges(database, hasher, cipher, _build_sessions(settings, database, cipher))
            zone = ZoneInfo(settings.countries.time_zone)
            yield StaffCommands(StaffMembers(database, hasher, cipher), changes, departments, zone)


def _build_sessions(settings: Settings, database: Database, cipher: Cipher) -> StaffSessions:
    console = settings.console
    limits = SessionLimits(timedelta(minutes=console.idle_minutes), timedelta(hours=console.session_hours))
    return StaffSessions(database, cipher, limits)
