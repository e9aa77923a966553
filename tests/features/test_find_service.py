"""Find a service: by recipient, sector, office, name in any script, number or keypad digits."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from services.catalogue.loader import DATA_FOLDER
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone

PAN = "Services\n1 PAN card\n2 PAN card copy\n3 GST registration (GSTN)\n0 Back"


async def search(phone: Phone, *typed: str, language: str = "1") -> str:
    """What comes of typing these where services are looked for."""
    await phone.dial()
    return await phone.enter(language, "1", *typed)


async def test_the_sectors_come_first_and_the_other_ways_after_them(phone: Phone) -> None:
    first = await search(phone)
    assert first.startswith("Find a service\nOr type its name (on keys: PAN is 726)\n1 Identity and travel\n2 ")
    assert "11 By office\n12 By who it is for" in await phone.enter("98")


async def test_by_sector_is_the_shortest_way(phone: Phone) -> None:
    assert (await search(phone, "2")).startswith("Land records\nOr type its name\n1 Khatian (porcha) copy\n2 ")
    assert (await phone.enter("1")).startswith("Khatian (porcha) copy\n")


async def test_by_office(phone: Phone) -> None:
    offices = await search(phone, "11")
    assert offices.startswith("Choose an office\n1 Mirpur office\n")
    assert (await phone.enter("1")).startswith("Mirpur office\nOr type its name\n1 Birth certificate\n")
    assert (await phone.enter("1")).startswith("Birth certificate\nFee Tk 50")


async def test_by_who_you_are(phone: Phone) -> None:
    who = await search(phone, "12")
    assert who.startswith("Who is the service for?\n1 Citizen\n2 Business\n")
    sectors = await phone.enter("2")
    assert sectors.startswith("Business\n1 ")
    assert "Health" not in sectors
    assert (await phone.enter("1")).startswith("Business: ")


@pytest.mark.parametrize("typed", ["726", "৭২৬", "७२६"])
async def test_keypad_digits_find_pan(phone: Phone, typed: str) -> None:
    assert await search(phone, typed) == PAN


async def test_more_digits_narrow(phone: Phone) -> None:
    assert await search(phone, "3736") == "Services\n1 EPFO advance\n2 Find my UAN (EPFO)\n3 EPFO passbook\n0 Back"
    assert (await phone.enter("37367")).startswith("EPFO passbook\n")


async def test_a_number_on_the_keypad_opens_its_service(phone: Phone) -> None:
    assert (await search(phone, "101")).startswith("Birth certificate\nFee Tk 50")


async def test_digits_that_are_a_number_too_say_both(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for file in DATA_FOLDER.glob("*.toml"):
        text = file.read_text(encoding="utf-8").replace("number = 101\n", "number = 726\n")
        (tmp_path / "data" / file.name).write_text(text, encoding="utf-8")
    settings = build_settings(tmp_path, CATALOGUE__FOLDER=str(tmp_path / "data"))
    async with run_gateway(settings) as url, ClientSession() as http:
        assert await search(Phone(http, url), "726") == (
            "Services\n1 Birth certificate (726)\n2 PAN card\n3 PAN card copy\n4 GST registration (GSTN)\n0 Back"
        )


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("birth certificat", "Birth certificate"),
        ("birht certifcate", "Birth certificate"),
        ("jonmo sonod", "Birth certificate"),
        ("janam praman patra", "Birth certificate"),
        ("জন্ম সনদ", "Birth certificate"),
        ("जन्म प्रमाण", "Birth certificate"),
        ("জন্ম প্রমাণ পত্র", "Birth certificate"),
        ("pasport", "Passport appointment"),
        ("ujala gas", "Ujjwala gas connection"),
    ],
)
async def test_a_name_is_found_in_any_script_misspelt_or_by_ear(phone: Phone, typed: str, found: str) -> None:
    assert (await search(phone, typed)).startswith(f"{found}\n")


async def test_the_name_of_an_office_finds_its_services(phone: Phone) -> None:
    assert (await search(phone, "mirpur")).startswith("Services\n1 Birth certificate\n2 ")
    assert (await phone.enter("0", "মিরপুর")).startswith("Services\n1 Birth certificate\n2 ")


async def test_too_many_are_said_to_be_and_more_letters_narrow(phone: Phone) -> None:
    many = await search(phone, "pa")
    assert many.startswith("Services\nThere are more: type more letters or digits\n1 ")
    assert "Passport" in await phone.enter("passport")


async def test_what_is_not_found_may_be_typed_again(phone: Phone) -> None:
    nothing = await search(phone, "qqqqqq")
    assert nothing == (
        "We found no such service. Type it in another way, or only its first letters\n1 All services\n2 Help\n0 Back"
    )
    assert await phone.enter("726") == PAN
    assert await phone.enter("0", "1") == await search(Phone(phone.http, phone.url, "+8801700000032"))


async def test_a_wrong_line_is_a_wrong_line_and_no_name(phone: Phone) -> None:
    assert (await search(phone, "55")).startswith("Please choose 1 to 12\n")


async def test_on_any_list_one_may_type_instead(phone: Phone) -> None:
    assert await search(phone, "2", "726") == PAN
    assert await phone.enter("0", "0", "11", "726") == PAN


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_in_bengali_with_latin_letters(phone: Phone) -> None:
    assert (await search(phone, language="2")).startswith(
        "Seba khujun\nBa nam likhun (PAN likhte 726 chapun)\n1 Porichoy o bhromon\n"
    )
    assert (await phone.enter("jonmo")).startswith("Jonmo sonod\n")
    assert (await phone.enter("0", "726")).startswith("Seba\n1 PAN card\n")


async def test_by_sms_the_same_search(phone: Phone) -> None:
    async with open_sms_phone(phone.url, "+8801700000033") as sms_phone:
        pan = PAN.replace("0 Back", "0 Main menu")
        assert await sms_phone.send_sms("SERVICES 726") == pan
        assert (await sms_phone.send_sms("SERVICES birht certificat")).startswith("Services\n1 Birth certificate")
        assert (await sms_phone.send_sms("SERVICES 101")).startswith("Services\n1 Birth certificate")
        assert (await sms_phone.send_sms("SERVICES")).startswith("Find a service\n")
        assert await sms_phone.send_sms("726") == PAN, "typed on the list it was sent"
        assert (await sms_phone.send_sms("APPLY 726")).startswith("Services\n1 PAN card")
        assert (await sms_phone.send_sms("HELP")).startswith("Ekdial. Send STATUS")
        assert (await sms_phone.send_sms("SERVICES জন্ম")).startswith("সেবা\n1 জন্ম সনদ")
