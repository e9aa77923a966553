"""Reduced service set: a phone sees the services that it can use, and gets advice for every other service."""

import pytest

from app.menu import read_catalogue
from tests.support.phone import Phone, build_settings
from tests.support.sms_phone import open_sms_phone

AADHAAR_DOWNLOAD = ("1", "1", "4")
"""From the main menu to a service that no phone can do."""


async def choose_english(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")


async def test_what_this_phone_cannot_do_is_said_with_what_to_do_next(phone: Phone) -> None:
    await choose_english(phone)
    assert await phone.enter(*AADHAAR_DOWNLOAD) == (
        "Aadhaar download\nThis cannot be done on this phone.\n"
        "1 App's link by SMS\n2 Helpdesk\n3 Nearest service centre\n4 Fee, time, papers\n0 Back"
    )
    assert (await phone.enter("1")).startswith("The link is on its way")
    assert "/d/" in await phone.wait_for_sms("Ekdial: get the app at")
    assert (await phone.enter("0", "2")).startswith("Help by phone: ")


async def test_the_nearest_centre_is_found_by_postcode_and_sent_by_sms(phone: Phone) -> None:
    await choose_english(phone)
    assert (await phone.enter(*AADHAAR_DOWNLOAD, "3")).startswith("Type your postcode or your district")
    assert await phone.enter("1216") == (
        "Sample centre Mirpur\nHouse 1, Sample Road, Dhaka\nSun to Thu, 9 am - 5 pm\n+880 2-55000001\n"
        "1 Send this by SMS\n2 Another place\n0 Back"
    )
    assert (await phone.enter("1")).startswith("It is on its way to you by SMS.")
    assert await phone.wait_for_sms("Sample centre") == (
        "Ekdial: Sample centre Mirpur\nHouse 1, Sample Road, Dhaka, 1216\nSun to Thu, 9 am - 5 pm\n+880 2-55000001"
    )


async def test_a_postcode_without_a_centre_gets_the_one_that_shares_most_of_its_digits(phone: Phone) -> None:
    await choose_english(phone)
    assert (await phone.enter("7", "2", "1219")).startswith("Sample centre Mirpur")
    assert (await phone.enter("2", "700091")).startswith("Choose a centre\n1 Sample centre Salt Lake\n2 ")


async def test_a_district_is_found_misspelt_and_in_any_script(phone: Phone) -> None:
    await choose_english(phone)
    three = "Choose a centre\n1 Sample centre Mirpur\n2 Sample centre Motijheel\n3 Sample centre Savar\n0 Back"
    assert await phone.enter("7", "2", "Dhaaka") == three
    assert await phone.enter("0", "ঢাকা") == three
    assert (await phone.enter("2")).startswith("Sample centre Motijheel\n")


async def test_where_there_is_no_centre_one_may_ask_again(phone: Phone) -> None:
    await choose_english(phone)
    assert (await phone.enter("7", "2", "99")).startswith("We found no centre there. Type another postcode")
    assert (await phone.enter("xyzzy")).startswith("We found no centre there.")
    assert (await phone.enter("4000")).startswith("Sample centre Kotwali")


async def test_nothing_that_the_phone_cannot_do_leads_to_a_form(phone: Phone) -> None:
    await choose_english(phone)
    about = await phone.enter(*AADHAAR_DOWNLOAD, "4")
    assert about == (
        "Aadhaar download\nNo fee\nReady at once\nAadhaar centre\n1 Send this by SMS\n2 What to bring\n0 Back"
    )
    assert "Apply" not in await phone.enter("2")


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_by_sms_in_bengali_with_latin_letters(phone: Phone) -> None:
    async with open_sms_phone(phone.url, "+8801700000022") as sms_phone:
        await sms_phone.send_sms("LANG BN")
        said = await sms_phone.send_sms("APPLY 104")
    assert "আধার ডাউনলোড: এই ফোনে হবে না।" in said
    await phone.dial()
    screen = await phone.enter("2", *AADHAAR_DOWNLOAD)
    assert screen.startswith(
        "Aadhaar download\nEi kaj ei phone-e hobe na.\n1 App-er link SMS-e\n2 Helpdesk\n3 Kacher seba kendro\n"
    )
    assert (await phone.enter("3")).startswith("Apnar postcode ba jelar nam din")
    assert (await phone.enter("sylhet")).startswith("Nomuna kendro Sylhet Sadar\nBari ")


async def test_what_a_channel_can_do_is_a_question_to_the_catalogue(tmp_path) -> None:
    catalogue = read_catalogue(build_settings(tmp_path).catalogue).catalogue
    offered = {channel: len(catalogue.services_on(channel)) for channel in ("ussd", "sms", "kaios", "web")}
    assert 0 < offered["ussd"] == offered["sms"] < offered["kaios"] < offered["web"] == len(catalogue.services)
