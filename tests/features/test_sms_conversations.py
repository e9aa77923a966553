"""Whole conversations by SMS: applying in Bengali, and going on by SMS with what a call began."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.gsm7 import count_septets, count_utf16_units
from core.reference_numbers import generate_tracking_number
from db.migrate import upgrade
from sms.loop_guard import MAX_ANSWERS
from sms.segments import measure
from tests.support.citizen_steps import (
    ANSWERS,
    PIN,
    apply_for_birth_certificate,
    open_birth_certificate,
    register,
    tracking_number_in,
)
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone, open_sms_phone

IN_BENGALI = (
    ("আবেদন ১০১", "SMS-এ পাঠানো পিনটি দিন"),
    ("{pin}", "কার জন্য? জন্ম সনদ"),
    ("১", "১/৫"),
    ("রহিম উদ্দিন", "২/৫"),
    ("২১-১১-২০২৫", "৩/৫"),
    ("২", "৪/৫"),
    ("করিম উদ্দিন", "৫/৫"),
    ("আয়েশা বেগম", "জন্ম সনদ: রহিম উদ্দিন"),
    ("১", "আবেদন পাঠাতে এখনকার পিন দিন"),
    ("{pin}", "একডায়াল: জন্ম সনদ"),
)
"""What is texted to apply for a birth certificate, and how each answer begins."""


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[SmsPhone]:
    """A phone that has never written before, at a gateway on the embedded defaults."""
    async with run_gateway(build_settings(tmp_path)) as url, open_sms_phone(url) as phone:
        yield phone


@pytest.fixture
async def phone_on_every_backend(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[SmsPhone]:
    """The same on every store and every database in turn."""
    await upgrade(database_url)
    settings = build_settings(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url)
    async with run_gateway(settings) as url, open_sms_phone(url) as phone:
        yield phone


def call_gateway(phone: SmsPhone) -> Phone:
    """The same person, dialling."""
    return Phone(phone.http, phone.url, phone.msisdn)


async def register_in_bengali(phone: SmsPhone) -> str:
    """By one SMS; the PIN that comes back."""
    both = await phone.send_sms("নিবন্ধন আমিনা বেগম", expect=2)
    found = re.search(r"^\d{4,6}", both, re.MULTILINE)
    assert found
    return found[0]


async def begin_application(phone: SmsPhone) -> str:
    """The first question of the form of a birth certificate, for oneself."""
    for text in ("APPLY 101", PIN, "1"):
        question = await phone.send_sms(text)
    return question


async def test_applying_whole_in_bengali(phone_on_every_backend: SmsPhone) -> None:
    """`pytest -n0 -s -k "applying_whole and fakeredis-sqlite"` shows it to whoever wants to read it."""
    phone = phone_on_every_backend
    pin = await register_in_bengali(phone)
    said = []
    for text, begins in IN_BENGALI:
        texted = text.format(pin=pin)
        reply = await phone.send_sms(texted)
        said.append(f"> {texted}\n{reply}\n")
        assert reply.startswith(begins)
    heard = len(phone.inbox.messages)
    status = await phone.send_sms(f"অবস্থা {tracking_number_in(reply)}")
    assert len(phone.inbox.messages) == heard + 1, "the receipt was the whole answer"
    assert status.startswith("জন্ম সনদ\n")
    assert "জমা হয়েছে" in status
    print("\n", "\n".join(said), sep="")  # noqa: T201 - so that a person can read it


async def test_every_sms_of_a_conversation_takes_two_segments_at_most(phone: SmsPhone) -> None:
    pin = await register_in_bengali(phone)
    for text in ("MENU", "1", "1", "1", "2", "0", "1", pin, "রহিম উদ্দিন", "nonsense", "98", "00", "5", "1"):
        assert measure(await phone.send_sms(text)).segments <= 2, text


async def test_one_segment_where_that_is_all_there_is_room_for(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path, SMS__SCREEN_SEGMENTS="1")) as url, open_sms_phone(url) as phone:
        first = await phone.send_sms("মেনু")
        assert first.endswith("98 আরও")
        second = await phone.send_sms("৯৮")
        for page in (first, second):
            assert count_septets(page) is None
            assert count_utf16_units(page) <= 70
        assert (await phone.send_sms("8")).startswith("ভাষা\n1 English"), "a number of a later page is heard at once"


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_a_call_that_was_cut_off_goes_on_by_sms(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await register(caller)
    await open_birth_certificate(caller)
    question = await caller.enter(*ANSWERS[:2])
    assert await phone.send_sms("MENU") == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
    assert (await phone.send_sms("1")).startswith("Type your PIN\n"), "an SMS is not signed in because a call was"
    assert await phone.send_sms(PIN) == question
    confirm = await phone.send_sms(ANSWERS[2])
    for answer in ANSWERS[3:]:
        confirm = await phone.send_sms(answer)
    assert "Rahim Uddin" in confirm
    assert (await phone.send_sms("1")).startswith("To send it, type your current PIN\n")
    assert (await phone.send_sms(PIN)).startswith("Ekdial: application for Birth certificate received")
    assert (await caller.dial()).startswith("Ekdial\n"), "what is finished is not offered again"


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_whatever_is_written_after_a_dropped_call_is_met_with_the_offer(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await caller.dial()
    await caller.enter("1", "2")
    assert (
        await phone.send_sms("hello? my call dropped, what now")
        == "You did not finish last time\n1 Go on\n2 Start again"
    )
    assert (await phone.send_sms("2")).startswith("Ekdial\n1 Find a service")
    assert (await phone.send_sms("7")).startswith("Help by phone")


async def take_up_form(caller: Phone) -> str:
    """Dial, open the form of a birth certificate and go on with what was typed before; the next screen."""
    assert (await caller.dial()).startswith("Ekdial\n"), "a conversation by SMS is not offered to a call"
    assert (await caller.enter("1", "1", "1", "1")).startswith("Type your PIN\n")
    assert (await caller.enter(PIN)).startswith("Birth certificate\nYou started this on ")
    return await caller.enter("1")


async def test_a_form_that_was_begun_by_sms_goes_on_in_a_call_that_signs_in(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await register(caller)
    await caller.enter("00")
    await begin_application(phone)
    await phone.send_sms(ANSWERS[0])
    assert (await take_up_form(caller)).startswith("1/4 ")
    confirm = await caller.enter(*ANSWERS[1:])
    assert "Rahim Uddin" in confirm


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_a_call_that_went_on_is_what_the_next_sms_goes_on_with(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await register(caller)
    await caller.enter("00")
    await begin_application(phone)
    await phone.send_sms(ANSWERS[0])
    await take_up_form(caller)
    await caller.enter(*ANSWERS[1:4])
    assert (await phone.send_sms("Ayesha Begum")).startswith("You were applying for"), (
        "the call came further than the SMS"
    )
    assert (await phone.send_sms("1")).startswith("Type your PIN\n")
    assert (await phone.send_sms(PIN)).startswith("4/4")
    assert "Ayesha Begum" in await phone.send_sms("Ayesha Begum")


async def test_a_question_asked_in_between_does_not_disturb_a_form(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await register(caller)
    await caller.enter("00")
    await begin_application(phone)
    question = await phone.send_sms(ANSWERS[0])
    assert (await phone.send_sms("HELP")).startswith("Ekdial. Send STATUS")
    assert (await phone.send_sms("LANG EN")).startswith("From now on we will write to you in English.")
    assert (await phone.send_sms("nonsense")).endswith(question)


async def test_what_answers_the_question_is_no_keyword(phone: SmsPhone) -> None:
    await phone.send_sms("REG")
    both = await phone.send_sms("Salam", expect=2)
    assert "is your Ekdial PIN" in both, "Salam is a greeting, and a name"
    await phone.send_sms("COMPLAIN")
    assert (await phone.send_sms("status of my file never changes")).startswith("We have your complaint.")


@pytest.mark.parametrize(
    "typed", ["234123412345", "2341 2341 2345", "২৩৪১ ২৩৪১ ২৩৪৫", "२३४१-२३४१-२३४५", "2341 2341 23456", "২৩৪১২৩৪১২৩৪"]
)
async def test_a_mistyped_number_is_an_answer_and_no_status(phone: SmsPhone, typed: str) -> None:
    for text in ("হ্যালো", "1", "1"):
        asked = await phone.send_sms(text)
    digits = sum(map(str.isdigit, typed))
    told = str(digits).translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))
    wrong = "নম্বরের কোথাও ভুল আছে" if digits == 12 else f"আপনি {told}টি সংখ্যা লিখেছেন"
    assert await phone.send_sms(typed) == f"{wrong}\n{asked}"
    assert "কোডটি দিন" in await phone.send_sms("2341 2341 2346", expect=2), "the question stands until it is answered"


async def test_a_number_with_letters_for_digits_is_an_answer_too(phone: SmsPhone) -> None:
    for text in ("HI", "1", "1"):
        asked = await phone.send_sms(text)
    assert await phone.send_sms("234I2341234O") == f"One of those digits seems wrong\n{asked}"


async def test_a_status_is_asked_for_out_of_any_question_and_by_a_number_alone_out_of_a_choice(phone: SmsPhone) -> None:
    number = generate_tracking_number()
    for text in ("HI", "1", "1"):
        await phone.send_sms(text)
    assert (await phone.send_sms(f"STATUS {number}")).startswith("No application has this number")
    await phone.send_sms("MENU")
    assert (await phone.send_sms(number)).startswith("No application has this number")


async def test_a_number_is_the_answer_to_a_form(phone: SmsPhone) -> None:
    """A form asks for a name here; twelve digits are none, and are told so, instead of ending the form."""
    caller = call_gateway(phone)
    await register(caller)
    await caller.enter("00")
    question = await begin_application(phone)
    assert (
        await phone.send_sms(generate_tracking_number())
        == f"Please use letters only, or the signs . , - ' / ( )\n{question}"
    )


@pytest.mark.parametrize("last", ["STOP", "HELP"])
async def test_a_conversation_in_bengali_ends_in_bengali(phone: SmsPhone, last: str) -> None:
    for text in ("হ্যালো", "1", "1", "0"):
        await phone.send_sms(text)
    bengali = {"STOP": "আপনি না চাইলে", "HELP": "একডায়াল 123: অবস্থা", "START": "স্বাগতম।", "MENU": "একডায়াল\n1 সেবা খুঁজুন"}
    for text in (last, "START", "MENU"):
        assert (await phone.send_sms(text)).startswith(bengali[text])


async def test_the_newest_letters_count_where_no_language_was_chosen(phone: SmsPhone) -> None:
    await phone.send_sms("সাহায্য")
    assert (await phone.send_sms("मदद")).startswith("एकडायल 123: स्थिति")
    assert (await phone.send_sms("HELP")).startswith("एकडायल 123: स्थिति")
    await phone.send_sms("LANG EN")
    assert (await phone.send_sms("সাহায্য")).startswith("Ekdial. Send STATUS"), "what was chosen stays chosen"


async def test_a_receipt_that_was_sent_before_does_not_stand_for_the_answer(phone: SmsPhone) -> None:
    """The form was handed in by a call that took it up; whoever types the PIN by SMS as well is answered too."""
    caller = call_gateway(phone)
    await register(caller)
    await caller.enter("00")
    await begin_application(phone)
    for text in (*ANSWERS, "1"):
        await phone.send_sms(text)
    await take_up_form(caller)
    received = await caller.enter("1", PIN)
    receipt_and_answer = (await phone.send_sms(PIN, expect=2)).split("\n---\n")
    assert [tracking_number_in(one) for one in receipt_and_answer] == [tracking_number_in(received)] * 2


async def test_a_keyword_that_answers_nothing_is_one(phone: SmsPhone) -> None:
    await phone.send_sms("MENU")
    assert (await phone.send_sms("SERVICES birth")).startswith("Services\n1 Birth certificate")
    await phone.send_sms("REG")
    assert (await phone.send_sms("MENU")).startswith("Ekdial\n"), "one gets out of every question"


async def test_stop_beats_a_running_conversation(phone: SmsPhone) -> None:
    await phone.send_sms("REG")
    assert (await phone.send_sms("STOP")).startswith("You will get no more SMS")
    assert (await phone.send_sms("Amina Begum")).startswith("দুঃখিত, বুঝতে পারিনি"), "nothing is asked any more"
    await phone.send_sms("REG")
    both = await phone.send_sms("Stop 12345", expect=1)
    assert both.startswith("Did you mean STOP?"), "it is STOP only where it stands alone"
    assert "Your name: Amina Begum" in await phone.send_sms("Amina Begum", expect=2), "and the question still waits"


async def test_a_secret_is_said_to_be_deleted_and_never_said_back(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await register(caller)
    await caller.enter("00")
    await phone.send_sms("MENU")
    asked = await phone.send_sms("5")
    assert asked == "Type your PIN\nThen delete the SMS that you sent.\n1 I forgot it\n0 Back"
    assert "739154" not in await phone.send_sms("739154")
    assert PIN not in await phone.send_sms(PIN)


async def test_a_number_that_nobody_vouches_for_is_proved_by_the_pin_that_is_sent_to_it(phone: SmsPhone) -> None:
    await phone.send_sms("MENU")
    await phone.send_sms("5")
    assert await phone.send_sms("1") == "Type your full name\n0 Back"
    both = await phone.send_sms("Amina Begum", expect=2)
    assert "We sent a PIN to this number by SMS." in both
    pin = re.search(r"^(\d{4}) is your Ekdial PIN", both, re.MULTILINE)
    assert pin
    assert (await phone.send_sms(pin[1])).startswith("You have no security questions yet.")
    assert (await phone.send_sms("2")).startswith("My account\n")


# 2.2, 2.3, 2.6 of the field report --------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["1.", "1)", "#1", "(1)", "১।", "1 please", "Option 1", "1 .", "[1]", "1!", "no. 1"])
async def test_2_2_an_answer_may_have_signs_and_courtesies_around_it(phone: SmsPhone, typed: str) -> None:
    await phone.send_sms("MENU")
    expected = await phone.send_sms("1")
    await phone.send_sms("MENU")
    assert await phone.send_sms(typed) == expected


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("birth certificate", "জন্ম সনদ"),
        ("জন্ম সনদ", "জন্ম সনদ"),
        ("পাসপোর্ট", "পাসপোর্ট"),
        ("passport", "পাসপোর্ট"),
        ("trade licence korte chai", "ট্রেড লাইসেন্স"),
    ],
)
async def test_2_3_the_name_of_a_service_is_understood_alone(phone: SmsPhone, text: str, service: str) -> None:
    assert service in await phone.send_sms(text)


@pytest.mark.parametrize("text", ["PAY", "BILL", "bidyut bill", "বিল", "बिजली का बिल", "pay bill please"])
async def test_2_3_pay_and_bill_open_the_bills(phone: SmsPhone, text: str) -> None:
    reply = await phone.send_sms(text)
    assert re.search("^1 .*(Electricity|বিদ্যুৎ|बिजली)", reply, re.MULTILINE), reply


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_2_3_pay_with_a_number_leads_to_the_fee_and_asks_for_a_proof(phone: SmsPhone) -> None:
    caller = call_gateway(phone)
    await register(caller)
    number = await apply_for_birth_certificate(caller)
    await phone.receive(0)
    assert (await phone.send_sms(f"PAY {number[:4]} {number[4:8]} {number[8:]}")).startswith(
        "Birth certificate\nFee Tk 50"
    )
    assert "PIN" in await phone.send_sms("1"), "the sender of an SMS can be forged"
    assert (await phone.send_sms(f"PAY {number[:-1]}")).startswith("Number of digits typed: 11")


async def test_2_3_pay_with_the_name_of_a_biller_asks_for_its_number(gateway: str) -> None:
    async with open_sms_phone(gateway, "+919000000001") as phone:
        assert "17" in await phone.send_sms("PAY hp gas")
        assert "17" in await phone.send_sms("BILL Indane")


SLOW_ANSWERS = (
    *("what", "{pin}", "9", "me", "1"),
    *("12", "?", "Rahim Uddin"),
    *("31022020", "32011990", "yesterday", "5", "99", "21112025"),
    *("7", "boy", "8", "2"),
    *("1", "12", "?", "Karim Uddin"),
    *("1", "12", "?", "Ayesha Begum"),
    *("5", "yes please do", "1", "12", "999", "{pin}"),
)
"""What a person texts who needs two or three tries for each answer of the form."""


async def test_2_6_a_slow_registration_and_form_with_slips_are_answered_to_the_end(phone: SmsPhone) -> None:
    """More than thirty answers in ten minutes, each with its reply."""
    pin = re.search(r"(\d{4,6}) is your Ekdial PIN", await phone.send_sms("REG Amina Begum", expect=2))
    assert pin
    await phone.send_sms("APPLY 101")
    replies = [await phone.send_sms(text.format(pin=pin[1])) for text in SLOW_ANSWERS]
    assert len(replies) + 2 > MAX_ANSWERS
    assert "application for Birth certificate received" in replies[-1]
