"""One contract for the SMS of every provider: each case is tried on each adapter with its fake."""

import re
from collections.abc import AsyncIterator, Sequence
from itertools import count, permutations
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.types import utc_now
from db.database import Database
from db.tables import inbound_sms, messages
from services.citizens.pins import SecretHasher
from services.messaging.delivery_status import DeliveryStatus
from services.messaging.models import Message, OutgoingMessage, SendResult
from services.messaging.outcomes import Accepted, Rejected
from tests.support.databases import migrated_sqlite_url
from tests.support.privacy import capture_all_logs
from tests.support.services import CIPHER, ManualClock, ServiceSet
from tests.support.sms_drivers import SMS_DRIVERS, DrivenSms, InboundFacts, SmsDriver, list_sms_providers

SHORT = "Ekdial: your tracking number is 1234 5678 9012"
LONG = "Bring the certificate, two photos and the fee. " * 8
BENGALI = "আপনার আবেদন জমা হয়েছে। নম্বর ১২৩৪ ৫৬৭৮ ৯০১২"
SENDER = "+8801711000042"
_is_word = re.compile(r"[A-Za-z0-9_]{1,60}").fullmatch
_numbers = count(1)


def drivers_that(ability: str) -> pytest.MarkDecorator:
    """The drivers with this ability."""
    able = [driver for driver in SMS_DRIVERS if getattr(driver, ability)]
    return pytest.mark.parametrize("driver", able, ids=lambda driver: driver.name, indirect=True)


@pytest.fixture(params=SMS_DRIVERS, ids=lambda driver: driver.name)
def driver(request: pytest.FixtureRequest) -> SmsDriver:
    driver: SmsDriver = request.param
    return driver


@pytest.fixture
async def sms(driver: SmsDriver) -> AsyncIterator[DrivenSms]:
    async with driver.open() as sms:
        yield sms


@pytest.fixture
async def services(tmp_path: Path, pins: SecretHasher) -> AsyncIterator[ServiceSet]:
    async with Database(migrated_sqlite_url(tmp_path / "ekdial.db")) as database:
        yield ServiceSet(database, ManualClock(utc_now()), pins)


def test_every_provider_has_a_driver() -> None:
    assert list_sms_providers() <= {driver.name for driver in SMS_DRIVERS}


@pytest.mark.parametrize("text", [SHORT, LONG, BENGALI, BENGALI * 5], ids=["short", "long", "bengali", "long-bengali"])
async def test_a_text_arrives_whole_and_gets_an_id(driver: SmsDriver, sms: DrivenSms, text: str) -> None:
    outcome = await sms.provider.send(OutgoingMessage(sms.to, text, reference="c1"))
    assert isinstance(outcome, Accepted)
    assert outcome.provider_id
    if driver.name not in {"africastalking", "sandbox"}:
        assert outcome.provider_id.startswith(f"{driver.name}/"), "two providers never share an id"
    assert any(text in arrived for arrived in sms.texts())


@pytest.mark.parametrize(
    "to", ["", "all", "tel:all", "8801711000001", "+880", "+88017110000011111", "amina@example.org"]
)
async def test_what_is_no_number_is_rejected_and_not_sent(sms: DrivenSms, to: str) -> None:
    before = len("".join(sms.texts()))
    assert isinstance(await sms.provider.send(OutgoingMessage(to, SHORT)), Rejected)
    assert len("".join(sms.texts())) == before


async def test_every_answer_of_the_table_gives_its_outcome_in_one_word(driver: SmsDriver, sms: DrivenSms) -> None:
    given = set()
    with capture_all_logs() as logs:
        for answer, (plan, expected) in sms.answers.items():
            plan()
            outcome = await sms.provider.send(OutgoingMessage(sms.to, SHORT, reference="c1"))
            assert type(outcome).__name__ == expected, answer
            given.add(expected)
            if not isinstance(outcome, Accepted):
                assert _is_word(outcome.reason), answer
    assert given | {"Accepted"} == driver.gives
    assert sms.to[1:] not in logs.getvalue()
    assert "tracking" not in logs.getvalue()


def join_order(events: Sequence[str]) -> str:
    return "-".join(events)


@drivers_that("reports")
@pytest.mark.parametrize("order", list(permutations(["answer", "early", "final"])), ids=join_order)
async def test_reports_count_in_any_order_before_the_answer_too(
    sms: DrivenSms, services: ServiceSet, order: Sequence[str]
) -> None:
    assert sms.report
    provider_id = sms.build_id(next(_numbers))
    await services.messages.send(Message(sms.to, SHORT, "info", "s1"))
    (claimed,) = await services.messages.claim("w1", 1)
    for event in order:
        if event == "answer":
            await services.messages.record_result(claimed.id, SendResult("sent", provider_id))
        else:
            await sms.report(services, provider_id, DeliveryStatus.DELIVERED if event == "final" else _early(sms))
            await sms.report(services, provider_id, DeliveryStatus.DELIVERED if event == "final" else _early(sms))
    row = (await services.database.fetch(select(messages))).one()
    assert (row.status, row.delivery) == ("sent", "delivered")


def _early(sms: DrivenSms) -> DeliveryStatus:
    """A status before the final one, as far as the provider has one."""
    return DeliveryStatus.SENT if sms.provider.name == "africastalking" else DeliveryStatus.SUBMITTED


@drivers_that("reports")
async def test_a_failure_is_reported(sms: DrivenSms, services: ServiceSet) -> None:
    assert sms.report
    provider_id = sms.build_id(next(_numbers))
    await services.messages.send(Message(sms.to, SHORT, "info", "s1"))
    (claimed,) = await services.messages.claim("w1", 1)
    await services.messages.record_result(claimed.id, SendResult("sent", provider_id))
    await sms.report(services, provider_id, DeliveryStatus.FAILED)
    assert (await services.database.fetch(select(messages.c.delivery))).scalar_one() == "failed"


@drivers_that("receives")
@pytest.mark.parametrize("text", ["MENU", LONG, BENGALI, BENGALI * 5], ids=["short", "long", "bengali", "long-bengali"])
async def test_an_sms_that_comes_twice_is_one_and_is_read_whole(
    driver: SmsDriver, sms: DrivenSms, services: ServiceSet, text: str
) -> None:
    assert sms.receive
    with capture_all_logs() as logs:
        await sms.receive(services, InboundFacts("1234567890", SENDER, text))
        await sms.receive(services, InboundFacts("1234567890", SENDER, text, is_repeat=True))
    (row,) = (await services.database.fetch(select(inbound_sms))).all()
    assert row.msisdn == SENDER
    assert CIPHER.decrypt(row.text, f"sms in:{row.provider_id}").decode().strip() == text.strip()
    if driver.name != "africastalking":
        assert row.provider_id.startswith(f"{driver.name}/")
    assert SENDER[1:] not in logs.getvalue()
    assert text[:20] not in logs.getvalue()


@drivers_that("receives")
async def test_two_sms_of_one_sender_are_two(sms: DrivenSms, services: ServiceSet) -> None:
    assert sms.receive
    await sms.receive(services, InboundFacts("1234567890", SENDER, "1"))
    await sms.receive(services, InboundFacts("1234567891", SENDER, "1"))
    count_rows = select(func.count()).select_from(inbound_sms)
    assert (await services.database.fetch(count_rows)).scalar_one() == 2
