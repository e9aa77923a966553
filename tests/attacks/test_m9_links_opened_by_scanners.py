"""M9: a scanner that opens every link of a message, also as a browser, sees nothing personal and takes no use."""

import re
from pathlib import Path

from aiohttp import ClientSession

from services.citizens.lockout import MAX_ATTEMPTS
from tests.support.citizen_steps import PIN, register
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway

BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36"}
AADHAAR = "234123412346"
PERSONAL = ("Amina Begum", MSISDN, MSISDN[4:], "Driving", "SAMPLE CITIZEN", "<dl>")


async def own_data_link(phone: Phone) -> str:
    """A link to everything that is kept of a citizen."""
    await register(phone)
    screen = await phone.enter("5", "3", "1", "1")
    if "PIN" in screen:
        await phone.enter(PIN)
    return await _link_in_sms(phone, "all your data")


async def document_link(phone: Phone) -> str:
    """A link to a driving licence."""
    await phone.dial()
    await phone.enter("1", "3", "1", "1", AADHAAR)
    code = re.search(r"\b\d{6}\b", await phone.wait_for_sms("is your Ekdial code"))
    assert code
    await phone.enter(code[0], "2")
    return await _link_in_sms(phone, "/d/")


async def _link_in_sms(phone: Phone, containing: str) -> str:
    found = re.search(r"/d/\w+", await phone.wait_for_sms(containing))
    assert found
    return f"{phone.url}{found[0]}"


async def scan(http: ClientSession, link: str) -> None:
    """Open the link more often than it has uses, with every query that a page has offered."""
    for query in ("", "?json", "?text", "?file", "?json=1&pin=1234"):
        for _ in range(4):
            async with http.get(link + query, headers=BROWSER) as answer:
                page = await answer.text()
                assert answer.status == 200
                assert not [part for part in PERSONAL if part in page]


async def test_m9_a_scanner_takes_no_use_of_the_own_data_link_and_sees_nothing(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        link = await own_data_link(Phone(http, url))
        await scan(http, link)
        statuses = []
        for _ in range(6):
            async with http.post(link, data={"pin": PIN}, headers=BROWSER) as answer:
                statuses.append(answer.status)
                assert answer.status != 200 or "Amina Begum" in await answer.text()
    assert statuses == [200] * 5 + [410]


async def test_m9_a_scanner_takes_no_use_of_a_document_and_sees_nothing(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        link = await document_link(Phone(http, url))
        await scan(http, link)
        statuses = []
        for _ in range(6):
            async with http.post(link, headers=BROWSER) as answer:
                statuses.append(answer.status)
                assert answer.status != 200 or "SAMPLE CITIZEN" in await answer.text()
    assert statuses == [200] * 5 + [410]


async def test_m9_a_finder_of_the_link_cannot_try_every_pin_and_does_not_lock_the_owners_calls(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        link = await own_data_link(phone)
        answers = []
        for number in range(MAX_ATTEMPTS + 3):
            async with http.post(link, data={"pin": f"{9135 + number}"}, headers=BROWSER) as answer:
                answers.append(await answer.text())
                assert answer.status == 403
        assert "Tries left: 4" in answers[0]
        assert "Too many wrong tries" in answers[-1]
        async with http.post(link, data={"pin": PIN}, headers=BROWSER) as answer:
            assert "Amina Begum" not in await answer.text(), "not even with the right PIN"
        await phone.redial()
        assert (await phone.enter("5", PIN)).startswith("My account"), "the owner's calls go on"


async def test_m9_a_form_without_a_pin_is_no_try(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        link = await own_data_link(Phone(http, url))
        for form in ({}, {"pin": ""}, {"pin": "12"}, {"pin": "1234567"}, {"pin": "abcd"}, {"json": "1"}):
            async with http.post(link, data=form, headers=BROWSER) as answer:
                assert "Amina" not in await answer.text()
        async with http.post(link, data={"pin": "৯১৩৫"}, headers=BROWSER) as answer:
            assert "Tries left: 4" in await answer.text(), "digits of another script are digits"
