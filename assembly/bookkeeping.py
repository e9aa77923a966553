"""What keeping the books takes, put together without a gateway: the database, the words of SMS, the key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from assembly.conversation import edition_of
from assembly.ground import tables_ready
from assembly.services import messages_of
from assembly.texts import names_of, sayer
from embedded import secret_of
from menus import words
from sealing import Seal
from services.catalogue.shelf import Shelf
from services.payments import Payments, Refunds
from services.payments.ledger import Ledger
from services.payments.telling import Telling
from services.records.database import Records
from settings import Settings


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that staff asks of payments."""

    ledger: Ledger
    payments: Payments
    refunds: Refunds
    zone: ZoneInfo


@asynccontextmanager
async def bookkeeping(settings: Settings) -> AsyncIterator[Books]:
    """All of it, for as long as the block lasts; a gateway may run beside it, and does what is noted here.

    Raises:
        Broken: the catalogue or the words are not as they must be.
        TablesBehind: the tables are older than this program.
    """
    shelf = Shelf(edition_of(settings.catalogue))
    say = sayer(words.load_all(names_of(shelf)), settings)
    seal, zone = Seal(secret_of(settings).encode()), ZoneInfo(settings.countries.time_zone)
    await tables_ready(settings)
    async with Records(settings.database.url.get_secret_value()) as records:
        telling = Telling(messages_of(settings, records, seal), say)
        payments = Payments(records, seal, settings.payments.wallet, telling)
        yield Books(Ledger(records), payments, Refunds(records, telling), zone)
