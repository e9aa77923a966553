"""What enrolling operators takes, put together without a gateway."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from assembly.aside import aside
from assembly.countries import assumed, served
from faults import CannotRun
from services.catalogue.shelf import Shelf
from services.conduct import Conduct
from services.operators import Operators
from services.pins import Pins
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
            such = f"such as {near[0]!r}" if near else "once one is in catalogue.centres"
            raise CannotRun(f"There is no centre {code!r}; write the code of one that there is, {such}")


@asynccontextmanager
async def enrolment(settings: Settings) -> AsyncIterator[Enrolment]:
    """All of it, for as long as the block lasts; a running gateway sends what is queued here. Raises as `aside` does."""
    async with aside(settings) as on:
        with closing(Pins(on.seal)) as pins:
            yield Enrolment(
                operators=Operators(on.records, on.messages, pins, on.seal, on.say),
                conduct=Conduct(on.records, on.zone),
                language_of=Registrants(on.records, assumed(settings)).language,
                served=served(settings.countries.allowed),
                shelf=on.shelf,
                zone=on.zone,
                sandbox=settings.sms.provider == "sandbox",
            )
