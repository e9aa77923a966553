"""Service details: fee, processing time, required documents and office, on the screen and by SMS."""

import pytest

from tests.support.phone import Phone
from tests.support.sms_phone import open_sms_phone

BY_SMS = (
    "Ekdial: Birth certificate (no. 101)\nFee Tk 50\nReady in 7 days\nMirpur office\n"
    "Bring: Vaccine card or discharge slip, Parents' ID cards\nTo apply dial *123# or send APPLY 101 to 123"
)


async def test_fee_time_office_and_papers_are_said_before_applying(phone: Phone) -> None:
    await phone.dial()
    assert await phone.enter("1", "1", "1", "1") == (
        "Birth certificate\nFee Tk 50. Ready in 7 days\nMirpur office\n"
        "1 Apply\n2 What to bring\n3 Send this by SMS\n0 Back"
    )
    assert await phone.enter("2") == (
        "Please bring:\nVaccine card or discharge slip\nParents' ID cards\n1 Apply\n2 Send this by SMS\n0 Back"
    )


async def test_all_of_it_is_sent_by_sms_once_however_often_it_is_heard(phone: Phone) -> None:
    await phone.dial()
    assert (await phone.enter("1", "1", "1", "1", "3")).startswith("It is on its way to you by SMS.\n1 Find another")
    await phone.resend()
    async with open_sms_phone(phone.url, phone.msisdn) as sms_phone:
        assert await phone.wait_for_sms("Birth certificate") == BY_SMS
        assert [one.text for one in sms_phone.inbox.messages].count(BY_SMS) == 1


async def test_what_costs_nothing_says_so(phone: Phone) -> None:
    await phone.dial()
    assert "No fee" in await phone.enter("1", "1", "4", "2")


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_in_bengali_with_latin_letters(phone: Phone) -> None:
    await phone.dial()
    assert await phone.enter("2", "1", "1", "1") == (
        "Jonmo sonod\nFee Tk 50, 7 dine paben\nMirpur doptor\n1 Abedon korun\n2 Ki ki anben\n3 SMS-e pathan\n0 Firun"
    )
    await phone.enter("3")
    sms = await phone.wait_for_sms("জন্ম সনদ")
    assert sms.startswith("একডায়াল: জন্ম সনদ (নম্বর 101)\nফি ৳৫০\n")
    assert "*123#" in sms
    assert "আবেদন 101" in sms


async def test_by_sms_the_service_says_it_and_its_number_applies(phone: Phone) -> None:
    async with open_sms_phone(phone.url, "+8801700000041") as sms_phone:
        await sms_phone.send_sms("SERVICES 101")
        service = await sms_phone.send_sms("1")
        assert service.startswith(
            "Birth certificate\nFee Tk 50. Ready in 7 days\nMirpur office\n1 Apply\n2 What to bring"
        )
        assert "Send this by SMS" not in service
        assert (await sms_phone.send_sms("2")).startswith("Please bring:\n")
