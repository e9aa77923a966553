"""What an SMSC delivers is committed before it is acknowledged, once, in whatever parts and order it comes."""

from contextlib import asynccontextmanager
from itertools import permutations

import pytest
from sqlalchemy import func, select

from core.crypto import Cipher
from db.tables import delivery_reports, inbound_parts, inbound_sms, unparsed_webhooks
from providers.smpp.alphabets import Tables
from providers.smpp.pdus import Deliver
from providers.smpp.sms_inbound import REPEATS_AFTER_BIND, SmppInbound
from providers.smpp.text import TextRules, encode_text
from services.messaging.inbound import InboundSmsRepository
from services.messaging.inbound_parts import InboundParts
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from tests.fakes.smsc import RX_T_APPN, run_smsc
from tests.support.services import CIPHER, RAHIMA
from tests.support.smpp import build_bind, open_bound_link

SOON, LATE = 10.0, REPEATS_AFTER_BIND + 1  # seconds since the bind


class Inbound:
    """One process: what it receives is recorded in the database of the test."""

    def __init__(self, services, cipher: Cipher = CIPHER, **settings) -> None:
        self.services = services
        self.repository = InboundSmsRepository(services.database, services.messages, cipher, clock=services.clock)
        self.fails_before = self.fails_after = False
        self.smpp = SmppInbound(
            name="robi",
            bind=build_bind(2775, **settings),
            receive=self.receive,
            record_report=services.messages.record_report,
            repository=self.repository,
            parts=InboundParts(services.database, cipher, clock=services.clock),
            unparsed=UnparsedWebhooks(services.database, cipher, clock=services.clock),
            clock=services.clock,
        )

    async def receive(self, sms) -> None:
        """Record an SMS; with `fails_…`, as a process whose database goes before or after the commit."""
        if self.fails_before:
            raise ConnectionError
        await self.repository.record(sms)
        if self.fails_after:
            raise TimeoutError

    async def delivers(
        self, text: str | bytes, source: str = "8801711000001", *, bound_for: float = LATE, **fields
    ) -> int:
        """Deliver one PDU; return the status of the answer, as the session gives it."""
        octets = text if isinstance(text, bytes) else encode_text(text, TextRules()).segments[0]
        coding = fields.pop("data_coding", encode_text(text, TextRules()).data_coding if isinstance(text, str) else 0)
        deliver = Deliver(source, "333", octets, coding, bound_for=bound_for, **{"source_ton": 1, **fields})
        try:
            return await self.smpp.on_deliver(deliver)
        except (ConnectionError, TimeoutError):
            return RX_T_APPN

    async def texts(self) -> list[tuple[str, str]]:
        """Sender and text of every SMS that was recorded, oldest first."""
        rows = (await self.services.database.fetch(select(inbound_sms).order_by(inbound_sms.c.id))).all()
        return [(row.msisdn, CIPHER.decrypt(row.text, f"sms in:{row.provider_id}").decode()) for row in rows]

    async def count(self, table) -> int:
        return (await self.services.database.fetch(select(func.count()).select_from(table))).scalar_one()


@pytest.fixture
def inbound(services) -> Inbound:
    return Inbound(services)


async def test_an_sms_is_recorded_with_its_sender_and_the_number_it_was_sent_to(inbound):
    assert await inbound.delivers("MENU") == 0
    assert await inbound.texts() == [(RAHIMA, "MENU")]
    row = (await inbound.services.database.fetch(select(inbound_sms))).one()
    assert row.sent_to == "333"
    assert row.provider_id.startswith("smpp/robi/")


@pytest.mark.parametrize(
    ("source", "ton", "sender"),
    [
        ("8801711000001", 1, RAHIMA),
        ("+8801711000001", 0, RAHIMA),
        ("01711000001", 2, RAHIMA),
        ("1711000001", 2, RAHIMA),
        ("GOVBD", 5, "GOVBD"),
        ("16222", 3, "16222"),
    ],
    ids=range(6),
)
async def test_senders_are_read_as_the_smsc_writes_them(services, source, ton, sender):
    inbound = Inbound(services, country_code="880")
    await inbound.delivers("MENU", source, source_ton=ton)
    assert await inbound.texts() == [(sender, "MENU")]


async def test_an_sms_that_cannot_be_committed_is_to_be_repeated_and_is_then_recorded_once(inbound):
    inbound.fails_before = True
    assert await inbound.delivers("MENU") == RX_T_APPN
    inbound.fails_before = False
    assert await inbound.delivers("MENU") == 0
    inbound.fails_after = True
    assert await inbound.delivers("STATUS") == RX_T_APPN
    inbound.fails_after = False
    assert await inbound.delivers("STATUS") == 0
    assert [text for _, text in await inbound.texts()] == ["MENU", "STATUS"]


async def test_the_same_text_again_is_another_sms(inbound):
    for _ in range(3):
        assert await inbound.delivers("1") == 0
    assert len(await inbound.texts()) == 3


async def test_an_sms_whose_earlier_twin_is_old_is_no_repeat_of_it(inbound):
    await inbound.delivers("1")
    inbound.services.clock.advance(minutes=5)
    inbound.fails_before = True
    await inbound.delivers("1")
    inbound.fails_before = False
    await inbound.delivers("1")
    assert len(await inbound.texts()) == 2


async def test_what_was_not_acknowledged_before_a_crash_is_a_repeat_after_the_next_bind(inbound, services):
    await inbound.delivers("old")
    services.clock.advance(seconds=40)
    await inbound.delivers("1")
    services.clock.advance(seconds=30)
    after = Inbound(services)
    assert await after.delivers("1", bound_for=SOON) == 0
    assert await after.delivers("old", bound_for=SOON) == 0  # acknowledged long before the crash: said again
    assert await after.delivers("1", bound_for=SOON) == 0  # a repeat comes once
    assert [text for _, text in await after.texts()] == ["old", "1", "old", "1"]


async def test_long_after_the_bind_nothing_is_a_repeat(inbound, services):
    await inbound.delivers("1")
    services.clock.advance(minutes=6)
    assert await Inbound(services).delivers("1", bound_for=LATE) == 0
    assert len(await inbound.texts()) == 2


# Parts ----------------------------------------------------------------------------------------------------------------

PLAIN = TextRules()
LONG = "আবেদনের অবস্থা জানতে চাই, নম্বর KA7F-2M9Q, " * 4


def encode_parts(text: str, reference: int = 7, rules: TextRules = PLAIN) -> list[dict]:
    encoded = encode_text(text, rules, reference)
    return [
        {"text": data, "data_coding": encoded.data_coding, "esm_class": 0x40 if encoded.has_header else 0}
        for data in encoded.segments
    ]


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
async def test_parts_become_one_sms_in_any_order(inbound, order):
    parts = encode_parts(LONG)
    assert len(parts) == 3
    for place in order:
        assert not await inbound.texts()
        assert await inbound.delivers(**parts[place]) == 0
    assert await inbound.texts() == [(RAHIMA, LONG)]


async def test_parts_survive_a_restart_and_their_text_is_kept_no_longer_than_needed(inbound, services):
    first, second, third = encode_parts(LONG)
    await inbound.delivers(**first)
    await inbound.delivers(**second)
    await Inbound(services).delivers(**third)
    assert await inbound.texts() == [(RAHIMA, LONG)]
    contents = (await services.database.fetch(select(inbound_parts.c.content))).scalars().all()
    assert contents == [None] * 3


async def test_every_part_may_come_twice(inbound):
    parts = encode_parts(LONG)
    for part in [parts[0], parts[0], parts[2], parts[1], parts[1], parts[2], parts[0]]:
        assert await inbound.delivers(**part) == 0
    assert await inbound.texts() == [(RAHIMA, LONG)]


async def test_the_last_part_is_repeated_until_the_sms_is_recorded(inbound, services):
    *before, last = encode_parts(LONG)
    for part in before:
        await inbound.delivers(**part)
    inbound.fails_before = True
    assert await inbound.delivers(**last) == RX_T_APPN
    inbound.fails_before, inbound.fails_after = False, True
    assert await inbound.delivers(**last) == RX_T_APPN
    assert await Inbound(services).delivers(**last) == 0
    assert await inbound.texts() == [(RAHIMA, LONG)]


async def test_two_senders_may_use_one_reference(inbound):
    for part in encode_parts("x" * 200):
        await inbound.delivers(**part)
        await inbound.delivers(**part, source="8801711000002")
    assert await inbound.texts() == [(RAHIMA, "x" * 200), ("+8801711000002", "x" * 200)]


async def test_a_reference_that_is_used_again_begins_another_sms(inbound, services):
    first, second = encode_parts("x" * 200), encode_parts("y" * 200)
    await inbound.delivers(**first[0])
    await inbound.delivers(**second[0])  # the rest of the first never came
    await inbound.delivers(**second[1])
    services.clock.advance(hours=2)
    for part in second:
        await inbound.delivers(**part)
    assert [text for _, text in await inbound.texts()] == ["y" * 200] * 2


async def test_parts_by_optional_parameters(inbound):
    encoded = encode_text("x" * 200, TextRules(long_form="sar"))
    for number in (2, 1):
        tlvs = {0x020C: b"\x00\x09", 0x020E: b"\x02", 0x020F: bytes([number])}
        assert await inbound.delivers(encoded.segments[number - 1], tlvs=tlvs) == 0
    assert await inbound.texts() == [(RAHIMA, "x" * 200)]


async def test_a_payload_is_one_sms_and_packed_parts_with_national_tables_are_read(services):
    rules = TextRules(packed=True, tables=(Tables(4, 4),))
    inbound = Inbound(services, gsm7="packed")
    for part in encode_parts("আবেদন গৃহীত " * 20, rules=rules):
        await inbound.delivers(**part)
    assert await inbound.texts() == [(RAHIMA, "আবেদন গৃহীত " * 20)]


async def test_an_sms_whose_part_never_comes_is_passed_on_as_far_as_it_came(inbound, services):
    first, _, third = encode_parts("a" * 153 + "b" * 153 + "c" * 10)
    await inbound.delivers(**first)
    await inbound.delivers(**third)
    assert await inbound.smpp.pass_on_incomplete() == 0
    services.clock.advance(minutes=11)
    assert await inbound.smpp.pass_on_incomplete() == 1
    assert await inbound.smpp.pass_on_incomplete() == 0
    assert await inbound.texts() == [(RAHIMA, "a" * 153 + " … " + "c" * 10)]


async def test_parts_of_days_ago_are_not_joined_with_new_ones(inbound, services):
    old, new = encode_parts("x" * 200), encode_parts("x" * 200)
    await inbound.delivers(**old[0])
    services.clock.advance(days=2)
    await inbound.delivers(**new[1])
    assert not await inbound.texts()
    await inbound.delivers(**new[0])
    assert await inbound.texts() == [(RAHIMA, "x" * 200)]


async def test_parts_are_joined_over_a_change_of_keys(services):
    former, today = Cipher(b"a former secret of the tests, 32+"), CIPHER
    both = Cipher(b"a secret of the tests, 32 octets+", former=[b"a former secret of the tests, 32+"])
    assert today.keyed_hash("x", "y") == both.keyed_hash("x", "y")
    first, second = encode_parts("x" * 200)
    await Inbound(services, former).delivers(**first)
    await Inbound(services, both).delivers(**second)
    assert len(await Inbound(services, both).texts()) == 1


# Reports, and what cannot be read -------------------------------------------------------------------------------------


async def test_a_report_is_recorded(inbound):
    assert await inbound.delivers(b"id:m1 stat:DELIVRD err:000", esm_class=0x04) == 0
    assert await inbound.delivers(b"id:m1 stat:DELIVRD err:000", esm_class=0x04) == 0
    assert await inbound.count(delivery_reports) == 1
    assert not await inbound.texts()


@pytest.mark.parametrize(
    ("text", "fields"),
    [(b"\x00\x01", {"data_coding": 4}), (b"\x09\x00", {"esm_class": 0x40}), (b"delivered!", {"esm_class": 0x04})],
    ids=["binary", "broken header", "report without an id"],
)
async def test_what_cannot_be_read_is_stored_for_a_person_and_acknowledged(inbound, text, fields):
    assert await inbound.delivers(text, **fields) == 0
    assert await inbound.count(unparsed_webhooks) == 1
    assert not await inbound.texts()


# Over the wire --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_gateway(services):
    inbound = Inbound(services)
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), inbound.smpp.on_deliver):
        yield inbound, smsc


async def test_the_smsc_hears_of_the_commit(services):
    async with open_gateway(services) as (inbound, smsc):
        inbound.fails_before = True
        assert await smsc.deliver(text=b"MENU") == RX_T_APPN
        inbound.fails_before = False
        assert await smsc.deliver(text=b"MENU") == 0
        services.clock.advance(seconds=2)
        assert await smsc.deliver(text=b"id:m9 stat:DELIVRD", esm_class=4) == 0
        assert await smsc.deliver(text=b"", tlvs={0x0424: b"long " * 60}) == 0
        assert await inbound.texts() == [(RAHIMA, "MENU"), (RAHIMA, "long " * 60)]
        assert await inbound.count(delivery_reports) == 1
