"""Row 17, the helpdesk: telephone and e-mail, one key away from the main menu and from whatever went wrong."""

from tests.phone import Phone
from tests.texting import Texter

PHONE, EMAIL = "+880 1550-060060", "support@mygov.bd"


async def test_row_17_the_helpdesk_is_one_key_from_the_main_menu_in_every_language(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1")
    for language in ("1", "2", "3"):
        await phone.types("00", "8")
        await phone.types(language)
        screen = await phone.types("7")
        assert PHONE in screen
        assert EMAIL in screen


async def test_row_17_and_one_key_from_where_a_number_is_not_known(phone: Phone) -> None:
    await phone.dials()
    assert "7 Help" in await phone.types("1", "2", "123456789018")
    assert PHONE in await phone.types("7")


async def test_row_17_and_in_the_answer_to_help_by_sms(handset: Texter) -> None:
    assert PHONE in await handset.texts("HELP")
