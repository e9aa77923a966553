"""Profile: data given once fills later forms, and documents on file are not asked for again."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.phone import MSISDN, UNREACHABLE_REDIS_URL, Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone
from tests.support.smtp_server import run_smtp_server

AADHAAR = "234123412346"


async def open_profile(phone: Phone) -> str:
    """From any screen of who is signed in to the list of what is known."""
    return await phone.enter("00", "5", "5", "1")


async def read_all_pages(phone: Phone, screen: str) -> str:
    """A list with all its pages."""
    while "98 More" in screen.splitlines()[-1] or "\n98 More" in screen:
        more = await phone.enter("98")
        screen = screen.replace("\n98 More", "") + "\n" + more
    return screen


async def link_in_sms(phone: Phone) -> str:
    """Where the link in the SMS leads, on the gateway of this test."""
    found = re.search(r"/d/\w+", await phone.wait_for_sms("all your data"))
    assert found
    return f"{phone.url}{found[0]}"


async def test_my_profile_stands_under_5_whether_there_is_email_or_not(phone: Phone, tmp_path: Path) -> None:
    assert "\n5 My profile" in await register(phone)
    async with AsyncExitStack() as stack:
        smtp_server, http = [await stack.enter_async_context(one) for one in (run_smtp_server(), ClientSession())]
        url = await stack.enter_async_context(run_gateway(build_settings(tmp_path / "mail", **smtp_server.settings)))
        assert "\n4 E-mail\n5 My profile" in await register(Phone(http, url))


async def test_what_is_not_told_is_said_to_be_so(phone: Phone) -> None:
    await register(phone)
    listed = await read_all_pages(phone, await open_profile(phone))
    assert "1 Name: Amina Begum" in listed
    assert "2 Date of birth: not given" in listed
    assert "12 Aadhaar: not given" in listed


async def test_what_is_typed_is_checked_and_kept(phone: Phone) -> None:
    await register(phone)
    await open_profile(phone)
    assert (await phone.enter("2")).startswith("Type your date of birth, such as 21111990\n9 Remove it")
    assert (await phone.enter("31-02-1990")).startswith("There is no such day. Type it as 21111990\n")
    assert (await phone.enter("21111990")).startswith("Date of birth: 21-11-1990\nSaved for your next form\n1 Go on")
    assert "2 Date of birth: 21-11-1990" in await read_all_pages(phone, await phone.enter("1"))


async def test_an_identity_number_shows_its_last_digits_alone(phone: Phone) -> None:
    await register(phone)
    await open_profile(phone)
    assert (await phone.enter("12", "234123412345")).startswith("That number does not look right\n")
    assert (await phone.enter("2341 2341 2346")).startswith("To save this number, type your current PIN\n")
    assert (await phone.enter(PIN)).startswith("Aadhaar: XXXX 2346\n"), "the number is not typed again"
    assert "12 Aadhaar: XXXX 2346" in await read_all_pages(phone, await phone.enter("1"))


async def test_a_gender_is_chosen_and_anything_is_taken_back(phone: Phone) -> None:
    await register(phone)
    await open_profile(phone)
    assert (await phone.enter("3", "1")).startswith("Gender: Female\n")
    assert "3 Gender: Female" in await phone.enter("1")
    assert await phone.enter("3", "9") == "It has been removed.\n1 Go on\n0 Main menu"
    assert "3 Gender: not given" in await phone.enter("1")


async def test_the_name_is_the_one_that_the_account_has(phone: Phone) -> None:
    await register(phone)
    await open_profile(phone)
    assert await phone.enter("1") == "Type your full name\n0 Back"
    await phone.enter("Amina Khatun")
    assert "1 Name: Amina Khatun" in await phone.enter("1")


async def test_papers_are_put_on_file_looked_at_and_taken_off(phone: Phone) -> None:
    await register(phone)
    await phone.enter("00", "5", "5")
    assert await phone.enter("2") == "No papers are on your list.\n1 Add a paper I have\n0 Back"
    offered = await read_all_pages(phone, await phone.enter("1"))
    position = re.search(r"(\d+) Passport-size photo", offered)
    assert position, offered
    assert (await phone.enter(position[1])).startswith("Noted: Passport-size photo.")
    assert (await phone.enter("1")).startswith("Your list of papers\n1 Passport-size photo\n2 Add a paper I have")
    assert (await phone.enter("1")).startswith("Passport-size photo\nYou said on ")
    assert (await phone.enter("1")).startswith("It is off your list.")
    assert (await phone.enter("1")).startswith("No papers are on your list.")


@pytest.mark.africastalking_wire("without Redis the whole path is replayed")
async def test_a_path_heard_again_by_a_gateway_that_forgot_ends_where_it_was(tmp_path: Path) -> None:
    """Redis is away all the time: each hop is answered from the whole path."""
    async with run_gateway(build_settings(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await open_profile(phone)
        await phone.enter("4", "Rahim Uddin", "1", "4", "9", "1")
        assert "4 Father's name: Karim" in await phone.enter("4", "Karim", "1")
        await phone.enter("00", "5", "5", "2", "1", "1", "1", "1", "1", "1")
        assert (await phone.resend()).startswith("No papers are on your list.")


async def test_by_sms_in_numbered_replies(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http, open_sms_phone(url) as writer:
        await register(Phone(http, url, MSISDN))
        await writer.send_sms("MENU")
        assert "Type your PIN" in await writer.send_sms("5")
        assert "5 My profile" in await writer.send_sms(PIN)
        assert "1 My details" in await writer.send_sms("5")
        await writer.send_sms("1")
        assert "12-digit Aadhaar number" in (asked := await writer.send_sms("12"))
        assert "Then delete the SMS that you sent." in asked
        assert "That number does not look right" in await writer.send_sms("234123412345")
        assert "To save this number, type your current PIN" in await writer.send_sms(AADHAAR)
        assert "Aadhaar: XXXX 2346" in await writer.send_sms(PIN)


async def test_all_that_is_kept_is_sent_as_a_link(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    await phone.enter("5", PIN, "5", "1", "12", AADHAAR, PIN, "00", "5", "5", "3")
    assert (await phone.enter("1")).startswith("You will get a link to all your data by SMS.")
    assert (await phone.enter("1")).startswith("To get the link, type your current PIN\n")
    assert (await phone.enter(PIN)).startswith("The link is on its way to you by SMS.")
    link = await link_in_sms(phone)
    async with phone.http.get(link, headers={"User-Agent": "Mozilla/5.0"}) as answer:
        assert "Type your Ekdial PIN to see it." in await answer.text()
    async with phone.http.post(link, data={"pin": PIN}) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert "no-store" in answer.headers["Cache-Control"]
    spaced = f"{number[:4]} {number[4:8]} {number[8:]}"
    for told in ("Amina Begum", MSISDN, "XXXX 2346", "Rahim Uddin", spaced, "Birth certificate", "Your first school?"):
        assert told in page, told
    assert AADHAAR not in page
    assert "Mirpur School" not in page
    async with phone.http.post(link, data={"pin": PIN, "json": "1"}) as answer:
        taken = await answer.json()
    assert taken["applications"][0]["application"] == number
    async with phone.http.post(link, data={"pin": f"{PIN[:2]}\u200d{PIN[2:]}.", "text": "1"}) as answer:
        assert f"Application: {spaced}" in await answer.text()


@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_an_account_is_deleted_and_its_number_registers_anew(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    await phone.enter("5", PIN, "5", "3", "1", "1", PIN)
    link = await link_in_sms(phone)
    await phone.enter("1", "3")
    assert "stay at the office" in await phone.enter("2")
    assert await phone.enter("1") == "To delete your account, type your current PIN\n1 I forgot it\n0 Back"
    assert (await phone.enter("9135")).startswith("That PIN is not right. Tries left: 4.")
    assert (await phone.enter(PIN)).startswith("Your account is deleted.")
    assert phone.ended
    await phone.wait_for_sms("your account is deleted")
    async with phone.http.get(link, headers={"User-Agent": "Mozilla/5.0"}) as answer:
        assert answer.status == 410
    assert (await phone.dial()).startswith("Ekdial: sorkari seba\n1 English"), "nothing is known of this number"
    await phone.enter("1")
    assert "Birth certificate" in await phone.enter("2", number)
    await phone.redial()
    assert (await phone.enter("5")).startswith("To go on, please register.")
    await phone.enter("1", "Amina Khatun", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
    listed = await open_profile(phone)
    assert "1 Name: Amina Khatun" in listed
    assert (await phone.enter("00", "5", "1")).startswith("You have not applied for anything yet.")


async def test_who_keeps_the_account_has_it(phone: Phone) -> None:
    await register(phone)
    await phone.enter("5", "3", "2")
    assert (await phone.enter("2")).startswith("My profile\n")


@pytest.mark.africastalking_wire("without Redis the whole path is replayed")
async def test_a_deletion_heard_again_by_a_gateway_that_forgot_is_the_same_and_makes_no_account(
    tmp_path: Path,
) -> None:
    """Registered and deleted in one call, whose whole path is heard with every key press."""
    async with run_gateway(build_settings(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        assert (await phone.enter("5", "3", "2", "1", PIN)).startswith("Your account is deleted.")
        for _ in range(2):
            assert (await phone.resend()).startswith("Your account is deleted.")
        assert (await phone.dial()).startswith("Ekdial: sorkari seba\n1 English"), "nothing is known of this number"
        assert (await phone.enter("1", "5")).startswith("To go on, please register.")


async def test_what_was_given_once_fills_the_next_form(phone: Phone) -> None:
    await register(phone)
    await open_profile(phone)
    await phone.enter("2", "21111990")
    await phone.enter("00", "1", "1")
    listed = await read_all_pages(phone, await phone.enter("98"))
    passport = re.search(r"(\d+) [^\n]*Passport", listed)
    assert passport, listed
    opened = await phone.enter(passport[1], "1", "1")
    assert opened.startswith("From your profile:\nName: Amina Begum\nBorn: 21-11-1990\n1 Use these")
    assert "date of birth" not in await phone.enter("1"), "what is known is not asked"


async def test_nothing_is_changed_for_who_is_not_signed_in(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    assert (await phone.enter("5")).startswith("Type your PIN")
    assert (await phone.enter(PIN)).startswith("My account\n")
    assert (await phone.enter("5")).startswith("My profile\n1 My details\n2 My papers\n3 All my data")
