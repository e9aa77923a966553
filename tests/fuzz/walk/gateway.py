"""A gateway in this process, without HTTP: the real menu and services over SQLite, and sessions in a dictionary.

What costs time and is no part of the menus is replaced: Argon2 by a keyed hash, Redis by dictionaries, and the limits on
callers by very high ones. Every SMS is caught when it is queued.
"""

import logging
import re
import tempfile
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import aiosqlite
import structlog
from aiosqlite.core import _STOP_RUNNING_SENTINEL
from prometheus_client import CollectorRegistry

from app.channels import build_conversations, build_inbound_handler, build_ussd_handler
from app.container import Services
from app.context import AppContext, build_webhook_guard
from app.menu import CheckedMenu, build_menu
from app.resources import open_resources
from app.settings import load_settings
from core.hop_metrics import HopMetrics
from core.verified_caller import unverified_caller
from db.database import Database
from menus.model import Navigation, Position
from menus.rendering.localization import Locale, build_screen_locales
from menus.rendering.paging import Page, SizeLimit
from menus.rendering.renderer import Renderer
from services.catalogue.current import CatalogueSnapshot
from services.messaging.inbound import InboundSmsRepository
from sessions.live_sessions import LiveSessions
from sessions.path_turns import UssdReply
from sms.inbound_handler import InboundSmsHandler
from sms.loop_guard import LoopGuard
from tests.fuzz.walk.fakes import FakeSimSwap, FastHasher, FlakyIssuer, MemorySessionStore, NoCounter, UnlimitedSms
from tests.support.databases import migrated_sqlite_url
from tests.support.phone import ROOT
from tests.support.startup_cache import equal_inputs_read_once
from ussd.admission import Admission
from ussd.provider import AnyUssdRequest
from ussd.routes import UssdHandler

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder of its own is made there
DATABASE_FOLDER = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None  # a database in memory needs no disk
MANY = str(10**9)
CONNECTED_DEPARTMENTS = ("dncc", "income_tax", "epfo")
MAX_SMS_KEPT = 20  # SMS of one phone
MAX_LOG_LINES = 100
SETTINGS = MappingProxyType(
    {
        "EKDIAL_KEYS__SECRET": "a secret for tests that is long enough",
        "EKDIAL_CODES__PER_PREFIX_PER_HOUR": MANY,
        "EKDIAL_CODES__PER_COUNTRY_PER_HOUR": MANY,
        "EKDIAL_CODES__PER_DAY": MANY,
        "EKDIAL_CODES__UNVERIFIED_PER_PREFIX_PER_HOUR": MANY,
        "EKDIAL_CODES__UNVERIFIED_PER_COUNTRY_PER_HOUR": MANY,
        "EKDIAL_CODES__UNVERIFIED_PER_DAY": MANY,
        "EKDIAL_CODES__MIN_ENTRY_RATE": "1",
        "EKDIAL_CODES__MIN_SAMPLE": MANY,
        "EKDIAL_TRACKING__MAX_MISSES_PER_PREFIX": "100000",
        "EKDIAL_OPERATORS__CONSENTS_A_DAY": "1000",
        "EKDIAL_OPERATORS__APPLICATIONS_A_DAY": "1000",
        "EKDIAL_PAYMENTS__LOOKUPS_PER_BILLER_PER_HOUR": MANY,
        "EKDIAL_CATALOGUE__WATCH": "false",
        "EKDIAL_MAIL__HOST": "127.0.0.1",
        "EKDIAL_MAIL__PORT": "25",
        "EKDIAL_MAIL__SECURITY": "none",
        "EKDIAL_MAIL__SENDER": "no-reply@example.org",
        "EKDIAL_PAYMENTS__PUSH_DELAY": "0",
        **{
            f"EKDIAL_DEPARTMENTS__{code.upper()}": '{"url": "http://127.0.0.1:9", "token": "t"}'
            for code in CONNECTED_DEPARTMENTS
        },
    }
)
VARIANTS: Sequence[Mapping[str, str]] = (
    {},
    {"EKDIAL_ACCOUNTS__PIN_BY_SMS": "true", "EKDIAL_SMS__SCREEN_SEGMENTS": "1"},
    {"EKDIAL_PAYMENTS__WALLET": "none", "EKDIAL_MAIL__HOST": ""},
)
"""Settings that lead to other screens."""


@dataclass(kw_only=True)
class FuzzGateway:
    """The handlers of USSD and of SMS, what they share, and what they sent and logged."""

    variant: int
    checked_menu: CheckedMenu
    ussd: UssdHandler
    sms: InboundSmsHandler
    store: MemorySessionStore
    database: Database
    sim_swap: FakeSimSwap
    issuer: FlakyIssuer
    hasher: FastHasher
    snapshots: Sequence[CatalogueSnapshot]
    locales: Mapping[str, Locale]
    log: list[str]
    sent: Mapping[str, deque[str]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=MAX_SMS_KEPT)))
    shown: list[Position] = field(default_factory=list)
    count: int = 0

    @property
    def services(self) -> Services:
        """The services of the menu."""
        return self.checked_menu.services

    async def answer_ussd(self, request: AnyUssdRequest) -> UssdReply:
        """The reply to a request, however long it takes: a machine that is busy is no finding."""
        if request.caller_number_verified:
            return await self.ussd._answer(request)
        with unverified_caller():
            return await self.ussd._answer(request)

    def next_number(self) -> int:
        """A number that this gateway has not given before."""
        self.count += 1
        return self.count

    def newest_digits(self, msisdn: str, digits: int) -> str:
        """The newest number of so many digits in an SMS to this phone; empty without one."""
        for text in reversed(self.sent.get(msisdn, ())):
            if found := re.search(rf"(?<!\d)\d{{{digits}}}(?!\d)", text.replace(" ", "") if digits > 6 else text):
                return found[0]
        return ""


@contextmanager
def sqlite_without_threads() -> Iterator[None]:
    """Within the block, aiosqlite runs every statement at once: handing each one to a thread takes ten times as long."""

    async def connect(connection: aiosqlite.Connection) -> aiosqlite.Connection:
        connection._connection = connection._connection or connection._connector()
        return connection

    async def execute(_: aiosqlite.Connection, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return call(*args, **options)

    async def close(connection: aiosqlite.Connection) -> None:
        if connection._connection is not None:
            connection._connection.close()
            connection._connection = None
        connection._running = False
        connection._tx.put_nowait((None, lambda: _STOP_RUNNING_SENTINEL))

    kind = aiosqlite.Connection
    with (
        patch.object(kind, "_connect", connect),
        patch.object(kind, "_execute", execute),
        patch.object(kind, "close", close),
    ):
        yield


@asynccontextmanager
async def open_fuzz_gateway(variant: int = 0) -> AsyncIterator[FuzzGateway]:
    """A gateway for the block, with an empty database, and the settings of a variant."""
    with (
        tempfile.TemporaryDirectory(dir=DATABASE_FOLDER) as data,
        capture_log() as lines,
        equal_inputs_read_once(),
        sqlite_without_threads(),
    ):
        settings = load_settings(
            ROOT / "config.toml",
            {
                **SETTINGS,
                **VARIANTS[variant],
                "EKDIAL_SERVER__DATA_DIR": data,
                "EKDIAL_DATABASE__URL": migrated_sqlite_url(Path(data) / "ekdial.db"),
            },
        )
        async with open_resources(settings) as opened:
            sessions = MemorySessionStore()
            resources = replace(
                opened,
                hasher=FastHasher(opened.cipher),
                store=replace(opened.store, sessions=sessions),
                sim_swap=FakeSimSwap(),
            )
            checked_menu = build_menu(settings, resources)
            registry = CollectorRegistry()
            context = AppContext(
                settings=settings,
                resources=resources,
                checked_menu=checked_menu,
                sms_providers={},  # nothing is sent
                webhook_guard=build_webhook_guard(settings),
                registry=registry,
                hops=HopMetrics(registry),
                live_sessions=LiveSessions(registry, resources.store.client, resources.cipher.keyed_hash),
            )
            repository = InboundSmsRepository(resources.database, checked_menu.services.messages, resources.cipher)
            gateway = FuzzGateway(
                variant=variant,
                checked_menu=checked_menu,
                ussd=build_ussd_handler(context, Admission(10)),
                sms=replace(
                    build_inbound_handler(context, build_conversations(context), repository),
                    is_repeat=_never,
                    loop_guard=LoopGuard(NoCounter(), resources.cipher.keyed_hash),
                    sms_limiter=UnlimitedSms(),
                ),
                store=sessions,
                database=resources.database,
                sim_swap=resources.sim_swap,
                issuer=FlakyIssuer(checked_menu.services.documents._issuer),
                hasher=resources.hasher,
                snapshots=_build_snapshots(checked_menu.services.current_catalogue.snapshot),
                locales=build_screen_locales(checked_menu.locales),
                log=lines,
            )
            gateway.services.documents._issuer = gateway.services.document_sign_ins._issuer = gateway.issuer
            _catch_sms(gateway)
            for renderer in (gateway.ussd._path_sessions.renderer, gateway.sms.conversations.handler.renderer):
                _catch_screens(gateway, renderer)
            yield gateway


async def _never(_: object) -> bool:
    return False


def _catch_sms(gateway: FuzzGateway) -> None:
    messages = gateway.checked_menu.services.messages
    enqueue: Callable[..., Any] = messages.enqueue

    async def catch(transaction: Any, message: Any) -> None:
        gateway.sent[message.to].append(message.text)
        await enqueue(transaction, message)

    messages.enqueue = catch
    messages._may_send = None


def _catch_screens(gateway: FuzzGateway, renderer: Renderer) -> None:
    render_page = renderer.render_page

    def catch(navigation: Navigation, limit: SizeLimit) -> Page:
        gateway.shown.append(navigation.position)
        return render_page(navigation, limit)

    renderer.render_page = catch


def _build_snapshots(snapshot: CatalogueSnapshot) -> Sequence[CatalogueSnapshot]:
    """The catalogue; half of it, without centres and billers; and the same services with other fees and fewer questions."""
    catalogue, services = snapshot.catalogue, snapshot.catalogue.services
    half = replace(catalogue, services=dict(list(services.items())[::2]), billers={})
    changed = {
        code: replace(it, fee_minor=it.fee_minor + 1000 if it.fee_minor else 0, fields=it.fields[:-1])
        for code, it in services.items()
    }
    return (
        snapshot,
        CatalogueSnapshot.build(half),
        CatalogueSnapshot.build(replace(catalogue, services=changed), snapshot.centres),
    )


@contextmanager
def capture_log() -> Iterator[list[str]]:
    """The newest lines that are logged in the block, each with all its facts."""
    lines: list[str] = []

    def keep(_: object, name: str, event: dict[str, Any]) -> Any:
        lines.append(f"{name} " + " ".join(f"{key}={value}" for key, value in event.items()))
        del lines[:-MAX_LOG_LINES]
        raise structlog.DropEvent

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name} {record.levelname} {record.getMessage()}")

    handler = Keeper(logging.WARNING)
    logging.getLogger().addHandler(handler)
    before = structlog.get_config()
    structlog.configure(
        processors=[keep],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    try:
        yield lines
    finally:
        structlog.configure(**before)
        logging.getLogger().removeHandler(handler)
