"""M8: forged SMS, without any sign-in, change the language of calls, end news, refuse applications, or send wallet prompts."""

from pathlib import Path

from tests.support.citizen_steps import register
from tests.support.forged_sms import open_attack
from tests.support.payments import PaymentServiceSet, fee_request
from tests.support.phone import Phone
from tests.support.sms_phone import open_sms_phone

VICTIM = "+8801700000001"


async def test_m8_forged_lang_does_not_overrule_the_language_of_calls(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url, VICTIM)
        await register(phone)
        main_menu = await phone.dial()
        for text in ("LANG HI", "হিন্দি", "LANG", "3"):
            await attacker.forge_sms(VICTIM, text)
            assert await phone.dial() == main_menu


async def test_m8_forged_lang_does_not_answer_the_language_question_of_the_first_call(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url, VICTIM)
        await attacker.forge_sms(VICTIM, "LANG HI")
        assert "1 English" in await phone.dial()


async def test_m8_lang_by_sms_is_the_language_of_sms(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        await register(Phone(attacker.http, attacker.url, VICTIM))
        async with open_sms_phone(attacker.url, VICTIM) as phone:
            english = await phone.send_sms("HELP")
            assert await phone.send_sms("LANG HI") != english
            assert "स्थिति" in await phone.send_sms("HELP") or await phone.send_sms("HELP") != english


async def test_m8_payments_by_sms_do_not_use_up_those_of_calls(database, clock) -> None:
    payments = PaymentServiceSet(database, clock).payments
    requests = [
        fee_request(f"{turn:06}{channel:>6}", channel=channel) for channel in ("sms", "ussd") for turn in range(7)
    ]
    outcomes = [await payments.request_payment(one, f"{one.reference}:1") for one in requests]
    assert outcomes == (["requested"] * 6 + ["too_many"]) * 2


async def test_m8_forged_stop_ends_news_only_and_the_next_call_says_how_to_get_them(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url, VICTIM)
        await register(phone)
        await phone.redial()
        assert "News by SMS" not in await phone.enter("5", "4826")
        await attacker.forge_sms(VICTIM, "STOP")
        assert await phone.wait_for_sms("To get them again send START"), "their phone is told at once"
        await phone.redial()
        menu = await phone.enter("5", "4826")
        assert menu.startswith("My account\nNews by SMS is off. To turn it on, send START to 123\n1 My applications")
        async with open_sms_phone(attacker.url, VICTIM) as sms_phone:
            assert "STATUS" in await sms_phone.send_sms("HELP"), "who asks is answered"
            await sms_phone.send_sms("START")
        await phone.redial()
        assert "News by SMS" not in await phone.enter("5", "4826")
