"""Who reads digits only: everything but a name can be typed, and whoever has to type one is told of the village centre."""

import pytest

from menus.rendering.localization import LOCALE_CODES
from tests.support.menu_facts import conversation
from tests.support.phone import Phone
from tests.support.sms_phone import SmsPhone

WORDS_OF_PIN = ("pin", "পিন", "पिन")
AGREED = ("डाक का पिन कोड", "pincode")
"""What a postcode is called in Hindi by everybody, and what is not a PIN code for anybody."""


async def test_the_registration_tells_of_a_centre_on_a_key(phone: Phone) -> None:
    """Field report, section 2: the name wants letters, and nothing told of the village centre."""
    await phone.dial()
    assert await phone.enter("1", "5", "1") == "Type your full name\n7 Register at a centre\n0 Back"
    assert (await phone.enter("7")).startswith("Type your postcode or your district")
    assert "Mirpur" in await phone.enter("1216")


async def test_who_is_no_operator_is_told_where_citizens_go(phone: Phone) -> None:
    """Field report, section 2: 7 > 1 said "not an operator's" and no more."""
    await phone.dial()
    told = await phone.enter("1", "7", "1")
    assert told.startswith("This number is not an operator's. Citizens get help at a centre.")
    assert "\n1 Nearest service centre\n7 Help\n" in told
    assert (await phone.enter("1")).startswith("Type your postcode or your district")
    assert (await phone.enter("0", "7")).startswith("Help by phone: ")


async def test_by_sms_the_name_can_be_written_and_no_key_is_offered(sms_phone: SmsPhone) -> None:
    await sms_phone.send_sms("LANG EN")
    await sms_phone.send_sms("MENU")
    await sms_phone.send_sms("5")
    assert await sms_phone.send_sms("1") == "Type your full name\n0 Back"


@pytest.mark.parametrize("locale_code", LOCALE_CODES)
def test_the_nearest_centre_asks_for_a_postcode_and_never_for_a_pin(locale_code: str) -> None:
    """Finding 2.7 of the field report: "Type your PIN code (postcode)" made people type their secret PIN."""
    locale = conversation().locales[locale_code]
    for screen in ("nearest_centre", "no_centre"):
        asked = locale.render(locale.screens[screen].text, {}).casefold()
        for agreed in AGREED:
            asked = asked.replace(agreed, "")
        assert not [word for word in WORDS_OF_PIN if word in asked.split()], asked
