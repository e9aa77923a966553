"""The first call and the ones after it: the language once, then the main menu; `0` and `00`; a wrong key."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.phone import Phone, build_settings, run_gateway


@pytest.mark.calls_only(reason="the page has no Latin letters for Bengali")
async def test_a_first_time_caller_chooses_a_language_once(phone: Phone) -> None:
    assert await phone.dial() == "Ekdial: sorkari seba\n1 English\n2 Bangla\n3 Hindi"
    assert (await phone.enter("2")).startswith("Ekdial\n1 Seba khujun\n")
    assert (await phone.dial()).startswith("Ekdial\n1 Seba khujun\n")


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_the_language_can_be_changed_from_the_main_menu(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")
    assert "0 Back" in await phone.enter("8")
    assert (await phone.enter("3")).startswith("Ekdial\n1 Seva khojen\n")
    assert (await phone.dial()).startswith("Ekdial\n1 Seva khojen\n")


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_a_wrong_key_is_told_what_would_be_right_and_shown_the_same_screen(phone: Phone) -> None:
    screen = await phone.dial()
    assert await phone.enter("9") == f"Ekta beche nin: 1 theke 3\n{screen}"
    assert await phone.enter("one") == f"Ekta beche nin: 1 theke 3\n{screen}"
    main = await phone.enter("1")
    assert await phone.enter("10") == f"Please choose 1 to 9\n{main}"


async def test_zero_goes_back_and_two_zeros_go_home_from_everywhere(phone: Phone) -> None:
    await phone.dial()
    main = await phone.enter("1")
    sectors = await phone.enter("1")
    assert await phone.enter("1", "0") == sectors
    assert await phone.enter("0") == main
    assert await phone.enter("0") == main
    assert await phone.enter("1", "1", "1", "00") == main


@pytest.mark.parametrize(("typed", "form"), [("২", "Bengali"), ("२", "Devanagari"), (" 2 ", "with blanks")])
@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_digits_of_any_script_are_digits(phone: Phone, typed: str, form: str) -> None:
    await phone.dial()
    assert (await phone.enter(typed)).startswith("Ekdial\n1 Seba khujun\n"), form


async def test_a_long_list_has_pages_and_its_numbers_stay(phone: Phone) -> None:
    await phone.dial()
    first = await phone.enter("1", "1", "1")
    assert first.endswith("98 More\n0 Back")
    second = await phone.enter("98")
    key, name = first.splitlines()[-3].split(" ", 1)
    assert second.splitlines()[0].startswith(f"{int(key) + 1} ")
    assert await phone.enter("0") == first
    assert name in await phone.enter("98", key), "a number of the first page is heard on the second"


@pytest.mark.africastalking_wire("TAP shows ASCII alone")
async def test_a_network_that_shows_unicode_shows_the_language_in_its_own_letters(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, USSD__UNICODE="true")
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        assert "2 বাংলা" in await phone.dial()
        screen = await phone.enter("2")
        assert screen.startswith("একডায়াল\n1 সেবা খুঁজুন")
        assert screen.endswith("98 আরও")


@pytest.mark.calls_only(reason="only a number that is served can sign in to the page")
async def test_numbers_of_countries_that_are_not_served_are_told_so(phone: Phone) -> None:
    phone.msisdn = "+33612345678"
    assert await phone.dial() == "Sorry, this service is not open to numbers from your country."
    assert phone.ended
