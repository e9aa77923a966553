"""No personal data leaves the database: the tests walk every journey, then search logs, metrics and Redis."""

import re
from pathlib import Path

from aiohttp import ClientSession

from config.settings import Settings
from tests.support.citizen_steps import ANSWERS, PIN, apply_for_birth_certificate, register
from tests.support.commands import citizen_command
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs, redis_contents, remove_measurements, stored_bytes
from tests.support.servers import RedisServer
from tests.support.sms_phone import open_sms_phone
from tests.support.smtp_server import run_smtp_server
from web.simulator.terminal_inbox import open_inbox

NUMBER = "+8801798765432"
OTHER = "+8801798765439"
NAME = "Shahanara Parvin"
ADDRESS = "shahanara.parvin@example.org"
NEW_PIN, WRONG_PIN = "739154", "913572"
TYPED = (NAME, "Mirpur School", "Ayesha", "Nobodys School", *ANSWERS[:1], *ANSWERS[3:], "Typed Into The Menu")


async def walk_all_journeys(phone: Phone) -> str:
    """Register, apply, track, enter wrong and forgotten PINs and codes, ask for help; the tracking number."""
    await phone.dial()
    await phone.enter("1", "Typed Into The Menu", "5", "1", NAME, PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
    number = await apply_for_birth_certificate(phone)
    await phone.enter("00", "1", "1", "1", "1", "2", OTHER, *ANSWERS)
    await phone.redial()
    await phone.enter("2", number, "1")
    await phone.redial()
    await phone.enter("2", "1", WRONG_PIN, PIN, "1", "00", "7", "00", "6", "00", "1", "1", "1", "4", "00", "8", "2")
    await phone.redial()
    await phone.enter("5", "1", "000000")
    code = (await phone.wait_for_sms("একডায়াল কোড"))[:6]  # the language was changed
    await phone.enter(code, "Nobodys School", "Ayesha", "1", "Mirpur School", "Ayesha", NEW_PIN, NEW_PIN)
    await phone.wait_for_sms("আপনার পিন বদলেছে")
    return number


async def register_by_sms(phone: Phone) -> None:
    """Register another number with one SMS and the PIN that comes back, and choose questions."""
    async with open_sms_phone(phone.url, OTHER) as sms_phone:
        pin = re.search(r"(\d{4}) is your", await sms_phone.send_sms(f"REG {NAME}", expect=2))
        assert pin
        for typed in ("0000", pin[1], "1", "1", "Mirpur School", "2", "Ayesha"):
            await sms_phone.send_sms(typed)
        await sms_phone.send_sms(pin[1], expect=2)


async def call_the_helpdesk(settings: Settings, tracking: str) -> str:
    """What the helpdesk prints of a citizen who calls; only `reveal` shows the name and the number."""
    why = ("--why", "ticket 4711", "--by", "nadia")
    printed = [
        await citizen_command(settings, "show", NUMBER),
        await citizen_command(settings, "show", tracking, "--json"),
        await citizen_command(settings, "messages", OTHER),
        await citizen_command(settings, "reset-pin", OTHER, *why),
    ]
    revealed = await citizen_command(settings, "reveal", NUMBER, *why)
    assert NUMBER in revealed
    assert NAME in revealed
    return "".join(printed)


async def test_logs_metrics_and_redis_hold_nothing_personal(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    with capture_all_logs() as said:
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            tracking = await walk_all_journeys(phone)
            await register_by_sms(phone)
            printed = await call_the_helpdesk(settings, tracking)
            async with http.post(f"{url}/ussd/africastalking", data={"phoneNumber": NUMBER, "text": NAME}) as refused:
                assert refused.status == 400
            async with http.get(f"{admin_url(url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
    logs = said.getvalue()
    assert "hop" in logs, "the journeys were logged"
    assert kept, "the journeys were kept"
    personal = [NUMBER, NUMBER[1:], NUMBER[4:], OTHER, OTHER[4:], PIN, NEW_PIN, WRONG_PIN, tracking, *TYPED]
    printed = printed.replace(tracking, "").replace(f"{tracking[:4]} {tracking[4:8]} {tracking[8:]}", "")
    for place, text in (("logs", logs), ("metrics", metrics), ("what the helpdesk sees", printed)):
        found = [one for one in personal if one in text]
        assert not found, f"{found} in the {place}"
    for one in (*personal, phone.session_id):
        assert one.encode() not in kept, f"{one} can be read in Redis"


async def test_an_address_is_read_in_letters_and_nowhere_else(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    async with run_smtp_server() as smtp_server:
        settings = build_settings(
            tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug", **smtp_server.settings
        )
        with capture_all_logs() as said:
            async with run_gateway(settings) as url, ClientSession() as http:
                phone = Phone(http, url, NUMBER)
                await register(phone)
                await phone.enter("4", "shahanara at home", ADDRESS, "1", PIN)
                link = re.search(r"/d/(\w+)", (await smtp_server.wait_for_email("/d/")).get_content())
                assert link
                async with http.post(f"{url}/d/{link[1]}") as verified:
                    assert verified.status == 200
                tracking = await apply_for_birth_certificate(phone)
                await smtp_server.wait_for_email(tracking[:4])
                smtp_server.answers["RCPT"] = f"550 5.1.1 <{ADDRESS}>: no such user"
                await phone.dial()
                await phone.enter("5", PIN)
                await apply_for_birth_certificate(phone)
                await smtp_server.wait_until(lambda: smtp_server.received_commands.count("RCPT") == 3)
                async with http.get(f"{admin_url(url)}/metrics") as answer:
                    metrics = await answer.text()
                kept = redis_contents(redis_server.url)
    assert 'ekdial_mail_sends_total{outcome="Accepted"} 2.0' in metrics
    assert "RecipientRefused" in said.getvalue()
    for one in (ADDRESS, "shahanara", link[1], tracking, NUMBER[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in remove_measurements(metrics), f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"


async def test_no_wallets_pin_and_no_number_of_a_bill_is_anywhere(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = build_settings(
        tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug", PAYMENTS__PUSH_DELAY="0"
    )
    consumer, wallet_pin = "7193582641", "7305"
    with capture_all_logs() as said:
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            await register(phone)
            bill = await phone.enter("00", "9", "1", consumer)
            assert f"XX{consumer[-4:]}" in bill
            await phone.enter("1")
            async with ClientSession(url) as feed, open_inbox(feed, NUMBER, lambda _: None) as inbox:
                prompt = await inbox.wait_for_prompt(10)
            assert prompt
            pressed = {"request": prompt.id, "pin": wallet_pin}
            async with http.post(f"{url}/simulator/wallet", data=pressed) as answer:
                assert await answer.json() == {"said": "paid"}
            await phone.wait_for_sms("paid to")
            async with http.get(f"{admin_url(url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
    assert 'ekdial_payments_total{outcome="paid"} 1.0' in metrics
    assert "payment_pushed" in said.getvalue()
    rows = stored_bytes(tmp_path)
    assert NUMBER[4:].encode() in rows, "the tables are what is searched"
    for one in (consumer, consumer[-8:]):
        assert one.encode() not in rows, f"{one} can be read in the database"
    for one in (consumer, NUMBER[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in remove_measurements(metrics), f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
    for place in (said.getvalue(), metrics):
        assert not re.search(rf"(?<![\w.]){wallet_pin}(?![\w.])", place), "the wallet's PIN was written down"
    assert f'"{wallet_pin}"'.encode() not in rows


async def test_a_profile_is_read_on_its_owners_screens_and_nowhere_else(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    typed = ("17051987", "Abdul Quddus", "Char Fasson village", "234123412346")
    with capture_all_logs() as said:
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            await register(phone)
            await phone.enter("00", "5", "5", "1", "2", typed[0], "1", "4", typed[1], "1", "6", typed[2], "1", "12")
            assert (await phone.enter(typed[3], PIN)).startswith("Aadhaar: XXXX 2346")
            assert "17-05-1987" in await phone.enter("1")
            await phone.enter("00", "5", "5", "3", "1", "1", PIN)
            token = re.search(r"/d/(\w+)", await phone.wait_for_sms("all your data"))
            assert token
            async with http.post(f"{url}/d/{token[1]}", data={"pin": PIN}) as answer:
                assert "Abdul Quddus" in await answer.text()
            recorded = stored_bytes(tmp_path)
            await phone.enter("00", "5", "5", "3", "2", "1", PIN)
            async with http.get(f"{admin_url(url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
    for one in (*typed, "17-05-1987", "1987-05-17", token[1], NUMBER[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in remove_measurements(metrics), f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
        assert one == NUMBER[4:] or one.encode() not in recorded, f"{one} can be read in the database"


def corrupt_database(folder: Path) -> None:
    """Destroy the database of a running gateway."""
    for file in folder.glob("ekdial.db*"):
        file.unlink()
    (folder / "ekdial.db").write_bytes(b"no database")


async def test_a_failure_of_ours_says_where_and_not_what_was_typed(tmp_path: Path) -> None:
    with capture_all_logs() as said:
        async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
            phone = Phone(http, url, NUMBER)
            await register(phone)
            corrupt_database(tmp_path)
            stranger = Phone(http, url, "+8801798765433")
            screen = await stranger.dial()
    assert screen.startswith(("Sorry, something is wrong on our side.", "Ekdial"))
    for one in (NUMBER[4:], "1798765433", PIN, "Amina"):
        assert one not in said.getvalue()
