"""Gateways over one database and one Redis, with fakes of everybody who posts callbacks to them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from sqlalchemy import func, select

from app.keys import open_cipher
from config.settings import Settings
from core.types import utc_now
from db.database import Database
from db.tables import inbound_sms, messages, payments
from providers.africastalking.insights import AfricasTalkingSimSwap
from services.citizens.number_checks import NumberChecks
from services.citizens.pins import SecretHasher
from services.departments.api_keys import ApiKeys
from services.messaging.outbox import Outbox
from services.privacy.retention import DataRetention
from tests.fakes import africastalking_server as sms_fake
from tests.fakes import daraja_server as daraja_fake
from tests.fakes.africastalking_insights_server import InsightsServer
from tests.fakes.africastalking_server import AfricasTalkingServer
from tests.fakes.daraja_server import DarajaServer
from tests.fakes.department_server import DepartmentServer
from tests.fakes.json_providers import json_settings
from tests.fakes.sns_topic import TOPIC, SnsTopic, answer_for_amazon
from tests.fakes.tap_server import TapServer
from tests.support.database_content import make_older
from tests.support.department_api import OWN_DEPARTMENT
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, build_settings, run_gateway
from tests.support.services import ServiceSet
from tests.support.staff import staff_act

API_PREFIX = "/api/"
TAP_KEY_PRESSES = "/ussd/tap"
IDLE_TIMEOUT = 10.0  # seconds
LOOK_INTERVAL = 0.02  # seconds between two looks of a test
POLL_INTERVAL = 0.2  # seconds between two looks of a worker for what tests queue: a tenth of the usual
LATER = 3600.0  # seconds; nothing else runs while rows are compared


@dataclass
class CallbackGateways:
    """Gateways at `urls`, and what the tests need to begin what callbacks are about."""

    urls: list[str]
    http: ClientSession
    database: Database
    redis: Redis
    services: ServiceSet
    sms: AfricasTalkingServer
    daraja: DarajaServer
    insights: InsightsServer
    bkash: SnsTopic
    tap: TapServer
    number_checks: NumberChecks
    network_key: str
    department_key: str
    sms_ids: list[int]
    retention_days: Mapping[str, int]
    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    age: timedelta = timedelta()
    tap_presses: int = 0

    def now(self) -> datetime:
        """The time, as far as rows that were made older are concerned."""
        return utc_now() + self.age

    def start(self, work: Coroutine[object, object, object]) -> None:
        """Start a task that `wait_until_idle` waits for."""
        self.tasks.add(asyncio.create_task(work))

    async def post(self, path: str, body: bytes, headers: dict[str, str], *, gateway: int = 0) -> int:
        """Post a callback to a gateway; the status of the response."""
        address = f"{self.urls[gateway % len(self.urls)]}{path}"
        guard = {} if path.startswith(API_PREFIX) else {"token": WEBHOOK_TOKEN}
        async with self.http.post(address, params=guard, data=body, headers=headers) as response:
            await response.read()
        if path.startswith(TAP_KEY_PRESSES):
            await self._wait_for_screen()
        return response.status

    async def get(self, path: str, query: Mapping[str, str], *, gateway: int = 0) -> int:
        """Send a callback whose fields are in the query; the status of the response."""
        address = f"{self.urls[gateway % len(self.urls)]}{path}"
        async with self.http.get(address, params={"token": WEBHOOK_TOKEN, **query}) as response:
            await response.read()
            return response.status

    async def _wait_for_screen(self) -> None:
        """Return when as many screens were pushed as keys were pressed: the platform sends no key press before."""
        self.tap_presses += 1
        presses = self.tap_presses
        async with asyncio.timeout(IDLE_TIMEOUT):
            while len(self.tap.requests) < presses:  # noqa: ASYNC110 - the fake has no event
                await asyncio.sleep(LOOK_INTERVAL)

    async def wait_until_idle(self) -> None:
        """Return when every SMS is handled, every message sent and every payment pushed."""
        if self.tasks:
            await asyncio.gather(*self.tasks)
            self.tasks.clear()
        async with asyncio.timeout(IDLE_TIMEOUT):
            while (await self.database.fetch(_UNFINISHED)).scalar_one():  # noqa: ASYNC110 - other processes work
                await asyncio.sleep(LOOK_INTERVAL)

    async def read_number_states(self) -> Counter[str]:
        """How many numbers have each state of a SIM swap in Redis."""
        keys = await self.redis.keys("ekdial:sim:*")
        return Counter(f"sim {value.decode()}" for value in await self.redis.mget(keys)) if keys else Counter()

    async def make_older(self, by: timedelta) -> None:
        """Move every time in the database back, and forget what Redis would have forgotten by then."""
        self.age += by
        await make_older(self.database, by)
        milliseconds = by // timedelta(milliseconds=1)
        for key in await self.redis.keys("*"):
            left = await self.redis.pttl(key)
            if 0 <= left <= milliseconds:
                await self.redis.delete(key)
            elif left > 0:
                await self.redis.pexpire(key, left - milliseconds)

    async def delete_expired(self) -> None:
        """Delete every row that is older than the retention of its table."""
        await DataRetention(self.database, self.retention_days).delete_expired()


@asynccontextmanager
async def run_callback_gateways(
    folder: Path, *, database_url: str, redis_url: str, number: int
) -> AsyncIterator[CallbackGateways]:
    """Run this number of gateways over one database and one Redis, with every callback route."""
    sms_ids: list[int] = []

    def format_id(sms: int) -> str:
        sms_ids.append(sms)
        return build_sms_id(sms)

    async with AsyncExitStack() as stack:
        stack.enter_context(_quick_workers())
        sms = await stack.enter_async_context(AfricasTalkingServer(format_id=format_id))
        daraja = await stack.enter_async_context(DarajaServer())
        insights = await stack.enter_async_context(InsightsServer())
        tap = await stack.enter_async_context(TapServer())
        bkash = stack.enter_context(answer_for_amazon(SnsTopic()))
        settings = build_callback_settings(
            folder,
            DATABASE__URL=database_url,
            REDIS__URL=redis_url,
            **tap.settings(),
            PROVIDERS__AFRICASTALKING__BASE_URL=sms.url,
            PAYMENTS__DARAJA__BASE_URL=daraja.url,
        )
        urls = [await stack.enter_async_context(run_gateway(settings)) for _ in range(number)]
        http = await stack.enter_async_context(ClientSession())
        cipher = await open_cipher(settings)
        database = await stack.enter_async_context(Database(database_url))
        redis = await stack.enter_async_context(Redis.from_url(redis_url))
        asks = AfricasTalkingSimSwap(
            http, sms_fake.USERNAME, sms_fake.API_KEY, base_url=insights.url, recent_days=14, deadline=5.0
        )
        hasher = stack.enter_context(closing(SecretHasher(cipher)))
        yield CallbackGateways(
            urls=urls,
            http=http,
            database=database,
            redis=redis,
            services=ServiceSet(database, utc_now, hasher, cipher, sms_provider="africastalking"),
            sms=sms,
            daraja=daraja,
            insights=insights,
            bkash=bkash,
            tap=tap,
            number_checks=NumberChecks(redis, cipher.keyed_hash, asks),
            network_key=await ApiKeys(database).create("grameenphone", staff_act(), kind="network"),
            department_key=await ApiKeys(database).create(OWN_DEPARTMENT, staff_act()),
            sms_ids=sms_ids,
            retention_days=settings.retention.days(),
        )


def build_callback_settings(folder: Path, **values: str) -> Settings:
    """Settings of a gateway that serves every callback route there is."""
    daraja = {
        "CONSUMER_KEY": daraja_fake.KEY,
        "CONSUMER_SECRET": daraja_fake.SECRET,
        "SHORT_CODE": daraja_fake.SHORT_CODE,
        "PASSKEY": daraja_fake.PASSKEY,
    }
    return build_settings(
        folder,
        **{
            **PUBLIC_SETTINGS,
            "SMS__PROVIDER": "africastalking",
            "PROVIDERS__AFRICASTALKING__API_KEY": sms_fake.API_KEY,
            "PROVIDERS__AFRICASTALKING__SIM_SWAP": "true",
            **TapServer().settings(),
            **json_settings("hubtel", "advanta", "infobip", "generic"),
            "MISSED_CALLS__NUMBERS": '{"+254711000001": "download_link"}',
            "PAYMENTS__WALLET": "daraja",
            "PAYMENTS__DARAJA__BASE_URL": "https://daraja.example",
            "PAYMENTS__BKASH__ENABLED": "true",
            "PAYMENTS__BKASH__TOPICS": json.dumps([TOPIC]),
            **{f"PAYMENTS__DARAJA__{key}": value for key, value in daraja.items()},
            f"DEPARTMENTS__{OWN_DEPARTMENT.upper()}": DepartmentServer().connector_settings(),
            **values,
        },
    )


def build_sms_id(number: int) -> str:
    """The id that the provider gives to the SMS with this number, counted from 1."""
    return f"ATXid_{number:032x}"


@contextmanager
def _quick_workers() -> Iterator[None]:
    """Let the workers look at once for what the tests queue, and leave periodic jobs out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Outbox.__init__.__kwdefaults__, "poll_interval", POLL_INTERVAL)
        patch.setattr("services.payments.worker.POLL_INTERVAL", POLL_INTERVAL)
        patch.setattr("services.payments.payments.next_poll", lambda _, now: now + timedelta(seconds=LATER))
        for interval in ("RETENTION_DELAY", "ESCALATION_INTERVAL", "CONSENT_INTERVAL", "CALLER_ACTIVITY_INTERVAL"):
            patch.setattr(f"app.workers.{interval}", LATER)
        yield


_UNFINISHED = select(
    select(func.count()).select_from(inbound_sms).where(inbound_sms.c.state == "new").scalar_subquery()
    + select(func.count()).select_from(messages).where(messages.c.status.in_(("queued", "sending"))).scalar_subquery()
    + select(func.count())
    .select_from(payments)
    .where(payments.c.status.in_(("requested", "sending")))
    .scalar_subquery()
)
