"""A session store that loses calls of which no path is sent: it costs the caller one screen, and nothing is lost or done twice."""

import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from sqlalchemy import func, select
from structlog.testing import capture_logs

from core.types import utc_now
from db.database import Database
from db.tables import accounts, applications, open_calls
from sessions import redis_store
from tests.fakes.json_providers import JsonPhone, json_settings
from tests.fakes.tap_server import TapPhone, TapServer
from tests.support.citizen_steps import ANSWERS, PIN, Caller, open_birth_certificate, register
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, Phone, build_settings, run_gateway
from tests.support.program import run_server
from tests.support.servers import LocalRedis, RedisServer
from tests.support.sms_phone import wait_until

MSISDN = "+8801700000001"
REGISTRATION = ("1", "5", "1", "Amina Begum", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
APPLICATION = ("00", "1", "1", "1", "1", "1", *ANSWERS, "1", PIN)
JOURNEY = (*REGISTRATION, *APPLICATION)

SESSION_TTL = timedelta(seconds=600)  # the default of ussd.session_ttl

EmptyStore = Callable[[], Awaitable[object]]


@pytest.fixture
async def embedded_clients(monkeypatch: pytest.MonkeyPatch) -> list[Redis]:
    """The clients of the embedded stores that are opened during the test."""
    opened: list[Redis] = []
    build = redis_store._build_embedded_client

    def build_and_keep() -> Redis:
        opened.append(build())
        return opened[-1]

    monkeypatch.setattr(redis_store, "_build_embedded_client", build_and_keep)
    return opened


@pytest.fixture
def empty_store(redis_url: str, embedded_clients: list[Redis], request: pytest.FixtureRequest) -> EmptyStore:
    """Empties the store of the gateway."""

    async def empty() -> None:
        if redis_url == "memory://":
            for client in embedded_clients:
                await client.flushall()
        else:
            request.getfixturevalue("redis_server").empty()

    return empty


async def read_rows(database_file: Path) -> tuple[int, int, int]:
    """How many accounts, applications and open calls there are."""
    async with Database(f"sqlite+aiosqlite:///{database_file}") as database:
        counts = [
            (await database.fetch(select(func.count()).select_from(table))).scalar_one()
            for table in (accounts, applications, open_calls)
        ]
    return counts[0], counts[1], counts[2]


async def walk_with_losses(phone: Caller, keys: Sequence[str], empty: EmptyStore) -> str:
    """Press the keys; the store is emptied before each of them, which shows the last screen again. The last screen."""
    screen = await phone.dial()
    for key in keys:
        await empty()
        assert await phone.enter(key) == screen, key
        screen = await phone.enter(key)
    return screen


@pytest.mark.parametrize("provider", ["hubtel", "arkesel"])
async def test_a_store_emptied_at_every_key_press_costs_one_screen_each(
    provider: str, tmp_path: Path, redis_url: str, empty_store: EmptyStore
) -> None:
    """Registration and an application: one account and one application, and no wrong PIN is counted."""
    settings = build_settings(tmp_path, REDIS__URL=redis_url, **json_settings(provider))
    async with run_gateway(settings) as url, ClientSession() as http:
        receipt = await walk_with_losses(JsonPhone(http, url, provider, MSISDN), JOURNEY, empty_store)
    assert receipt.startswith("Received. Tracking number")
    assert await read_rows(tmp_path / "ekdial.db") == (1, 1, 1)


async def test_pushed_screens_come_again_too(tmp_path: Path, redis_url: str, empty_store: EmptyStore) -> None:
    async with TapServer() as server:
        settings = build_settings(tmp_path, REDIS__URL=redis_url, **server.settings(), **PUBLIC_SETTINGS)
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = TapPhone(http, url, server, token=WEBHOOK_TOKEN)
            await walk_with_losses(phone, JOURNEY, empty_store)
    assert await read_rows(tmp_path / "ekdial.db") == (1, 1, 0)


async def wait_for_row_since(database_file: Path, moment: datetime) -> None:
    """Return once the database has the screen that was answered after `moment`."""
    async with Database(f"sqlite+aiosqlite:///{database_file}") as database:

        async def is_written() -> bool:
            newest = (await database.fetch(select(func.max(open_calls.c.expires_at)))).scalar_one()
            return newest is not None and newest >= moment + SESSION_TTL

        await wait_until(is_written)


async def test_a_call_goes_on_where_the_process_that_had_its_store_was_killed(tmp_path: Path) -> None:
    """The store is in the process. What the database has is gone on with: the last screen, once it is written."""
    screens, keys = [""], list(enumerate(JOURNEY))
    async with ClientSession() as http:
        phone = JsonPhone(http, "", "hubtel", MSISDN)
        for begin, end in ((0, 5), (5, 11), (11, 18), (18, len(JOURNEY))):
            with run_server(tmp_path, **json_settings("hubtel")) as program:
                phone.url = program.url
                screens.append(await (phone.enter(JOURNEY[begin]) if begin else phone.dial()))
                if begin:
                    assert screens[-1] == screens[-2]
                for _, key in keys[begin:end]:
                    answered = utc_now()
                    screens.append(await phone.enter(key))
                if end < len(JOURNEY):
                    await wait_for_row_since(tmp_path / "ekdial.db", answered)
                program.send_signal(signal.SIGKILL)
                program.wait_for_exit()
    assert screens[-1].startswith("Received. Tracking number")
    assert (await read_rows(tmp_path / "ekdial.db"))[:2] == (1, 1)


async def test_a_call_that_is_dropped_and_lost_is_offered_to_the_next_one_without_its_sign_in(
    tmp_path: Path, redis_url: str, empty_store: EmptyStore
) -> None:
    settings = build_settings(tmp_path, REDIS__URL=redis_url, **json_settings("hubtel"))
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = JsonPhone(http, url, "hubtel", MSISDN)
        await register(phone)
        await open_birth_certificate(phone)
        question = await phone.enter(*ANSWERS[:2])
        await empty_store()
        assert await phone.dial() == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
        await empty_store()
        assert await phone.enter("1") == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
        assert (await phone.enter("1")).startswith("Type your PIN")
        assert await phone.enter(PIN) == question


async def test_an_input_under_an_unknown_id_is_offered_to_go_on(
    tmp_path: Path, redis_url: str, empty_store: EmptyStore
) -> None:
    """As of an SMSC without session ids: the adapter's own id went with the store."""
    settings = build_settings(tmp_path, REDIS__URL=redis_url, **json_settings("arkesel"))
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = JsonPhone(http, url, "arkesel", MSISDN)
        await register(phone)
        await open_birth_certificate(phone)
        question = await phone.enter(*ANSWERS[:2])
        await empty_store()
        phone.presses.append(phone.presses[-1]._replace(session="another-id"))
        assert (await phone.enter("1")).startswith("You were applying for")
        assert (await phone.enter("1")).startswith("Type your PIN")
        assert await phone.enter(PIN) == question


async def test_another_number_gets_nothing_of_the_call(tmp_path: Path, redis_url: str, empty_store: EmptyStore) -> None:
    settings = build_settings(tmp_path, REDIS__URL=redis_url, **json_settings("arkesel"))
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = JsonPhone(http, url, "arkesel", MSISDN)
        await register(phone)
        await empty_store()
        thief = JsonPhone(http, url, "arkesel", "+8801700000002")
        first = await thief.dial()
        thief.presses = [*phone.presses[:-1], phone.presses[-1]._replace(digits="8801700000002")]
        assert await thief.enter("1") == first


async def test_the_end_of_a_call_leaves_no_row_and_a_first_screen_writes_none(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, **json_settings("hubtel"))
    file = tmp_path / "ekdial.db"
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = JsonPhone(http, url, "hubtel", MSISDN)
        await phone.dial()
        await phone.enter("1")
        await wait_for_open_calls(file, 0)
        await phone.enter("1")
        await wait_for_open_calls(file, 1)
        await phone.enter("00")
        await wait_for_open_calls(file, 0)


async def wait_for_open_calls(file: Path, expected: int) -> None:
    """Wait until the database has this many open calls."""

    async def has_them() -> bool:
        return (await read_rows(file))[2] == expected

    await wait_until(has_them)


async def test_a_row_has_neither_the_number_nor_anything_typed(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, **json_settings("hubtel"))
    async with run_gateway(settings) as url, ClientSession() as http:
        await register(phone := JsonPhone(http, url, "hubtel", MSISDN))
        await open_birth_certificate(phone)
        await phone.enter(*ANSWERS[:3])
        await wait_for_open_calls(tmp_path / "ekdial.db", 1)
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        (row,) = await database.fetch(select(open_calls))
    for private in (MSISDN[1:], PIN, "Rahim", "Amina", "birth"):
        assert private not in f"{row.caller} {row.session}"


async def test_while_the_store_is_down_a_call_ends_in_words_and_nothing_is_recorded(tmp_path: Path) -> None:
    """When the store is back, empty, the next call goes on at the last question."""
    with LocalRedis() as redis, capture_logs() as lines:
        settings = build_settings(tmp_path, REDIS__URL=redis.url, REDIS__DEADLINE="0.5", **json_settings("hubtel"))
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = JsonPhone(http, url, "hubtel", MSISDN)
            await register(phone)
            await open_birth_certificate(phone)
            question = await phone.enter(*ANSWERS, "1")
            assert "type your current PIN" in question
            redis.kill()
            assert (await phone.enter(PIN)).startswith("Sorry, something is wrong on our side. Nothing was lost.")
            assert phone.ended
            assert (await JsonPhone(http, url, "hubtel", MSISDN).dial()).startswith("Sorry")
            assert (await read_rows(tmp_path / "ekdial.db"))[1] == 0
            redis.restart()
            redis.empty()

            async def is_offered() -> bool:
                return (await phone.dial()).startswith("You were applying for")

            await wait_until(is_offered)
            await phone.enter("1", PIN)
            await phone.enter("1", PIN)
    assert (await read_rows(tmp_path / "ekdial.db"))[1] == 1
    assert MSISDN not in str(lines)


async def test_a_replica_that_lacks_the_last_screens_makes_no_input_count_at_an_older_one(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, **json_settings("arkesel"))
    async with (
        run_gateway(settings) as url,
        ClientSession() as http,
        Redis.from_url(redis_server.url) as client,
    ):
        phone = JsonPhone(http, url, "arkesel", MSISDN)
        await register(phone)
        before = {key: await client.dump(key) for key in await client.keys("ek:s:*")}
        await open_birth_certificate(phone)
        question = await phone.enter(*ANSWERS[:1])
        for key, value in before.items():
            await client.restore(key, 600_000, value, replace=True)
        assert await phone.enter(ANSWERS[1]) == question
        assert await phone.enter(*ANSWERS[1:3]) != question


async def test_a_dropped_call_is_offered_on_another_network_too(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, **json_settings("hubtel"))
    async with run_gateway(settings) as url, ClientSession() as http:
        await register(phone := JsonPhone(http, url, "hubtel", MSISDN))
        await open_birth_certificate(phone)
        await phone.enter(ANSWERS[0])
        assert (await Phone(http, url, MSISDN).dial()).startswith("You were applying for")
