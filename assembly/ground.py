"""What everything stands on, opened and closed: database, store, the key both are sealed with, who asks issuers."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from assembly.fetching import fetching
from embedded import alone, secret_of
from sealing import Seal
from services.client import Client
from services.pins import Pins
from services.records.database import Records
from services.records.migrate import ready
from sessions.redis import Opened, open_sessions
from settings import Settings

MOST_OCTETS = 100_000  # of what a wallet or a biller answers


@dataclass(frozen=True, slots=True)
class Ground:
    """Open clients: what must last, what may be lost, the key of both, who hashes PINs, who asks issuers and wallets."""

    records: Records
    store: Opened
    seal: Seal
    pins: Pins
    issuers: Client
    wallets: Client


@asynccontextmanager
async def laid(settings: Settings) -> AsyncIterator[Ground]:
    """All of it open, with tables that this program knows.

    Raises:
        NotAlone: the embedded store is another process's, or nothing can be kept.
        TablesBehind: the tables are older than this program.
    """
    with alone(settings.server.var) if settings.redis.embedded else nullcontext():
        seal, redis = Seal(secret_of(settings).encode()), settings.redis
        await tables_ready(settings)
        store = open_sessions(redis.url.get_secret_value(), seal, cluster=redis.cluster, deadline=redis.deadline)
        async with _ground(settings, Records(_database(settings)), store, seal) as ground:
            yield ground


@asynccontextmanager
async def unused(settings: Settings) -> AsyncIterator[Ground]:
    """Ground that nothing is asked of, to prove menus on: it needs no server, and no key that lasts."""
    seal = Seal(bytes(32))
    with TemporaryDirectory() as nowhere:
        records = Records(f"sqlite+aiosqlite:///{nowhere}/unused.db")
        async with _ground(settings, records, open_sessions("memory://", seal), seal) as ground:
            yield ground


async def tables_ready(settings: Settings) -> None:
    """Makes the tables of an embedded database.

    Raises:
        TablesBehind: those of another are older than this program.
    """
    await ready(_database(settings))


def _database(settings: Settings) -> str:
    return settings.database.url.get_secret_value()


@asynccontextmanager
async def _ground(
    settings: Settings, records: Records, store: AbstractAsyncContextManager[Opened], seal: Seal
) -> AsyncIterator[Ground]:
    issuers = fetching(deadline=settings.documents.deadline, most=settings.documents.most_octets)
    wallets = fetching(deadline=settings.payments.deadline, most=MOST_OCTETS)
    with closing(Pins(seal)) as pins:
        async with records, store as opened, issuers as papers, wallets as money:
            yield Ground(records, opened, seal, pins, papers, money)
