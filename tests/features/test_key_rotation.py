"""A gateway changes its secret: citizens go on where they were, and in the end nothing needs the former one."""

import asyncio
from base64 import b64encode

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from core.crypto import Cipher
from db.database import Database
from db.tables import encryption_keys, metadata
from db.tables.columns import KeyedHash
from services.keys.usage import count_usage
from tests.support.citizen_steps import ANSWERS, PIN, apply_for_birth_certificate, register
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.program import SECRET, run_program
from tests.support.sms_phone import open_sms_phone

NEW_SECRET = "the secret that takes its place, long enough"
FORMER = Cipher(SECRET.encode())
BOTH = Cipher(NEW_SECRET.encode(), [SECRET.encode()])


async def use_the_gateway(url: str, http: ClientSession) -> tuple[Phone, str]:
    """Register, apply, look up a bill, send feedback, and hang up in a form; the phone and its last screen."""
    phone = Phone(http, url)
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.enter("00", "9", "1", "7193582641")
    async with open_sms_phone(url) as sms_phone:
        await sms_phone.send_sms(f"STATUS {number}")
        await sms_phone.send_sms("FEEDBACK the queue was long")
    await phone.redial()
    return phone, await phone.enter("1", "1", "1", "1", "1", PIN, *ANSWERS[:2])


async def cells(database: Database):
    """Every text and every binary value of every table, with its column."""
    for table in metadata.sorted_tables:
        for row in await database.fetch(select(table)):
            for column, value in zip(table.columns, row, strict=True):
                if isinstance(value, bytes | str) and table is not encryption_keys:
                    yield column, value


@pytest.mark.africastalking_wire("the request is repeated at another gateway")
async def test_a_changed_secret_interrupts_nobody_and_the_former_one_can_go(tmp_path, redis_server):
    redis_server.empty()
    before = {"REDIS__URL": redis_server.url}
    async with run_gateway(build_settings(tmp_path, **before)) as url, ClientSession() as http:
        phone, screen = await use_the_gateway(url, http)

    after = {**before, "KEYS__SECRET": NEW_SECRET, "KEYS__FORMER": f'["{SECRET}"]'}
    async with run_gateway(build_settings(tmp_path, **after)) as url, ClientSession() as http:
        phone.http, phone.url = http, url
        assert await phone.resend() == screen, "the session goes on"
        rotated = await asyncio.to_thread(run_program, tmp_path, "keys", "rotate", "--why", "ticket 4711", **after)
        assert (rotated.returncode, rotated.stderr) == (0, "")
        await phone.redial()
        await phone.enter("5", PIN)
        assert "Birth" in await phone.enter("1"), "the PIN signs in, and the application is shown"

    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        current, former, *_ = await count_usage(database, BOTH)
        assert len(current.encrypted) >= 6
        assert (former.encrypted.total(), former.secret_hashes["accounts.pin_hash"]) == (0, 0)
        text_label = b64encode(FORMER.label).decode()
        async for column, value in cells(database):
            assert not value.startswith(FORMER.label if isinstance(value, bytes) else text_label), column
            if isinstance(value, str) and value.startswith((FORMER.key_id[:4], BOTH.key_id[:4])) and len(value) == 32:
                assert isinstance(column.type, KeyedHash) or str(column) == "payments.reference", column


async def test_two_gateways_with_different_secrets_do_not_share_a_redis(tmp_path, redis_server):
    redis_server.empty()
    shared = {"REDIS__URL": redis_server.url, "SERVER__PORT": "0"}
    async with run_gateway(build_settings(tmp_path, **shared)):
        pass
    other = {**shared, "DATABASE__URL": f"sqlite+aiosqlite:///{tmp_path}/other.db", "KEYS__SECRET": NEW_SECRET}
    for command in ("check", "serve"):
        refused = await asyncio.to_thread(run_program, tmp_path, command, **other)
        assert refused.returncode == 2, refused.stdout
        assert f"KEYS__SECRET: Redis has values of key {FORMER.key_id}, and this is key" in refused.stderr
    async with run_gateway(build_settings(tmp_path, KEYS__FORMER=f'["{SECRET}"]', **other)):
        pass
    assert (await asyncio.to_thread(run_program, tmp_path, "check", **other)).returncode == 0
