"""Inbound SMS through the webhook: every one is acknowledged, handled once by any process, and kept private."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from redis import Redis
from sqlalchemy import func, select, text, update
from yarl import URL

import core.http.webhooks
from app import workers
from core.crypto import Cipher
from db.database import Database
from db.migrate import upgrade
from db.tables import inbound_sms, messages, opt_outs, unparsed_webhooks
from services.messaging.inbound import InboundSms, InboundSmsRepository, build_reply_key
from services.messaging.messages import Messages
from sms.loop_guard import MAX_ANSWERS, MAX_SAME_TEXT
from sms.routes import MAX_SMS_BODY_BYTES
from tests.support.phone import UNREACHABLE_REDIS_URL, WEBHOOK_TOKEN, Phone, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs, redis_contents
from tests.support.servers import RedisServer
from tests.support.sms_phone import ROUTE, SmsPhone, open_sms_phone, wait_until
from tests.support.voice_forms import ringing_form

SECRET = "a secret for tests that is long enough"  # as `settings_for` gives it
NUMBER = "+8801700000001"
INBOUND_PATH = "/sms/africastalking"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[SmsPhone]:
    async with run_gateway(build_settings(tmp_path)) as url, open_sms_phone(url) as phone:
        yield phone


@asynccontextmanager
async def open_database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        yield database


async def inbound_counts(phone: SmsPhone) -> dict[str, int]:
    """How many SMS were taken for what, as `/metrics` says."""
    async with phone.http.get(f"{admin_url(phone.url)}/metrics") as answer:
        lines = [
            line for line in (await answer.text()).splitlines() if line.startswith('ekdial_hops_total{channel="sms"')
        ]
    return {line.split('"')[3]: int(float(line.split()[-1])) for line in lines if not line.endswith(" 0.0")}


async def wait_for_counts(phone: SmsPhone, **taken_for: int) -> None:
    """Return when so many SMS have been taken for this."""

    async def so_many() -> bool:
        return taken_for.items() <= (await inbound_counts(phone)).items()

    await wait_until(so_many)


# What is acknowledged --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"from=%2B8801700000001", b"text=MENU", b"{}", b"\xff\xfe\x00", b"&".join(b"a%d=1" % n for n in range(80))],
    ids=["empty", "no text", "no sender", "JSON", "octets", "eighty fields"],
)
async def test_an_unparsed_webhook_is_acknowledged_and_stored(phone: SmsPhone, tmp_path: Path, body: bytes) -> None:
    assert await phone.post_form(body) == 200
    async with open_database(tmp_path) as database:
        (kept,) = (await database.fetch(select(unparsed_webhooks))).all()
    assert kept.route == ROUTE
    assert b"8801700000001" not in kept.body
    assert not await inbound_counts(phone)


@pytest.mark.parametrize("letter", ["x", "ক", "🙂", "👩‍👩‍👧‍👦"])
async def test_an_sms_of_two_thousand_letters_gets_one_reply(phone: SmsPhone, letter: str) -> None:
    assert "'সাহায্য'" in await phone.send_sms(letter * 2_000)


async def test_a_body_longer_than_any_sms_is_acknowledged_and_stored(phone: SmsPhone, tmp_path: Path) -> None:
    with capture_all_logs() as said:
        assert await phone.post_form(b"from=%2B8801700000001&text=" + b"x" * MAX_SMS_BODY_BYTES) == 200
    (line,) = (line for line in said.getvalue().splitlines() if "webhook_unparsed" in line)
    assert "xxxx" not in line
    async with open_database(tmp_path) as database:
        assert (await database.fetch(select(unparsed_webhooks.c.reason))).scalars().all() == [
            f"The body of a webhook has at most {MAX_SMS_BODY_BYTES} bytes."
        ]
    assert not await inbound_counts(phone)


@pytest.mark.parametrize("route", [INBOUND_PATH, f"{INBOUND_PATH}/delivery", f"{INBOUND_PATH}/optout"])
async def test_an_incomplete_body_gets_503_and_is_not_stored(phone: SmsPhone, tmp_path: Path, route: str) -> None:
    """`Content-Encoding: gzip` over what is none is damaged for us, and the connection is still there to say so."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    async with phone.http.post(f"{phone.url}{route}", data=b"from=%2B8801700000001&text=MENU", headers=headers) as said:
        assert said.status == 503
    async with open_database(tmp_path) as database:
        assert not (await database.fetch(select(unparsed_webhooks))).all()


async def test_a_slow_body_gets_503(phone: SmsPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.http.webhooks.read_form, "__defaults__", (core.http.webhooks.MAX_BODY_BYTES, 0.05))
    url = URL(phone.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST {INBOUND_PATH} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: {FORM}\r\nContent-Length: 60\r\n\r\n"
    writer.write(head.encode() + b"from=%2B8801700000001")
    async with asyncio.timeout(10):
        assert b" 503 " in await reader.readline()
    writer.close()


async def test_a_request_without_the_token_gets_404(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=WEBHOOK_TOKEN)
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        assert await phone.post_form(phone.build_form("MENU")) == 404
        assert await phone.post_form(phone.build_form("MENU"), f"?token={WEBHOOK_TOKEN}") == 200
        assert (await phone.receive(0))[0].startswith("Ekdial\n")


async def test_an_sms_that_cannot_be_recorded_gets_503(phone: SmsPhone, tmp_path: Path) -> None:
    async with open_database(tmp_path) as database, database.transaction() as transaction:
        await transaction.execute(text("ALTER TABLE inbound_sms RENAME TO elsewhere"))
    form = phone.build_form("MENU")
    assert await phone.post_form(form) == 503
    async with open_database(tmp_path) as database, database.transaction() as transaction:
        await transaction.execute(text("ALTER TABLE elsewhere RENAME TO inbound_sms"))
    assert await phone.post_form(form) == 200
    assert (await phone.receive(0))[0].startswith("Ekdial\n")


# What is answered ------------------------------------------------------------------------------------------------------


async def test_a_repeated_id_is_the_same_sms(phone: SmsPhone) -> None:
    form = phone.build_form("MENU")
    assert [await phone.post_form(form) for _ in range(3)] == [200, 200, 200]
    assert len(await phone.send_all()) == 1
    assert (await inbound_counts(phone))["duplicate"] == 2


async def test_concurrent_requests_with_one_id_get_one_reply(phone: SmsPhone) -> None:
    form = phone.build_form("MENU")
    assert set(await asyncio.gather(*(phone.post_form(form) for _ in range(20)))) == {200}
    assert len(await phone.send_all()) == 1


async def test_the_same_text_again_is_handled_after_the_reply_to_the_first(phone: SmsPhone) -> None:
    await phone.send_sms("MENU")
    assert (await phone.send_sms("1")).startswith("Find a service")
    assert (await phone.send_sms("1")).startswith("Identity and travel")


async def test_concurrent_sms_are_answered_in_their_order(phone: SmsPhone) -> None:
    heard = await phone.send_all("MENU", "1", "2", "0", "00")
    firsts = [text.split("\n")[0] for text in heard]
    assert firsts == ["Ekdial", "Find a service", "Land records", "Find a service", "Ekdial"]


@pytest.mark.parametrize("sender", ["MTN", "22384", "EKDIAL", "+12", "Telco-Info"])
async def test_senders_that_are_no_phone_number_get_no_reply(phone: SmsPhone, tmp_path: Path, sender: str) -> None:
    assert await phone.post_form(phone.build_form("Your balance is low", **{"from": sender})) == 200
    assert await phone.send_all() == []
    async with open_database(tmp_path) as database:
        sent = (await database.fetch(select(messages.c.recipient))).scalars().all()
    assert sender not in sent
    assert (await inbound_counts(phone))["ignored"] == 1


async def test_a_number_of_an_unsupported_country_gets_one_reply(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, open_sms_phone(url, "+33612345678") as phone:
        said = await phone.send_sms("MENU")
        assert said == "Sorry, this service is not open to numbers from your country."
        for text in ("HELP", "1"):
            await phone.post_form(phone.build_form(text))
        await wait_for_counts(phone, abroad=3)
        assert len(phone.inbox.messages) == 1


async def test_a_machine_that_answers_our_replies_gets_no_more(phone: SmsPhone) -> None:
    """An automatic reply always says the same, and is not understood."""
    for _ in range(1 + MAX_SAME_TEXT):  # the first answer also says how to change the language
        await phone.send_sms("I am driving and will call you back")
    with capture_all_logs() as said:
        await phone.post_form(phone.build_form("I am driving and will call you back"))
        await wait_for_counts(phone, loop=1)
    assert "too_often" in said.getvalue()
    assert phone.msisdn[1:] not in said.getvalue()
    assert (await phone.send_sms("MENU")).startswith("Ekdial\n"), "whoever asks for something is answered still"


async def test_an_echo_of_our_text_gets_no_reply(phone: SmsPhone) -> None:
    ours = await phone.send_sms("what?")
    await phone.post_form(phone.build_form(ours))
    await wait_for_counts(phone, loop=1)
    assert len(phone.inbox.messages) == 1


async def test_replies_in_ten_minutes_are_limited_and_stop_still_works(phone: SmsPhone, tmp_path: Path) -> None:
    await phone.send_sms("MENU")
    for turn in range(MAX_ANSWERS - 1):
        await phone.send_sms("10" if turn % 2 else "00")
    last = await phone.send_sms("7")
    assert re.fullmatch(
        r"Ekdial has answered you many times in ten minutes, so it pauses\. It answers again at \d+:\d\d [ap]m\. "
        r"By phone: .+",
        last,
    ), "2.6: one last word"
    for key in ("8", "9", "1"):
        await phone.post_form(phone.build_form(key))
    await wait_for_counts(phone, loop=4)
    await phone.post_form(phone.build_form("STOP"))
    await wait_for_counts(phone, stop=1)
    assert len(phone.inbox.messages) == MAX_ANSWERS + 1
    async with open_database(tmp_path) as database:
        assert (await database.fetch(select(opt_outs.c.msisdn))).scalars().all() == [phone.msisdn]


async def test_the_menu_sent_after_a_missed_call_outlives_a_provider_outage(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """It is worth sending for an hour, and its numbers are heard for as long after that as those of any conversation."""
    redis_server.empty()
    lines = json.dumps({"+254711000001": "call_back_menu"})
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, MISSED_CALLS__NUMBERS=lines)
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        async with phone.http.post(f"{url}/voice/africastalking", data=ringing_form("1", NUMBER)) as rejected:
            assert "<Reject/>" in await rejected.text()
        assert (await phone.receive(0))[0].startswith("একডায়াল\n1 সেবা খুঁজুন")
        with Redis.from_url(redis_server.url) as redis:
            lasts = {redis.ttl(key) for key in redis.scan_iter("ek:s:*")}
        assert (await phone.send_sms("7")).startswith("ফোনে সাহায্য")
    assert max(lasts) > timedelta(hours=1).total_seconds() + settings.sms.conversation_ttl - 60
    async with open_database(tmp_path) as database:
        row = (await database.fetch(select(messages).order_by(messages.c.id))).first()
    assert (row.kind, row.not_after - row.created_at) == ("menu", timedelta(hours=1))


async def test_a_number_that_opted_out_still_gets_replies(phone: SmsPhone) -> None:
    await phone.send_sms("STOP")
    assert (await phone.send_sms("MENU")).startswith("Ekdial\n")
    assert (await phone.send_sms("START")).startswith("Welcome back.")


async def test_a_running_gateway_deletes_expired_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "RETENTION_DELAY", 0.0)
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        await phone.send_sms("HELP")
    async with open_database(tmp_path) as database:
        async with database.transaction() as transaction:
            await transaction.execute(update(inbound_sms).values(done_at=datetime.now(UTC) - timedelta(days=31)))

        async def forgotten() -> bool:
            return not (await database.fetch(select(inbound_sms.c.id))).all()

        async with run_gateway(settings):
            await wait_until(forgotten)


# Whoever dies ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_sms_acknowledged_by_a_killed_process_are_answered_by_the_next(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    await upgrade(url)
    cipher = Cipher(SECRET.encode())
    async with Database(url) as database:
        inbound = InboundSmsRepository(database, Messages(database, cipher), cipher)
        for key, text in (("a", "MENU"), ("b", "7")):
            await inbound.record(InboundSms(key, NUMBER, "22384", text))
    async with run_gateway(build_settings(tmp_path)) as gateway, open_sms_phone(gateway) as phone:
        await wait_for_counts(phone, menu=1, answer=1)
        heard = [text.split("\n")[0] for text in await phone.receive(0, 2)]
    assert heard == ["Ekdial", "Help by phone: +880 1550-060060"]


@pytest.mark.slow
async def test_an_sms_handled_before_a_crash_gets_the_stored_reply(tmp_path: Path, redis_server: RedisServer) -> None:
    """The process died between saving the conversation and queueing the reply: `Bangla` was a name, and names no language now."""
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url)
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        await phone.send_sms("REG")
        pin, first = sorted((await phone.send_sms("Bangla", id="the-one", expect=2)).split("\n---\n"))
    assert "is your Ekdial PIN" in pin
    async with open_database(tmp_path) as database, database.transaction() as transaction:
        await transaction.execute(
            text("UPDATE inbound_sms SET state = 'new', claimed_until = NULL WHERE provider_id = 'the-one'")
        )
        await transaction.execute(text("DELETE FROM messages WHERE idempotency_key = 'sms/the-one/reply'"))
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        (again,) = await phone.receive(0, 1)
    assert again == first
    assert "We sent a PIN to this number by SMS." in again


@pytest.mark.slow
async def test_two_processes_answer_one_person_in_order_and_once(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    database_url = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    await upgrade(database_url)
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, DATABASE__URL=database_url)
    async with run_gateway(settings) as one, run_gateway(settings) as other, open_sms_phone(one) as phone:
        forms = [phone.build_form(text) for text in ("MENU", "1", "2", "0", "00")]
        for number, form in enumerate(forms):
            phone.url = (one, other)[number % 2]
            assert await phone.post_form(form) == 200
        phone.url = other
        await asyncio.gather(*(phone.post_form(form) for form in forms))
        async with Database(database_url) as database:
            await wait_until(lambda: nothing_waits(database))
            replies = (await database.fetch(select(messages.c.idempotency_key).order_by(messages.c.id))).scalars().all()
            taken = (await database.fetch(select(inbound_sms.c.handled_as).order_by(inbound_sms.c.id))).scalars().all()
    assert replies == [build_reply_key(form["id"]) for form in forms]
    assert taken == ["menu", "answer", "answer", "answer", "answer"]


async def nothing_waits(database: Database) -> bool:
    left = select(func.count()).select_from(inbound_sms).where(inbound_sms.c.state == "new")
    return (await database.fetch(left)).scalar_one() == 0


async def test_without_redis_keywords_work_and_conversations_get_an_apology(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL, REDIS__DEADLINE="0.3")
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        assert (await phone.send_sms("HELP")).startswith("Ekdial. Send STATUS")
        assert (await phone.send_sms("FEEDBACK more offices")).startswith("Thank you.")
        assert (await phone.send_sms("MENU")).startswith("দুঃখিত, সমস্যা আমাদের।"), "the language of the country"
        assert (await phone.send_sms("মেনু")).startswith("দুঃখিত, সমস্যা আমাদের।")
        assert (await phone.send_sms("STOP")).startswith("আপনি না চাইলে"), "who wrote Bengali letters is answered in them"


async def test_a_machine_gets_a_limited_number_of_apologies(tmp_path: Path) -> None:
    """Whose automatic reply to our excuse would get the next excuse, for as long as Redis is down."""
    settings = build_settings(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL, REDIS__DEADLINE="0.3")
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        for _ in range(MAX_SAME_TEXT):
            assert (await phone.send_sms("MENU", id=secrets.token_hex(8))).startswith("দুঃখিত, সমস্যা আমাদের।")
        await phone.post_form(phone.build_form("MENU"))
        await wait_for_counts(phone, failed=MAX_SAME_TEXT + 1)
        assert len(phone.inbox.messages) == MAX_SAME_TEXT
        assert (await phone.send_sms("HELP")).startswith("Ekdial. Send STATUS"), (
            "whoever asks for something is answered still"
        )


async def test_a_lost_conversation_differs_from_none(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    async with run_gateway(build_settings(tmp_path, REDIS__URL=redis_server.url)) as url, open_sms_phone(url) as phone:
        await phone.send_sms("MENU")
        redis_server.empty()
        assert "'সাহায্য'" in await phone.send_sms("1")


# What nobody else learns -----------------------------------------------------------------------------------------------

TYPED = ("Shahanara Parvin", "Mirpur School", "Ayesha", "739154", "the clerk asked for money", "gobbledygook words")


async def test_no_text_appears_in_logs_metrics_or_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    with capture_all_logs() as said:
        async with run_gateway(settings) as url, open_sms_phone(url, "+8801798765432") as phone:
            await phone.send_sms(f"REG {TYPED[0]}", expect=2)
            for text in ("1", TYPED[1], "2", TYPED[2], "APPLY 101", TYPED[3], f"COMPLAIN {TYPED[4]}"):
                await phone.send_sms(text)
            await phone.post_form({"from": phone.msisdn, "message": TYPED[5]})
            await phone.send_sms("STOP")
            await phone.send_sms(TYPED[5])
            async with phone.http.get(f"{admin_url(url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
    assert "inbound_sms" in said.getvalue()
    for one in (*TYPED, phone.msisdn[1:], phone.msisdn[4:]):
        assert one not in said.getvalue(), "in the logs"
        assert one not in metrics
        assert one.encode() not in kept, "in Redis"
        assert one.encode() not in (tmp_path / "ekdial.db").read_bytes() or one in phone.msisdn


async def test_secrets_are_erased_from_the_records_after_the_reply(phone: SmsPhone, tmp_path: Path) -> None:
    pin = (await phone.send_sms("REG Amina Begum", expect=2)).split(" is your Ekdial PIN")[0][-6:].strip()
    for written in (
        "1",
        "Mirpur School",
        "2",
        "Ayesha",
        "MENU",
        "5",
        f"{int(pin) + 1}",
        pin,
        "5678 1234 9012",
        "hello you",
    ):
        await phone.send_sms(written)
    cipher = Cipher(SECRET.encode())
    async with open_database(tmp_path) as database:
        rows = (await database.fetch(select(inbound_sms).order_by(inbound_sms.c.id))).all()
    kept = [cipher.decrypt(row.text, f"sms in:{row.provider_id}").decode() for row in rows if row.text]
    assert kept == ["REG Amina Begum", "MENU", "hello you"]


async def test_a_language_that_was_chosen_by_sms_is_not_that_of_calls(phone: SmsPhone) -> None:
    await phone.send_sms("LANG HI")
    async with ClientSession() as http:
        caller = Phone(http, phone.url, phone.msisdn)
        assert (await caller.dial()).startswith("Ekdial: sorkari seba\n1 English")


def test_these_tests_use_the_captured_form() -> None:
    form = SmsPhone(None, "", None, NUMBER).build_form("MENU")  # type: ignore[arg-type]
    assert list(form) == ["linkId", "text", "to", "id", "date", "from", "networkCode"]
    assert json.dumps(form)
    assert len(secrets.token_hex(16)) == len(form["id"])
