"""No Aadhaar number and no code is stored: the test uses the documents menu, then searches logs, metrics, Redis and database."""

import re
from asyncio import to_thread
from pathlib import Path

from aiohttp import ClientSession
from sqlalchemy import select

from db.database import Database
from db.migrate import upgrade
from db.tables import inbound_sms, metadata
from tests.fakes.digilocker_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    OTP,
    Account,
    DigiLockerServer,
    IssuedDocument,
    respond_status,
)
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.privacy import redis_contents
from tests.support.program import SECRET, run_server
from tests.support.servers import RedisServer
from tests.support.sms_phone import open_sms_phone

NUMBER = "+919198765432"
MINE, THEIRS, SLIP = "234123412346", "999941057058", "234123412345"
NAME, BORN = "Shahanara Parvin", "21-11-1990"
DOCUMENT = "ABCDE1234F"
URI = f"in.gov.cbdt-PANCR-{DOCUMENT}"


async def all_stored_values(database: str, folder: Path) -> bytes:
    """Every value of every table, and every byte of the SQLite files."""
    async with Database(database) as records:
        rows = [(await records.fetch(select(table))).all() for table in metadata.sorted_tables]
    return b"\n".join([repr(rows).encode(), *file_bytes(folder)])


def file_bytes(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("ekdial.db*")]


async def walk_documents_menu(phone: Phone, digilocker: DigiLockerServer) -> None:
    """Enter typos, wrong codes and right ones, with a failing issuer, an opened document and a new account."""
    await phone.dial()
    await phone.enter(
        "1", "3", "1", "1", SLIP, f"{THEIRS[:4]}-{THEIRS[4:8]}-{THEIRS[8:]}", "000000", "1", "1", MINE, OTP
    )
    digilocker.respond_with(
        "oauth2/1/file", respond_status(500), respond_status(500), respond_status(500), respond_status(500, "x" * 50)
    )
    await phone.enter("1", "1", "1")
    link = re.search(r"/d/(\w+)", await phone.wait_for_sms("/d/"))
    assert link
    for form in (None, {"file": "1"}):
        async with phone.http.post(f"{phone.url}/d/{link[1]}", data=form) as page:
            assert page.status == 200
    await phone.enter("00", "3", "1", "2", "1", NAME, BORN, "1", MINE, "913572", OTP)


def build_environment(redis: str, database: str, **more: str) -> dict[str, str]:
    kept = {"REDIS__URL": redis, "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    return {**kept, "SERVER__LOG_LEVEL": "debug", **more}


def contains_secret(held: bytes, secret: str) -> bool:
    """Whether a secret is in the content; a code only as a separate number, because hashes contain six digits by chance."""
    if len(secret) > len(OTP):
        return secret.encode() in held
    return re.search(rb"(?<![0-9a-f])%b(?![0-9a-f])" % secret.encode(), held) is not None


def assert_no_secret_left(secrets: list[str], places: dict[str, bytes]) -> None:
    for place, held in places.items():
        assert held, place
        found = [one for one in secrets if contains_secret(held, one)]
        assert not found, f"{found} in {place}"


async def test_nothing_of_it_is_left_anywhere(tmp_path: Path, redis_server: RedisServer, database_url: str) -> None:
    redis_server.empty()
    await upgrade(database_url)
    account = Account("0c9f0a1e-digilocker-id", MINE, NUMBER[-10:], [IssuedDocument(URI, "PANCR", "PAN")])
    async with DigiLockerServer(account) as digilocker, ClientSession() as http:
        partner = {
            "DOCUMENTS__ISSUER": "digilocker",
            "DOCUMENTS__BASE_URL": digilocker.url,
            "DOCUMENTS__CLIENT_ID": CLIENT_ID,
            "DOCUMENTS__CLIENT_SECRET": CLIENT_SECRET,
        }
        with run_server(tmp_path, **build_environment(redis_server.url, database_url, **partner)) as gateway:
            phone = Phone(http, await to_thread(lambda: gateway.url), NUMBER)
            await walk_documents_menu(phone, digilocker)
            async with http.get(f"{gateway.admin_url}/metrics") as answer:
                metrics = await answer.read()
            kept = redis_contents(redis_server.url)
            recorded = await all_stored_values(database_url, tmp_path)
        asked = [asked.headers["Authorization"] for asked in digilocker.requests if "Authorization" in asked.headers]
    tokens = [header.split()[1] for header in asked]
    logs = gateway.output.encode()
    assert any("/file/" in path for path in digilocker.request_paths())
    assert tokens
    assert b"hop" in logs
    assert NUMBER[1:] not in gateway.output
    typed = [MINE, MINE[:8], THEIRS, THEIRS[:8], SLIP, OTP, "913572", NAME, BORN, "1990-11-21"]
    told = [DOCUMENT, URI, CLIENT_SECRET, account.id, *tokens]
    assert_no_secret_left([*typed, *told], {"logs": logs, "metrics": metrics, "Redis": kept, "the database": recorded})


async def test_in_the_sandbox_the_code_is_not_left_anywhere_either(
    tmp_path: Path, redis_server: RedisServer, database_url: str
) -> None:
    redis_server.empty()
    await upgrade(database_url)
    with run_server(tmp_path, **build_environment(redis_server.url, database_url)) as gateway:
        async with ClientSession() as http:
            phone = Phone(http, await to_thread(lambda: gateway.url), NUMBER)
            await phone.dial()
            await phone.enter("1", "3", "1", "1", MINE)
            code = (await phone.wait_for_sms("is your Ekdial code"))[:6]
            await phone.enter(code, "1")
            shown = await phone.wait_for_sms("/d/")
            kept = redis_contents(redis_server.url)
            recorded = await all_stored_values(database_url, tmp_path)
    number, token = re.search(r"No\. (\S+)", shown), re.search(r"/d/(\w+)", shown)
    assert number
    assert token
    secrets = [MINE, code, number[1], token[1]]
    assert_no_secret_left(secrets, {"logs": gateway.output.encode(), "Redis": kept, "the database": recorded})


async def test_by_sms_neither_is_kept_even_sealed(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_sms_phone(url, NUMBER) as phone:
        for typed in ("HI", "1", "1"):
            await phone.send_sms(typed)
        code = re.search(r"\b\d{6}\b", await phone.send_sms(f"{MINE[:4]} {MINE[4:8]} {MINE[8:]}", expect=2))
        assert code
        await phone.send_sms(code[0])
    async with Database(settings.database.url.get_secret_value()) as database:
        texts = (await database.fetch(select(inbound_sms.c.text).order_by(inbound_sms.c.id))).scalars().all()
    assert len(texts) == 5
    assert texts[0], "what was no secret is kept"
    assert texts[3:] == [None, None]
