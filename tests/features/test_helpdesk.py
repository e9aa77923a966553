"""Helpdesk: telephone and e-mail, one key away from the main menu and from every error."""

from tests.support.phone import Phone
from tests.support.sms_phone import SmsPhone

PHONE, EMAIL = "+880 1550-060060", "support@mygov.bd"


async def test_the_helpdesk_is_one_key_from_the_main_menu_in_every_language(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")
    for language in ("1", "2", "3"):
        await phone.enter("00", "8")
        await phone.enter(language)
        screen = await phone.enter("7")
        assert PHONE in screen
        assert EMAIL in screen


async def test_and_one_key_from_where_a_number_is_not_known(phone: Phone) -> None:
    await phone.dial()
    assert "7 Help" in await phone.enter("1", "2", "123456789018")
    assert PHONE in await phone.enter("7")


async def test_and_in_the_answer_to_help_by_sms(sms_phone: SmsPhone) -> None:
    assert PHONE in await sms_phone.send_sms("HELP")
