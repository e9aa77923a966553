"""Dial and navigate: the language once, `0` back and `00` home in every language, lists in pages."""

import pytest

from tests.support.phone import Phone

LANGUAGES = {"1": ("Ekdial\n", "0 Back"), "2": ("Ekdial\n", "0 Firun"), "3": ("Ekdial\n", "0 Wapas")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_the_language_is_chosen_once_and_the_menu_opens_directly_from_then_on(
    phone: Phone, language: str
) -> None:
    assert await phone.dial() == "Ekdial: sorkari seba\n1 English\n2 Bangla\n3 Hindi"
    main = await phone.enter(language)
    assert main.startswith(LANGUAGES[language][0])
    assert await phone.dial() == main


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_zero_is_back_and_two_zeros_are_home_in_every_language(phone: Phone, language: str) -> None:
    await phone.dial()
    main = await phone.enter(language)
    first = await phone.enter("1")
    assert LANGUAGES[language][1] in first
    assert await phone.enter("1", "0") == first
    assert await phone.enter("1", "00") == main
    assert await phone.enter("7", "0") == main


@pytest.mark.calls_only(reason="the page has no Latin letters for Bengali")
async def test_a_long_list_is_paged_by_the_gateway_and_keeps_its_numbers(phone: Phone) -> None:
    await phone.dial()
    screen, seen = await phone.enter("2", "00", "1"), 0
    rows: list[str] = []
    while True:
        rows += [line for line in screen.splitlines() if line.split(" ")[0] not in {"0", "98"}]
        seen += 1
        assert len(screen) + len("CON ") <= 160
        if "98 Aro" not in screen:
            break
        screen = await phone.enter("98")
    assert seen > 1
    numbers = [int(line.split(" ")[0]) for line in rows if line[0].isdigit()]
    assert numbers == list(range(1, len(numbers) + 1))
