"""Row 2, a reduced service set: a phone is offered what it can do, and for the rest is told so, and what to do next."""

from assembly.conversation import edition_of
from tests.phone import Phone, settings_for
from tests.texting import texter

AADHAAR_DOWNLOAD = ("1", "1", "4")
"""From the main menu to a service that no phone can do."""


async def in_english(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1")


async def test_row_2_what_this_phone_cannot_do_is_said_with_what_to_do_next(phone: Phone) -> None:
    await in_english(phone)
    assert await phone.types(*AADHAAR_DOWNLOAD) == (
        "Aadhaar download\nThis cannot be done on this phone.\n"
        "1 App's link by SMS\n2 Helpdesk\n3 Nearest centre\n4 Fee, time, papers\n0 Back"
    )
    assert (await phone.types("1")).startswith("The link is on its way")
    assert "/d/" in await phone.sms("Ekdial: get the app at")
    assert (await phone.types("0", "2")).startswith("Help by phone: ")


async def test_row_2_the_nearest_centre_is_found_by_postcode_and_sent_by_sms(phone: Phone) -> None:
    await in_english(phone)
    assert (await phone.types(*AADHAAR_DOWNLOAD, "3")).startswith("Type your PIN code (postcode) or your district")
    assert await phone.types("1216") == (
        "Sample centre Mirpur\nHouse 1, Sample Road, Dhaka\nSun to Thu, 09:00-17:00\n+880 2-55000001\n"
        "1 Send me this by SMS\n2 Another place\n0 Back"
    )
    assert (await phone.types("1")).startswith("It is on its way to you by SMS.")
    assert await phone.sms("Sample centre") == (
        "Ekdial: Sample centre Mirpur\nHouse 1, Sample Road, Dhaka, 1216\nSun to Thu, 09:00-17:00\n+880 2-55000001"
    )


async def test_row_2_a_postcode_without_a_centre_gets_the_one_that_shares_most_of_its_digits(phone: Phone) -> None:
    await in_english(phone)
    assert (await phone.types("7", "2", "1219")).startswith("Sample centre Mirpur")
    assert (await phone.types("2", "700091")).startswith("Choose a centre\n1 Sample centre Salt Lake\n2 ")


async def test_row_2_a_district_is_found_misspelt_and_in_any_script(phone: Phone) -> None:
    await in_english(phone)
    three = "Choose a centre\n1 Sample centre Mirpur\n2 Sample centre Motijheel\n3 Sample centre Savar\n0 Back"
    assert await phone.types("7", "2", "Dhaaka") == three
    assert await phone.types("0", "ঢাকা") == three
    assert (await phone.types("2")).startswith("Sample centre Motijheel\n")


async def test_row_2_where_there_is_no_centre_one_may_ask_again(phone: Phone) -> None:
    await in_english(phone)
    assert (await phone.types("7", "2", "99")).startswith("We found no centre there. Type another postcode")
    assert (await phone.types("xyzzy")).startswith("We found no centre there.")
    assert (await phone.types("4000")).startswith("Sample centre Kotwali")


async def test_row_2_nothing_that_the_phone_cannot_do_leads_to_a_form(phone: Phone) -> None:
    await in_english(phone)
    about = await phone.types(*AADHAAR_DOWNLOAD, "4")
    assert about == (
        "Aadhaar download\nNo fee\nReady at once\nAadhaar centre\n1 Send me this by SMS\n2 What to bring\n0 Back"
    )
    assert "Apply" not in await phone.types("2")


async def test_row_2_by_sms_in_bengali_with_latin_letters(phone: Phone) -> None:
    async with texter(phone.url, "+8801700000022") as handset:
        await handset.texts("LANG BN")
        said = await handset.texts("APPLY 104")
    assert "এই ফোনে হবে না।" in said
    await phone.dials()
    screen = await phone.types("2", *AADHAAR_DOWNLOAD)
    assert screen.startswith(
        "Aadhaar download\nEi phone-e hobe na.\n1 App-er link SMS-e\n2 Helpdesk\n3 Kacher kendro\n"
    )
    assert (await phone.types("3")).startswith("Apnar post code ba jelar nam din")
    assert (await phone.types("sylhet")).startswith("Nomuna kendro Sylhet Sadar\nNomuna sorok ")


async def test_row_2_what_a_channel_can_do_is_a_question_to_the_catalogue(tmp_path) -> None:
    catalogue = edition_of(settings_for(tmp_path).catalogue).catalogue
    offered = {channel: len(catalogue.offered(channel)) for channel in ("ussd", "sms", "kaios", "web")}
    assert 0 < offered["ussd"] == offered["sms"] < offered["kaios"] < offered["web"] == len(catalogue.services)
