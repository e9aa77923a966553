"""What a verb stands on that works on the records beside a gateway: the database, the words of SMS, the key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from zoneinfo import ZoneInfo

from assembly.conversation import edition_of
from assembly.ground import tables_ready
from assembly.services import messages_of
from assembly.texts import names_of, sayer
from embedded import secret_of
from menus import words
from sealing import Seal
from services.catalogue.shelf import Shelf
from services.given import Say
from services.messages import Messages
from services.records.database import Records
from settings import Settings


class Aside(NamedTuple):
    """All of it; what is queued here, the gateway sends."""

    records: Records
    messages: Messages
    seal: Seal
    say: Say
    shelf: Shelf
    zone: ZoneInfo


@asynccontextmanager
async def aside(settings: Settings) -> AsyncIterator[Aside]:
    """It, for as long as the block lasts; a gateway may run beside it.

    Raises:
        Broken: the catalogue or the words are not as they must be.
        TablesBehind: the tables are older than this program.
    """
    shelf = Shelf(edition_of(settings.catalogue))
    say = sayer(words.load_all(names_of(shelf)), settings)
    seal, zone = Seal(secret_of(settings).encode()), ZoneInfo(settings.countries.time_zone)
    await tables_ready(settings)
    async with Records(settings.database.url.get_secret_value()) as records:
        yield Aside(records, messages_of(settings, records, seal), seal, say, shelf, zone)
