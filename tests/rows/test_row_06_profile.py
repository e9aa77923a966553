"""Row 6: a profile that is reused. What was given once fills the next form; papers on file need not be given again."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import ClientSession

from tests.journeys.steps import PIN, applies, registers
from tests.mail.post_office import open_office
from tests.phone import NOBODY_LISTENS_HERE, NUMBER, Phone, running, settings_for
from tests.texting import texter

AADHAAR = "234123412346"


async def opens_profile(phone: Phone) -> str:
    """From any screen of who is signed in to the list of what is known."""
    return await phone.types("00", "5", "5", "1")


async def all_of(phone: Phone, screen: str) -> str:
    """A list with all its pages."""
    while "98 More" in screen.splitlines()[-1] or "\n98 More" in screen:
        more = await phone.types("98")
        screen = screen.replace("\n98 More", "") + "\n" + more
    return screen


async def link_to(phone: Phone) -> str:
    """Where the link in the SMS leads, on the gateway of this test."""
    found = re.search(r"/d/\w+", await phone.sms("all that is kept of you"))
    assert found
    return f"{phone.url}{found[0]}"


async def test_row_6_my_profile_stands_under_5_whether_there_is_email_or_not(phone: Phone, tmp_path: Path) -> None:
    assert "\n5 My profile" in await registers(phone)
    async with AsyncExitStack() as stack:
        post, http = [await stack.enter_async_context(one) for one in (open_office(), ClientSession())]
        url = await stack.enter_async_context(running(settings_for(tmp_path / "mail", **post.settings)))
        assert "\n4 E-mail\n5 My profile" in await registers(Phone(http, url))


async def test_row_6_what_is_not_told_is_said_to_be_so(phone: Phone) -> None:
    await registers(phone)
    listed = await all_of(phone, await opens_profile(phone))
    assert "1 Name: Amina Begum" in listed
    assert "2 Date of birth: not told" in listed
    assert "12 Aadhaar: not told" in listed


async def test_row_6_what_is_typed_is_checked_and_kept(phone: Phone) -> None:
    await registers(phone)
    await opens_profile(phone)
    assert (await phone.types("2")).startswith("Type your date of birth, such as 21-11-1990\n9 Remove it")
    assert (await phone.types("31-02-1990")).startswith("Type it as 21-11-2026\n")
    assert (await phone.types("21111990")).startswith("Date of birth: 21-11-1990\nKept for your next form\n1 Go on")
    assert "2 Date of birth: 21-11-1990" in await all_of(phone, await phone.types("1"))


async def test_row_6_an_identity_number_shows_its_last_digits_alone(phone: Phone) -> None:
    await registers(phone)
    await opens_profile(phone)
    assert (await phone.types("12", "234123412345")).startswith("That number does not look right\n")
    assert (await phone.types("2341 2341 2346")).startswith("Aadhaar: XXXX 2346\n")
    assert "12 Aadhaar: XXXX 2346" in await all_of(phone, await phone.types("1"))


async def test_row_6_a_gender_is_chosen_and_anything_is_taken_back(phone: Phone) -> None:
    await registers(phone)
    await opens_profile(phone)
    assert (await phone.types("3", "1")).startswith("Gender: Female\n")
    assert "3 Gender: Female" in await phone.types("1")
    assert await phone.types("3", "9") == "It is not kept any more.\n1 Go on\n0 Main menu"
    assert "3 Gender: not told" in await phone.types("1")


async def test_row_6_the_name_is_the_one_that_the_account_has(phone: Phone) -> None:
    await registers(phone)
    await opens_profile(phone)
    assert await phone.types("1") == "Type your full name\n0 Back"
    await phone.types("Amina Khatun")
    assert "1 Name: Amina Khatun" in await phone.types("1")


async def test_row_6_papers_are_put_on_file_looked_at_and_taken_off(phone: Phone) -> None:
    await registers(phone)
    await phone.types("00", "5", "5")
    assert await phone.types("2") == "No papers are on file.\n1 Add one that I have\n0 Back"
    offered = await all_of(phone, await phone.types("1"))
    position = re.search(r"(\d+) Passport-size photo", offered)
    assert position, offered
    assert (await phone.types(position[1])).startswith("Noted: Passport-size photo.")
    assert (await phone.types("1")).startswith("Your papers on file\n1 Passport-size photo\n2 Add one that I have")
    assert (await phone.types("1")).startswith("Passport-size photo\nYou said on ")
    assert (await phone.types("1")).startswith("It is not on file any more.")
    assert (await phone.types("1")).startswith("No papers are on file.")


async def test_row_6_a_path_heard_again_by_a_gateway_that_forgot_ends_where_it_was(tmp_path: Path) -> None:
    """Redis is away all the time: each hop is answered from the whole path."""
    async with running(settings_for(tmp_path, REDIS__URL=NOBODY_LISTENS_HERE)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await registers(phone)
        await opens_profile(phone)
        await phone.types("4", "Rahim Uddin", "1", "4", "9", "1")
        assert "4 Father's name: Karim" in await phone.types("4", "Karim", "1")
        await phone.types("00", "5", "5", "2", "1", "1", "1", "1", "1", "1")
        assert (await phone.again()).startswith("No papers are on file.")


async def test_row_6_by_sms_in_numbered_replies(tmp_path: Path) -> None:
    async with running(settings_for(tmp_path)) as url, ClientSession() as http, texter(url) as writer:
        await registers(Phone(http, url, NUMBER))
        await writer.texts("MENU")
        await writer.texts("2")  # the call before was not finished: start again
        assert "Type your PIN" in await writer.texts("5")
        assert "5 My profile" in await writer.texts(PIN)
        assert "1 What I told of myself" in await writer.texts("5")
        await writer.texts("1")
        assert "12-digit Aadhaar number" in (asked := await writer.texts("12"))
        assert "Then delete the SMS that you sent." in asked
        assert "That number does not look right" in await writer.texts("234123412345")
        assert "Aadhaar: XXXX 2346" in await writer.texts(AADHAAR)


async def test_row_6_all_that_is_kept_is_sent_as_a_link(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    await phone.types("5", PIN, "5", "1", "12", AADHAAR, "00", "5", "5", "3")
    assert (await phone.types("1")).startswith("A link to all that is kept of you comes by SMS.")
    assert (await phone.types("1")).startswith("The link is on its way to you by SMS.")
    link = await link_to(phone)
    async with phone.http.get(link, headers={"User-Agent": "Mozilla/5.0"}) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert "no-store" in answer.headers["Cache-Control"]
    spaced = f"{number[:4]} {number[4:8]} {number[8:]}"
    for told in ("Amina Begum", NUMBER, "XXXX 2346", "Rahim Uddin", spaced, "Birth certificate", "Your first school?"):
        assert told in page, told
    assert AADHAAR not in page
    assert "Mirpur School" not in page
    async with phone.http.get(f"{link}?json", headers={"User-Agent": "Mozilla/5.0"}) as answer:
        taken = await answer.json()
    assert taken["applications"][0]["application"] == number
    async with phone.http.get(f"{link}?text", headers={"User-Agent": "Mozilla/5.0"}) as answer:
        assert f"Application: {spaced}" in await answer.text()


async def test_row_6_an_account_is_deleted_and_its_number_registers_anew(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    await phone.types("5", PIN, "5", "3", "1", "1")
    link = await link_to(phone)
    await phone.types("1", "3")
    assert await phone.types("2") == "To delete your account, type your PIN\n0 Back"
    assert (await phone.types("9135")).startswith("That PIN is not right. Tries left: 4.")
    assert "stays at the office" in await phone.types(PIN)
    assert (await phone.types("1")).startswith("Your account is deleted.")
    assert phone.ended
    await phone.sms("your account is deleted")
    async with phone.http.get(link, headers={"User-Agent": "Mozilla/5.0"}) as answer:
        assert answer.status == 410
    assert (await phone.dials()).startswith("Ekdial: public services\n1 English"), "nothing is known of this number"
    await phone.types("1")
    assert "Birth certificate" in await phone.types("2", number)
    await phone.redials()
    assert (await phone.types("5")).startswith("To go on, please register.")
    await phone.types("1", "Amina Khatun", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
    listed = await opens_profile(phone)
    assert "1 Name: Amina Khatun" in listed
    assert (await phone.types("00", "5", "1")).startswith("You have not applied for anything yet.")


async def test_row_6_who_keeps_the_account_has_it(phone: Phone) -> None:
    await registers(phone)
    await phone.types("5", "3", "2", PIN)
    assert (await phone.types("2")).startswith("My profile\n")


async def test_row_6_a_deletion_heard_again_by_a_gateway_that_forgot_is_the_same_and_makes_no_account(
    tmp_path: Path,
) -> None:
    """Registered and deleted in one call, whose whole path is heard with every key press."""
    async with running(settings_for(tmp_path, REDIS__URL=NOBODY_LISTENS_HERE)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await registers(phone)
        assert (await phone.types("5", "3", "2", PIN, "1")).startswith("Your account is deleted.")
        for _ in range(2):
            assert (await phone.again()).startswith("Your account is deleted.")
        assert (await phone.dials()).startswith("Ekdial: public services\n1 English"), "nothing is known of this number"
        assert (await phone.types("1", "5")).startswith("To go on, please register.")


async def test_row_6_what_was_given_once_fills_the_next_form(phone: Phone) -> None:
    await registers(phone)
    await opens_profile(phone)
    await phone.types("2", "21111990")
    await phone.types("00", "1", "1")
    listed = await all_of(phone, await phone.types("98"))
    passport = re.search(r"(\d+) [^\n]*Passport", listed)
    assert passport, listed
    opened = await phone.types(passport[1], "1", "1")
    assert opened.startswith("From your profile:\nName: Amina Begum\nBorn: 21-11-1990\n1 Use these")
    assert "date of birth" not in await phone.types("1"), "what is known is not asked"


async def test_row_6_nothing_is_changed_for_who_is_not_signed_in(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    assert (await phone.types("5")).startswith("Type your PIN")
    assert (await phone.types(PIN)).startswith("My account\n")
    assert (await phone.types("5")).startswith("My profile\n1 What I told of myself\n2 My papers\n3 All that is kept")
