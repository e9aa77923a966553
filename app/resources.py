"""Open and close shared resources: database, session store, cipher, secret hasher, HTTP clients."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Final

from app.keys import claim_redis, open_cipher
from config.embedded import exclusive_lock
from config.settings import Settings
from core.crypto import Cipher
from core.http.aiohttp_client import open_http_client
from core.http.client import HttpClient
from db.database import Database
from db.migrate import ensure_migrated
from providers.registry import open_sim_swap_provider
from services.citizens.number_checks import SimSwapProvider
from services.citizens.pins import SecretHasher
from services.staff.passwords import normalize_password
from sessions.redis_store import OpenStore, open_session_store

MAX_RESPONSE_BYTES: Final = 100_000
"""The limit for a response of a wallet or a biller."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Open clients. The database is durable; the session store may lose its data. The cipher's key serves both."""

    database: Database
    store: OpenStore
    cipher: Cipher
    hasher: SecretHasher
    password_hasher: SecretHasher
    issuer_client: HttpClient
    wallet_client: HttpClient
    sim_swap: SimSwapProvider | None = None
    """None where nobody is asked about SIM swaps."""


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open all resources and migrate an embedded database.

    Raises:
        EmbeddedStoreError: another process uses the embedded store, or the data directory is not writable.
        MigrationsPendingError: the tables are older than this program.
        ValidationFailedError: a key that the database or Redis needs is not given.
    """
    redis = settings.redis
    with exclusive_lock(settings.server.data_dir) if redis.is_embedded else nullcontext():
        cipher = await open_cipher(settings)
        store = open_session_store(redis.url.get_secret_value(), cipher, cluster=redis.cluster, deadline=redis.deadline)
        async with (
            open_sim_swap_provider(settings) as sim_swap,
            _open_clients(settings, Database(_database_url(settings)), store, cipher, sim_swap) as resources,
        ):
            await claim_redis(settings, resources.store.client, cipher)
            yield resources


@asynccontextmanager
async def stub_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Resources that no call uses, to check menus without a server: an empty database, a store in memory, a null key."""
    cipher = Cipher(bytes(32))
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/unused.db")
        async with _open_clients(settings, database, open_session_store("memory://", cipher), cipher) as resources:
            yield resources


async def ensure_tables(settings: Settings) -> None:
    """Migrate an embedded database; check the tables of any other.

    Raises:
        MigrationsPendingError: the tables are older than this program.
    """
    await ensure_migrated(_database_url(settings))


def _database_url(settings: Settings) -> str:
    return settings.database.url.get_secret_value()


@asynccontextmanager
async def _open_clients(
    settings: Settings,
    database: Database,
    store: AbstractAsyncContextManager[OpenStore],
    cipher: Cipher,
    sim_swap: SimSwapProvider | None = None,
) -> AsyncIterator[Resources]:
    issuers = open_http_client(deadline=settings.documents.deadline, max_bytes=settings.documents.max_bytes)
    wallets = open_http_client(deadline=settings.payments.deadline, max_bytes=MAX_RESPONSE_BYTES)
    with (
        closing(SecretHasher(cipher)) as hasher,
        closing(SecretHasher(cipher, normalize=normalize_password)) as password_hasher,
    ):
        async with database, store as open_store, issuers as issuer_client, wallets as wallet_client:
            yield Resources(
                database=database,
                store=open_store,
                cipher=cipher,
                hasher=hasher,
                password_hasher=password_hasher,
                issuer_client=issuer_client,
                wallet_client=wallet_client,
                sim_swap=sim_swap,
            )
