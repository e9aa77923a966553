"""Nothing personal leaves the database: every journey is walked, then logs, metrics and Redis are searched for it."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import redis
import structlog
from aiohttp import ClientSession

import server
from tests.journeys.steps import ANSWERS, PIN, applies, registers
from tests.mail.post_office import open_office
from tests.phone import Phone, running, settings_for
from tests.servers import RedisServer
from web.simulator.received import inbox_of

NUMBER = "+8801798765432"
OTHER = "+8801798765439"
NAME = "Shahanara Parvin"
ADDRESS = "shahanara.parvin@example.org"
NEW_PIN, WRONG_PIN = "739154", "913572"
TYPED = (NAME, "Mirpur School", "Ayesha", "Nobodys School", *ANSWERS[:1], *ANSWERS[3:], "Typed Into The Menu")


@contextmanager
def everything_said() -> Iterator[io.StringIO]:
    """All that the program writes, at its most talkative."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        with redirect_stderr(said), redirect_stdout(said):
            server.log_as("debug")
            structlog.configure(cache_logger_on_first_use=False)  # or what logs once here logs here for ever
            yield said
    finally:
        logging.getLogger().setLevel(level)
        logging.getLogger().removeHandler(handler)
        structlog.reset_defaults()


def everything_in(url: str) -> bytes:
    """Every key and value of a Redis, whatever their type."""
    with redis.Redis.from_url(url) as client:
        found = []
        for key in client.scan_iter(count=1000):
            found += [key, client.dump(key)]
            if client.type(key) == b"string":
                found.append(client.get(key))
            if client.type(key) == b"hash":
                found += [part for pair in client.hgetall(key).items() for part in pair]
        return b"\n".join(found)


def everything_recorded(folder: Path) -> bytes:
    """The database as it lies on the disk, with what was not written back yet."""
    return b"".join(path.read_bytes() for path in folder.glob("ekdial.db*"))


async def walks_every_journey(phone: Phone) -> str:
    """Registering with a code, applying, following, wrong and forgotten PINs, help, links; the tracking number."""
    await phone.dials()
    await phone.types("1", "Typed Into The Menu", "5", "1")
    code = (await phone.sms("is your Ekdial code"))[:6]
    await phone.types("000000", code, NAME, PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
    number = await applies(phone)
    await phone.types("00", "1", "1", "1", "1", "2", OTHER, *ANSWERS)
    await phone.redials()
    await phone.types("2", number, "1")
    await phone.redials()
    await phone.types("2", "1", WRONG_PIN, PIN, "1", "00", "7", "00", "6", "00", "1", "1", "1", "4", "00", "8", "2")
    await phone.redials()
    await phone.types("5", "1", "Nobodys School", "Ayesha", "1", "Mirpur School", "Ayesha", NEW_PIN, NEW_PIN)
    return number


async def test_logs_metrics_and_redis_hold_nothing_personal(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, USSD__VOUCHES="false", SERVER__LOG_LEVEL="debug")
    with everything_said() as said:
        async with running(settings) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            tracking = await walks_every_journey(phone)
            async with http.post(f"{url}/ussd/africastalking", data={"phoneNumber": NUMBER, "text": NAME}) as refused:
                assert refused.status == 400
            async with http.get(f"{url}/metrics") as answer:
                metrics = await answer.text()
            kept = everything_in(redis_server.url)
    logs = said.getvalue()
    assert "hop" in logs, "the journeys were logged"
    assert kept, "the journeys were kept"
    personal = [NUMBER, NUMBER[1:], NUMBER[4:], OTHER, OTHER[4:], PIN, NEW_PIN, WRONG_PIN, tracking, *TYPED]
    for place, text in (("logs", logs), ("metrics", metrics)):
        found = [one for one in personal if one in text]
        assert not found, f"{found} in the {place}"
    for one in (*personal, phone.session):
        assert one.encode() not in kept, f"{one} can be read in Redis"


async def test_an_address_is_read_in_letters_and_nowhere_else(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    async with open_office() as post:
        settings = settings_for(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug", **post.settings)
        with everything_said() as said:
            async with running(settings) as url, ClientSession() as http:
                phone = Phone(http, url, NUMBER)
                await registers(phone)
                await phone.types("4", "shahanara at home", ADDRESS, "1")
                link = re.search(r"/d/(\w+)", (await post.letter("/d/")).get_content())
                assert link
                async with http.post(f"{url}/d/{link[1]}") as verified:
                    assert verified.status == 200
                tracking = await applies(phone)
                await post.letter(tracking[:4])
                post.answers["RCPT"] = f"550 5.1.1 <{ADDRESS}>: no such user"
                await phone.dials()
                await phone.types("5", PIN)
                await applies(phone)
                await post.until(lambda: post.heard.count("RCPT") == 3)
                async with http.get(f"{url}/metrics") as answer:
                    metrics = await answer.text()
                kept = everything_in(redis_server.url)
    assert 'ekdial_mail_sends_total{end="Accepted"} 2.0' in metrics
    assert "RecipientRefused" in said.getvalue()
    for one in (ADDRESS, "shahanara", link[1], tracking, NUMBER[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in metrics, f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"


async def test_no_wallets_pin_and_no_number_of_a_bill_is_anywhere(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug", PAYMENTS__AFTER_CALL="0")
    consumer, wallet_pin = "7193582641", "7305"
    with everything_said() as said:
        async with running(settings) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            await registers(phone)
            bill = await phone.types("00", "9", "1", consumer)
            assert f"XX{consumer[-4:]}" in bill
            await phone.types("1")
            async with ClientSession(url) as feed, inbox_of(feed, NUMBER, lambda _: None) as inbox:
                prompt = await inbox.asked(10)
            assert prompt
            pressed = {"request": prompt.id, "pin": wallet_pin}
            async with http.post(f"{url}/simulator/wallet", data=pressed) as answer:
                assert await answer.json() == {"said": "paid"}
            await phone.sms("paid to")
            async with http.get(f"{url}/metrics") as answer:
                metrics = await answer.text()
            kept = everything_in(redis_server.url)
    assert 'ekdial_payments_total{outcome="paid"} 1.0' in metrics
    assert "payment asked for" in said.getvalue()
    rows = everything_recorded(tmp_path)
    assert NUMBER[4:].encode() in rows, "the tables are what is searched"
    for one in (consumer, consumer[-8:]):
        assert one.encode() not in rows, f"{one} can be read in the database"
    for one in (consumer, NUMBER[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in metrics, f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
    for place in (said.getvalue(), metrics):
        assert not re.search(rf"(?<![\w.]){wallet_pin}(?![\w.])", place), "the wallet's PIN was written down"
    assert f'"{wallet_pin}"'.encode() not in rows


async def test_a_profile_is_read_on_its_owners_screens_and_nowhere_else(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    typed = ("17051987", "Abdul Quddus", "Char Fasson village", "234123412346")
    with everything_said() as said:
        async with running(settings) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            await registers(phone)
            await phone.types("00", "5", "5", "1", "2", typed[0], "1", "4", typed[1], "1", "6", typed[2], "1", "12")
            assert (await phone.types(typed[3])).startswith("Aadhaar: XXXX 2346")
            assert "17-05-1987" in await phone.types("1")
            await phone.types("00", "5", "5", "3", "1", "1")
            token = re.search(r"/d/(\w+)", await phone.sms("all that is kept of you"))
            assert token
            async with http.get(f"{url}/d/{token[1]}") as answer:
                assert "Abdul Quddus" in await answer.text()
            recorded = everything_recorded(tmp_path)
            await phone.types("00", "5", "5", "3", "2", PIN, "1")
            async with http.get(f"{url}/metrics") as answer:
                metrics = await answer.text()
            kept = everything_in(redis_server.url)
    for one in (*typed, "17-05-1987", "1987-05-17", token[1], NUMBER[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in metrics, f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
        assert one == NUMBER[4:] or one.encode() not in recorded, f"{one} can be read in the database"


def ruin(folder: Path) -> None:
    """No database any more, under a gateway that runs."""
    for file in folder.glob("ekdial.db*"):
        file.unlink()
    (folder / "ekdial.db").write_bytes(b"no database")


async def test_a_failure_of_ours_says_where_and_not_what_was_typed(tmp_path: Path) -> None:
    with everything_said() as said:
        async with running(settings_for(tmp_path)) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            await registers(phone)
            ruin(tmp_path)
            stranger = Phone(http, url, "+8801798765433")
            screen = await stranger.dials()
    assert screen.startswith(("Sorry, something is wrong on our side.", "Ekdial"))
    for one in (NUMBER[4:], "1798765433", PIN, "Amina"):
        assert one not in said.getvalue()
