"""SMS in over the wire: acknowledged whatever it is, answered once, by whoever lives, and never told to anybody else."""

import asyncio
import json
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

import callbacks
from sealing import Seal
from services.inbound import Arrived, Inbound, reply_effect
from services.messages import Messages
from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import inbound_sms, messages, optouts, unread_callbacks
from sms.guards import MOST, SAME
from sms.routes import DELIVERY, INBOUND, LONGEST_SMS, OPTOUT
from tests.phone import NOBODY_LISTENS_HERE, Phone, running, settings_for
from tests.servers import RedisServer
from tests.test_privacy import everything_in, everything_said
from tests.texting import ROUTE, Texter, texter, until
from tests.voice.forms import rings

SECRET = "a secret for tests that is long enough"  # as `settings_for` gives it
NUMBER = "+8801700000001"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Texter]:
    async with running(settings_for(tmp_path)) as url, texter(url) as phone:
        yield phone


@asynccontextmanager
async def records_of(tmp_path: Path) -> AsyncIterator[Records]:
    async with Records(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as records:
        yield records


async def counted(phone: Texter) -> dict[str, int]:
    """How many SMS were taken for what, as `/metrics` says."""
    async with phone.http.get(f"{phone.url}/metrics") as answer:
        lines = [line for line in (await answer.text()).splitlines() if line.startswith('ekdial_sms_in_total{as="')]
    return {line.split('"')[1]: int(float(line.split()[-1])) for line in lines if not line.endswith(" 0.0")}


async def becomes(phone: Texter, **taken_for: int) -> None:
    """Return when so many SMS have been taken for this."""

    async def so_many() -> bool:
        return taken_for.items() <= (await counted(phone)).items()

    await until(so_many)


# What is acknowledged --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"from=%2B8801700000001", b"text=MENU", b"{}", b"\xff\xfe\x00", b"&".join(b"a%d=1" % n for n in range(80))],
    ids=["empty", "no text", "no sender", "JSON", "octets", "eighty fields"],
)
async def test_what_cannot_be_read_is_acknowledged_and_kept(phone: Texter, tmp_path: Path, body: bytes) -> None:
    assert await phone.posts(body) == 200
    async with records_of(tmp_path) as records:
        (kept,) = (await records.read(select(unread_callbacks))).all()
    assert kept.route == ROUTE
    assert b"8801700000001" not in kept.body
    assert not await counted(phone)


@pytest.mark.parametrize("letter", ["x", "ক", "🙂", "👩‍👩‍👧‍👦"])
async def test_two_thousand_of_any_letter_get_one_helpful_reply(phone: Texter, letter: str) -> None:
    assert "HELP" in await phone.texts(letter * 2_000)


async def test_what_is_longer_than_any_sms_is_acknowledged_and_noted(phone: Texter, tmp_path: Path) -> None:
    with everything_said() as said:
        assert await phone.posts(b"from=%2B8801700000001&text=" + b"x" * LONGEST_SMS) == 200
    (line,) = (line for line in said.getvalue().splitlines() if "callback not read" in line)
    assert "xxxx" not in line
    async with records_of(tmp_path) as records:
        assert (await records.read(select(unread_callbacks.c.why))).scalars().all() == [
            f"A callback is at most {LONGEST_SMS} octets long."
        ]
    assert not await counted(phone)


@pytest.mark.parametrize("route", [INBOUND, DELIVERY, OPTOUT])
async def test_what_breaks_off_is_asked_for_again_and_not_noted(phone: Texter, tmp_path: Path, route: str) -> None:
    """`Content-Encoding: gzip` over what is none is damaged for us, and the connection is still there to say so."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    async with phone.http.post(f"{phone.url}{route}", data=b"from=%2B8801700000001&text=MENU", headers=headers) as said:
        assert said.status == 503
    async with records_of(tmp_path) as records:
        assert not (await records.read(select(unread_callbacks))).all()


async def test_what_comes_too_slowly_is_asked_for_again(phone: Texter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks.form, "__defaults__", (callbacks.MOST, 0.05))
    url = URL(phone.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST {INBOUND} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: {FORM}\r\nContent-Length: 60\r\n\r\n"
    writer.write(head.encode() + b"from=%2B8801700000001")
    async with asyncio.timeout(10):
        assert b" 503 " in await reader.readline()
    writer.close()


async def test_without_the_token_there_is_no_such_path(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, AFRICASTALKING__CALLBACK_TOKEN="a token nobody guesses")
    async with running(settings) as url, texter(url) as phone:
        assert await phone.posts(phone.form("MENU")) == 404
        assert await phone.posts(phone.form("MENU"), "?token=a+token+nobody+guesses") == 200
        assert (await phone.hears(0))[0].startswith("Ekdial\n")


async def test_what_cannot_be_recorded_is_asked_for_again(phone: Texter, tmp_path: Path) -> None:
    async with records_of(tmp_path) as records, records.transaction() as transaction:
        await transaction.execute(text("ALTER TABLE inbound_sms RENAME TO elsewhere"))
    form = phone.form("MENU")
    assert await phone.posts(form) == 503
    async with records_of(tmp_path) as records, records.transaction() as transaction:
        await transaction.execute(text("ALTER TABLE elsewhere RENAME TO inbound_sms"))
    assert await phone.posts(form) == 200
    assert (await phone.hears(0))[0].startswith("Ekdial\n")


# What is answered ------------------------------------------------------------------------------------------------------


async def test_the_same_id_again_is_the_same_sms(phone: Texter) -> None:
    form = phone.form("MENU")
    assert [await phone.posts(form) for _ in range(3)] == [200, 200, 200]
    assert len(await phone.writes()) == 1
    assert (await counted(phone))["duplicate"] == 2


async def test_the_same_id_many_times_at_once_is_answered_once(phone: Texter) -> None:
    form = phone.form("MENU")
    assert set(await asyncio.gather(*(phone.posts(form) for _ in range(20)))) == {200}
    assert len(await phone.writes()) == 1


async def test_a_second_one_is_heard_once_the_first_is_answered(phone: Texter) -> None:
    await phone.texts("MENU")
    assert (await phone.texts("1")).startswith("Find a service")
    assert (await phone.texts("1")).startswith("Identity and travel")


async def test_sms_that_come_together_are_answered_in_their_order(phone: Texter) -> None:
    heard = await phone.writes("MENU", "1", "2", "0", "00")
    firsts = [text.split("\n")[0] for text in heard]
    assert firsts == ["Ekdial", "Find a service", "Land records", "Find a service", "Ekdial"]


@pytest.mark.parametrize("sender", ["MTN", "22384", "EKDIAL", "+12", "Telco-Info"])
async def test_nobody_who_cannot_read_it_is_answered(phone: Texter, tmp_path: Path, sender: str) -> None:
    assert await phone.posts(phone.form("Your balance is low", **{"from": sender})) == 200
    assert await phone.writes() == []
    async with records_of(tmp_path) as records:
        sent = (await records.read(select(messages.c.recipient))).scalars().all()
    assert sender not in sent
    assert (await counted(phone))["ignored"] == 1


async def test_a_number_that_is_not_served_is_told_so_once(tmp_path: Path) -> None:
    async with running(settings_for(tmp_path)) as url, texter(url, "+33612345678") as phone:
        said = await phone.texts("MENU")
        assert said == "Sorry, this service is not open to numbers from your country."
        for text in ("HELP", "1"):
            await phone.posts(phone.form(text))
        await becomes(phone, abroad=3)
        assert len(phone.inbox.messages) == 1


async def test_a_machine_that_answers_our_answers_is_left_alone(phone: Texter) -> None:
    """An automatic reply always says the same, and is not understood."""
    for _ in range(SAME):
        await phone.texts("I am driving and will call you back")
    with everything_said() as said:
        await phone.posts(phone.form("I am driving and will call you back"))
        await becomes(phone, loop=1)
    assert "too_often" in said.getvalue()
    assert phone.number[1:] not in said.getvalue()
    assert (await phone.texts("MENU")).startswith("Ekdial\n"), "whoever asks for something is answered still"


async def test_what_echoes_us_is_left_alone(phone: Texter) -> None:
    ours = await phone.texts("what?")
    await phone.posts(phone.form(ours))
    await becomes(phone, loop=1)
    assert len(phone.inbox.messages) == 1


async def test_so_many_answers_in_ten_minutes_and_stop_all_the_same(phone: Texter, tmp_path: Path) -> None:
    await phone.texts("MENU")
    for turn in range(MOST - 1):
        await phone.texts("10" if turn % 2 else "00")
    await phone.posts(phone.form("7"))
    await becomes(phone, loop=1)
    await phone.posts(phone.form("STOP"))
    await becomes(phone, stop=1)
    assert len(phone.inbox.messages) == MOST
    async with records_of(tmp_path) as records:
        assert (await records.read(select(optouts.c.number))).scalars().all() == [phone.number]


async def test_the_menu_that_somebody_rang_for_outlives_an_outage_of_the_provider(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """It is worth sending for an hour, and its numbers are heard for as long after that as those of any conversation."""
    redis_server.empty()
    lines = json.dumps({"+254711000001": "call_back_menu"})
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, MISSED_CALLS__NUMBERS=lines)
    async with running(settings) as url, texter(url) as phone:
        async with phone.http.post(f"{url}/voice/africastalking", data=rings("1", NUMBER)) as rejected:
            assert "<Reject/>" in await rejected.text()
        assert (await phone.hears(0))[0].startswith("একডায়াল\n1 সেবা খুঁজুন")
        with Redis.from_url(redis_server.url) as redis:
            lasts = {redis.ttl(key) for key in redis.scan_iter("ek:s:*")}
        assert (await phone.texts("7")).startswith("ফোনে সাহায্য")
    assert max(lasts) > timedelta(hours=1).total_seconds() + settings.sms.conversation_ttl - 60
    async with records_of(tmp_path) as records:
        row = (await records.read(select(messages).order_by(messages.c.id))).first()
    assert (row.kind, row.not_after - row.created_at) == ("menu", timedelta(hours=1))


async def test_who_stopped_gets_what_they_ask_for_and_nothing_else(phone: Texter) -> None:
    await phone.texts("STOP")
    assert (await phone.texts("MENU")).startswith("Ekdial\n")
    assert (await phone.texts("START")).startswith("Welcome back.")


async def test_a_gateway_that_runs_forgets_what_was_answered_long_ago(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with running(settings) as url, texter(url) as phone:
        await phone.texts("HELP")
    async with records_of(tmp_path) as records:
        async with records.transaction() as transaction:
            await transaction.execute(update(inbound_sms).values(done_at=datetime.now(UTC) - timedelta(days=31)))

        async def forgotten() -> bool:
            return not (await records.read(select(inbound_sms.c.id))).all()

        async with running(settings):
            await until(forgotten)


# Whoever dies ----------------------------------------------------------------------------------------------------------


async def test_what_was_acknowledged_by_a_process_that_died_is_answered_by_the_next(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    await upgrade(url)
    seal = Seal(SECRET.encode())
    async with Records(url) as records:
        inbound = Inbound(records, Messages(records, seal), seal)
        for key, text in (("a", "MENU"), ("b", "7")):
            await inbound.keep(Arrived(key, NUMBER, "22384", text))
    async with running(settings_for(tmp_path)) as gateway, texter(gateway) as phone:
        await becomes(phone, menu=1, answer=1)
        heard = [text.split("\n")[0] for text in await phone.hears(0, 2)]
    assert heard == ["Ekdial", "Help by phone: +880 1550-060060"]


async def test_what_was_heard_and_not_noted_is_answered_as_it_was_heard(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """The process died between saving the conversation and queueing the reply: `App` was a name, and is no keyword now."""
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url)
    async with running(settings) as url, texter(url) as phone:
        await phone.texts("REG")
        pin, first = sorted((await phone.texts("App", id="the-one", expect=2)).split("\n---\n"))
    assert "is your Ekdial PIN" in pin
    async with records_of(tmp_path) as records, records.transaction() as transaction:
        await transaction.execute(
            text("UPDATE inbound_sms SET state = 'new', held_until = NULL WHERE provider_id = 'the-one'")
        )
        await transaction.execute(text("DELETE FROM messages WHERE effect = 'sms/the-one/reply'"))
    async with running(settings) as url, texter(url) as phone:
        (again,) = await phone.hears(0, 1)
    assert again == first
    assert again.startswith("If you forget your PIN")


async def test_two_processes_answer_one_person_in_order_and_once(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    database = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    await upgrade(database)
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, DATABASE__URL=database)
    async with running(settings) as one, running(settings) as other, texter(one) as phone:
        forms = [phone.form(text) for text in ("MENU", "1", "2", "0", "00")]
        for number, form in enumerate(forms):
            phone.url = (one, other)[number % 2]
            assert await phone.posts(form) == 200
        phone.url = other
        await asyncio.gather(*(phone.posts(form) for form in forms))
        async with Records(database) as records:
            await until(lambda: none_waits(records))
            replies = (await records.read(select(messages.c.effect).order_by(messages.c.id))).scalars().all()
            taken = (await records.read(select(inbound_sms.c.taken_for).order_by(inbound_sms.c.id))).scalars().all()
    assert replies == [reply_effect(form["id"]) for form in forms]
    assert taken == ["menu", "answer", "answer", "answer", "answer"]


async def none_waits(records: Records) -> bool:
    left = select(func.count()).select_from(inbound_sms).where(inbound_sms.c.state == "new")
    return (await records.read(left)).scalar_one() == 0


async def test_without_redis_one_question_gets_its_answer_and_a_conversation_an_excuse(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, REDIS__URL=NOBODY_LISTENS_HERE, REDIS__DEADLINE="0.3")
    async with running(settings) as url, texter(url) as phone:
        assert (await phone.texts("HELP")).startswith("Ekdial. Send STATUS")
        assert (await phone.texts("FEEDBACK more offices")).startswith("Thank you.")
        assert (await phone.texts("MENU")).startswith("Sorry, something is wrong on our side.")
        assert (await phone.texts("মেনু")).startswith("দুঃখিত, সমস্যাটা আমাদের।")
        assert (await phone.texts("STOP")).startswith("আপনি না চাইলে"), "who wrote Bengali letters is answered in them"


async def test_a_machine_is_excused_a_few_times_and_no_more(tmp_path: Path) -> None:
    """Whose automatic reply to our excuse would get the next excuse, for as long as Redis is down."""
    settings = settings_for(tmp_path, REDIS__URL=NOBODY_LISTENS_HERE, REDIS__DEADLINE="0.3")
    async with running(settings) as url, texter(url) as phone:
        for _ in range(SAME):
            assert (await phone.texts("MENU", id=secrets.token_hex(8))).startswith("Sorry, something is wrong")
        await phone.posts(phone.form("MENU"))
        await becomes(phone, failed=SAME + 1)
        assert len(phone.inbox.messages) == SAME
        assert (await phone.texts("HELP")).startswith("Ekdial. Send STATUS"), (
            "whoever asks for something is answered still"
        )


async def test_a_store_that_forgot_a_conversation_is_told_from_one_that_never_was(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    async with running(settings_for(tmp_path, REDIS__URL=redis_server.url)) as url, texter(url) as phone:
        await phone.texts("MENU")
        redis_server.empty()
        assert "HELP" in await phone.texts("1")


# What nobody else learns -----------------------------------------------------------------------------------------------

TYPED = ("Shahanara Parvin", "Mirpur School", "Ayesha", "739154", "the clerk asked for money", "gobbledygook words")


async def test_nothing_that_was_written_is_logged_counted_or_readable_in_redis(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    with everything_said() as said:
        async with running(settings) as url, texter(url, "+8801798765432") as phone:
            await phone.texts(f"REG {TYPED[0]}", expect=2)
            for text in ("1", TYPED[1], "2", TYPED[2], "APPLY 101", TYPED[3], f"COMPLAIN {TYPED[4]}"):
                await phone.texts(text)
            await phone.posts({"from": phone.number, "message": TYPED[5]})
            await phone.texts("STOP")
            await phone.texts(TYPED[5])
            async with phone.http.get(f"{url}/metrics") as answer:
                metrics = await answer.text()
            kept = everything_in(redis_server.url)
    assert "sms in" in said.getvalue()
    for one in (*TYPED, phone.number[1:], phone.number[4:]):
        assert one not in said.getvalue(), "in the logs"
        assert one not in metrics
        assert one.encode() not in kept, "in Redis"
        assert one.encode() not in (tmp_path / "ekdial.db").read_bytes() or one in phone.number


async def test_secrets_are_emptied_out_of_the_records_once_they_are_answered(phone: Texter, tmp_path: Path) -> None:
    pin = (await phone.texts("REG Amina Begum", expect=2)).split(" is your Ekdial PIN")[0][-6:].strip()
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
        await phone.texts(written)
    seal = Seal(SECRET.encode())
    async with records_of(tmp_path) as records:
        rows = (await records.read(select(inbound_sms).order_by(inbound_sms.c.id))).all()
    kept = [seal.open(row.text, f"sms in:{row.provider_id}").decode() for row in rows if row.text]
    assert kept == ["REG Amina Begum", "MENU", "hello you"]


async def test_a_call_and_an_sms_of_the_same_person_share_a_language(phone: Texter) -> None:
    await phone.texts("LANG HI")
    async with ClientSession() as http:
        caller = Phone(http, phone.url, phone.number)
        assert (await caller.dials()).startswith("Ekdial\n1 Seva khojen")


def test_the_form_of_these_tests_is_the_captured_one() -> None:
    form = Texter(None, "", None, NUMBER).form("MENU")  # type: ignore[arg-type]
    assert list(form) == ["linkId", "text", "to", "id", "date", "from", "networkCode"]
    assert json.dumps(form)
    assert len(secrets.token_hex(16)) == len(form["id"])
