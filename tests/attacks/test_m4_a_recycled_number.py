"""M4: a network gives a silent number to another person, who must find nothing of its former holder, and get no news of it."""

from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from db.database import Database
from services.departments.api_keys import ApiKeys
from tests.support.citizen_steps import apply_for_birth_certificate, register, submit_complaint
from tests.support.commands import citizen_command
from tests.support.department_api import DepartmentClient
from tests.support.department_officer import open_department_client
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone
from tests.support.staff import staff_act
from tests.support.voice_forms import ringing_form

STATUS_NUMBER = "+254711000002"


@pytest.fixture
def settings(tmp_path):
    return build_settings(tmp_path, MISSED_CALLS__NUMBERS=f'{{"{STATUS_NUMBER}": "latest_status"}}')


@pytest.fixture
async def url(settings):
    async with run_gateway(settings) as url:
        yield url


@pytest.fixture
async def former(url):
    """The phone of the former holder, who registered."""
    async with ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        yield phone


@pytest.fixture
async def next_holder(url):
    """Another phone with the same number."""
    async with ClientSession() as http:
        yield Phone(http, url)


async def release(settings):
    await citizen_command(settings, "release", MSISDN, "--why", "recycled number")


async def call(url):
    """A missed call to the number that sends the latest status."""
    async with ClientSession() as http:
        form = ringing_form("1".zfill(32), MSISDN, STATUS_NUMBER)
        async with http.post(f"{url}/voice/africastalking", data=form) as answer:
            assert answer.status == 200


async def test_m4_the_next_holder_registers_and_sees_nothing(settings, former, next_holder):
    number = await apply_for_birth_certificate(former)
    await release(settings)
    first = await next_holder.dial()
    assert "1 English" in first, "as anybody who never called"
    assert "did not finish" not in first
    await next_holder.enter("1")
    offered = await next_holder.enter("5")
    assert "Register" in offered
    assert "PIN" not in offered
    await next_holder.enter("1", "Karim Mia", "9174", "9174", "1", "Dhaka School", "2", "Salma")
    assert (await next_holder.enter("1")).startswith("My account")
    listed = await next_holder.enter("1")
    assert "Birth certificate" not in listed
    assert number[:4] not in listed


async def test_m4_the_notice_of_a_network_frees_the_number(settings, url, former):
    async with Database(settings.database.url.get_secret_value()) as database:
        key = await ApiKeys(database).create("grameenphone", staff_act(), kind="network")
    today = datetime.now(UTC).date().isoformat()
    status, _ = await DepartmentClient(former.http, url, key).post_notice({"number": MSISDN, "taken_on": today})
    assert status == 201
    screen = await former.dial()
    assert "1 English" in screen, "the call of the former holder, which broke off, is not offered"
    await former.enter("1")
    assert "Register" in await former.enter("5")


async def test_m4_a_missed_call_tells_nothing_of_the_former_holder(settings, url, former):
    await apply_for_birth_certificate(former)
    await release(settings)
    async with open_sms_phone(url) as sms:
        before = len(sms.inbox.messages)
        await call(url)
        (told,) = await sms.receive(before)
    assert "Birth certificate" not in told


async def test_m4_news_of_a_department_do_not_reach_the_number(settings, url, former, tmp_path):
    number = await apply_for_birth_certificate(former)
    await former.dial()
    complaint = await submit_complaint(former, "1", number, "3", "Nobody answers")
    await release(settings)
    officer = await open_department_client(former, tmp_path)
    async with open_sms_phone(url) as sms:
        before = len(sms.inbox.messages)
        for kind, subject, status in (("applications", number, "ready"), ("complaints", complaint, "answered")):
            event = {"status": status, "note": {"en": "News"}}
            assert (await officer.post_event(subject, event, f"{kind}-1", kind))[0] == 201
        told = await sms.send_all()
    assert told == []
    assert len(sms.inbox.messages) == before + 1, "the answer to LANG alone"
