"""What enrolling operators takes, put together without a gateway: the database, the words of SMS, the key, who hashes PINs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from assembly.conversation import edition_of
from assembly.countries import assumed, served
from assembly.ground import tables_ready
from assembly.services import messages_of
from assembly.texts import names_of, sayer
from embedded import secret_of
from faults import CannotRun
from menus import words
from sealing import Seal
from services.catalogue.shelf import Shelf
from services.conduct import Conduct
from services.operators import Operators
from services.pins import Pins
from services.records.database import Records
from services.registrants import Registrants
from settings import Settings


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Everything that staff asks of operators. `sandbox`: no SMS leaves this machine."""

    operators: Operators
    conduct: Conduct
    language_of: Callable[[str], Awaitable[str]]
    served: Callable[[str], bool]
    shelf: Shelf
    zone: ZoneInfo
    sandbox: bool

    def known_centre(self, code: str) -> None:
        """Return where there is a centre with this code.

        Raises:
            CannotRun: there is none.
        """
        centres = self.shelf.centres.by_code
        if code not in centres:
            near = get_close_matches(code, centres, n=1) or sorted(centres)[:1]
            raise CannotRun(f"There is no centre {code!r}; write the code of one that there is, such as {near[0]!r}")


@asynccontextmanager
async def enrolment(settings: Settings) -> AsyncIterator[Enrolment]:
    """All of it, for as long as the block lasts; a gateway may run beside it, and sends what is queued here.

    Raises:
        Broken: the catalogue or the words are not as they must be.
        TablesBehind: the tables are older than this program.
    """
    shelf = Shelf(edition_of(settings.catalogue))
    say = sayer(words.load_all(names_of(shelf)), settings)
    seal, zone = Seal(secret_of(settings).encode()), ZoneInfo(settings.countries.time_zone)
    await tables_ready(settings)
    with closing(Pins(seal)) as pins:
        async with Records(settings.database.url.get_secret_value()) as records:
            yield Enrolment(
                operators=Operators(records, messages_of(settings, records, seal), pins, seal, say),
                conduct=Conduct(records, zone),
                language_of=Registrants(records, assumed(settings)).language,
                served=served(settings.countries.allowed),
                shelf=shelf,
                zone=zone,
                sandbox=settings.sms.provider == "sandbox",
            )
