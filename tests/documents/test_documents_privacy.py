"""No Aadhaar number and no code is left anywhere: the helpdesk is walked, then logs, metrics, Redis and the database are searched."""

import re
from asyncio import to_thread
from pathlib import Path

from aiohttp import ClientSession
from sqlalchemy import select

from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import inbound_sms, metadata
from tests.fakes.digilocker_server import CLIENT_ID, CLIENT_SECRET, OTP, Account, DigiLockerServer, Paper, status
from tests.phone import Phone, running, settings_for
from tests.program import SECRET, serving
from tests.servers import RedisServer
from tests.test_privacy import everything_in
from tests.texting import texter

NUMBER = "+919198765432"
MINE, THEIRS, SLIP = "234123412346", "999941057058", "234123412345"
NAME, BORN = "Shahanara Parvin", "21-11-1990"
DOCUMENT = "ABCDE1234F"
URI = f"in.gov.cbdt-PANCR-{DOCUMENT}"


async def everything_recorded(database: str, folder: Path) -> bytes:
    """Every value of every table, and of SQLite every octet of its files."""
    async with Records(database) as records:
        rows = [(await records.read(select(table))).all() for table in metadata.sorted_tables]
    return b"\n".join([repr(rows).encode(), *octets_of(folder)])


def octets_of(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("ekdial.db*")]


async def walks_every_way(phone: Phone, digilocker: DigiLockerServer) -> None:
    """Slips, wrong codes, a failure of the issuer, a document, an account that is made; and a link that is opened."""
    await phone.dials()
    await phone.types(
        "1", "3", "1", "1", SLIP, f"{THEIRS[:4]}-{THEIRS[4:8]}-{THEIRS[8:]}", "000000", "1", "1", MINE, OTP
    )
    digilocker.then("oauth2/1/file", status(500), status(500), status(500), status(500, "x" * 50))
    await phone.types("1", "1", "1")
    link = re.search(r"/d/(\w+)", await phone.sms("/d/"))
    assert link
    for query in ("", "?file"):
        async with phone.http.get(f"{phone.url}/d/{link[1]}{query}") as page:
            assert page.status == 200
    await phone.types("00", "3", "1", "2", "1", NAME, BORN, "1", MINE, "913572", OTP)


def given(redis: str, database: str, **more: str) -> dict[str, str]:
    kept = {"REDIS__URL": redis, "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    return {**kept, "SERVER__LOG_LEVEL": "debug", **more}


def holds(held: bytes, secret: str) -> bool:
    """Whether it is there; a code only where it stands alone, for six digits are in some hash by chance."""
    if len(secret) > len(OTP):
        return secret.encode() in held
    return re.search(rb"(?<![0-9a-f])%b(?![0-9a-f])" % secret.encode(), held) is not None


def nothing_is_left(secrets: list[str], places: dict[str, bytes]) -> None:
    for place, held in places.items():
        assert held, place
        found = [one for one in secrets if holds(held, one)]
        assert not found, f"{found} in {place}"


async def test_nothing_of_it_is_left_anywhere(tmp_path: Path, redis_server: RedisServer, database_url: str) -> None:
    redis_server.empty()
    await upgrade(database_url)
    account = Account("0c9f0a1e-digilocker-id", MINE, NUMBER[-10:], [Paper(URI, "PANCR", "PAN")])
    async with DigiLockerServer(account) as digilocker, ClientSession() as http:
        partner = {
            "DOCUMENTS__ISSUER": "digilocker",
            "DOCUMENTS__BASE_URL": digilocker.url,
            "DOCUMENTS__CLIENT_ID": CLIENT_ID,
            "DOCUMENTS__CLIENT_SECRET": CLIENT_SECRET,
        }
        with serving(tmp_path, **given(redis_server.url, database_url, **partner)) as gateway:
            phone = Phone(http, await to_thread(lambda: gateway.url), NUMBER)
            await walks_every_way(phone, digilocker)
            async with http.get(f"{phone.url}/metrics") as answer:
                metrics = await answer.read()
            kept = everything_in(redis_server.url)
            recorded = await everything_recorded(database_url, tmp_path)
        asked = [asked.headers["Authorization"] for asked in digilocker.asked if "Authorization" in asked.headers]
    tokens = [header.split()[1] for header in asked]
    logs = gateway.said.encode()
    assert any("/file/" in path for path in digilocker.paths())
    assert tokens
    assert b"hop" in logs
    assert NUMBER[1:] not in gateway.said
    typed = [MINE, MINE[:8], THEIRS, THEIRS[:8], SLIP, OTP, "913572", NAME, BORN, "1990-11-21"]
    told = [DOCUMENT, URI, CLIENT_SECRET, account.id, *tokens]
    nothing_is_left([*typed, *told], {"logs": logs, "metrics": metrics, "Redis": kept, "the database": recorded})


async def test_in_the_sandbox_the_code_is_not_left_anywhere_either(
    tmp_path: Path, redis_server: RedisServer, database_url: str
) -> None:
    redis_server.empty()
    await upgrade(database_url)
    with serving(tmp_path, **given(redis_server.url, database_url)) as gateway:
        async with ClientSession() as http:
            phone = Phone(http, await to_thread(lambda: gateway.url), NUMBER)
            await phone.dials()
            await phone.types("1", "3", "1", "1", MINE)
            code = (await phone.sms("is your Ekdial code"))[:6]
            await phone.types(code, "1")
            shown = await phone.sms("/d/")
            kept = everything_in(redis_server.url)
            recorded = await everything_recorded(database_url, tmp_path)
    number, token = re.search(r"No\. (\S+)", shown), re.search(r"/d/(\w+)", shown)
    assert number
    assert token
    secrets = [MINE, code, number[1], token[1]]
    nothing_is_left(secrets, {"logs": gateway.said.encode(), "Redis": kept, "the database": recorded})


async def test_by_sms_neither_is_kept_even_sealed(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with running(settings) as url, texter(url, NUMBER) as phone:
        for typed in ("HI", "1", "1"):
            await phone.texts(typed)
        code = re.search(r"\b\d{6}\b", await phone.texts(f"{MINE[:4]} {MINE[4:8]} {MINE[8:]}", expect=2))
        assert code
        await phone.texts(code[0])
    async with Records(settings.database.url.get_secret_value()) as records:
        texts = (await records.read(select(inbound_sms.c.text).order_by(inbound_sms.c.id))).scalars().all()
    assert len(texts) == 5
    assert texts[0], "what was no secret is kept"
    assert texts[3:] == [None, None]
