"""Whole conversations by SMS: applying in Bengali, and going on by SMS with what a call began, or the other way round."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from screens.alphabet import septets, units
from services.numbers import tracking_number
from services.records.migrate import upgrade
from sms.segments import counted
from tests.journeys.steps import ANSWERS, PIN, opens_birth_certificate, registers, tracking_in
from tests.phone import Phone, running, settings_for
from tests.texting import Texter, texter

IN_BENGALI = (
    ("আবেদন ১০১", "আপনার পিন দিন"),
    ("{pin}", "জন্ম সনদ\nকার জন্য আবেদন?"),
    ("১", "১/৫"),
    ("রহিম উদ্দিন", "২/৫"),
    ("২১-১১-২০২৫", "৩/৫"),
    ("২", "৪/৫"),
    ("করিম উদ্দিন", "৫/৫"),
    ("আয়েশা বেগম", "জন্ম সনদ\nরহিম উদ্দিন"),
    ("১", "আবেদন পাঠাতে আপনার পিন দিন"),
    ("{pin}", "একডায়াল: জন্ম সনদ"),
)
"""What is texted to apply for a birth certificate, and how each answer begins."""


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Texter]:
    """A phone that has never written before, at a gateway on the embedded defaults."""
    async with running(settings_for(tmp_path)) as url, texter(url) as phone:
        yield phone


@pytest.fixture
async def anywhere(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[Texter]:
    """The same on every store and every database in turn."""
    await upgrade(database_url)
    settings = settings_for(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url)
    async with running(settings) as url, texter(url) as phone:
        yield phone


def calls(phone: Texter) -> Phone:
    """The same person, dialling."""
    return Phone(phone.http, phone.url, phone.number)


async def registers_in_bengali(phone: Texter) -> str:
    """By one SMS; the PIN that comes back."""
    both = await phone.texts("নিবন্ধন আমিনা বেগম", expect=2)
    found = re.search(r"^\d{4,6}", both, re.MULTILINE)
    assert found
    return found[0]


async def begins_to_apply(phone: Texter) -> str:
    """The first question of the form of a birth certificate, for oneself."""
    for text in ("APPLY 101", PIN, "1"):
        question = await phone.texts(text)
    return question


async def test_applying_whole_in_bengali(anywhere: Texter) -> None:
    """`pytest -n0 -s -k "applying_whole and fakeredis-sqlite"` shows it to whoever wants to read it."""
    phone = anywhere
    pin = await registers_in_bengali(phone)
    said = []
    for text, begins in IN_BENGALI:
        texted = text.format(pin=pin)
        reply = await phone.texts(texted)
        said.append(f"> {texted}\n{reply}\n")
        assert reply.startswith(begins)
    heard = len(phone.inbox.messages)
    status = await phone.texts(f"অবস্থা {tracking_in(reply)}")
    assert len(phone.inbox.messages) == heard + 1, "the receipt was the whole answer"
    assert status.startswith("জন্ম সনদ\n")
    assert "গ্রহণ করা হয়েছে" in status
    print("\n", "\n".join(said), sep="")  # noqa: T201 - so that a person can read it


async def test_every_sms_of_a_conversation_takes_two_segments_at_most(phone: Texter) -> None:
    pin = await registers_in_bengali(phone)
    for text in ("MENU", "1", "1", "1", "2", "0", "1", pin, "রহিম উদ্দিন", "nonsense", "98", "00", "5", "1"):
        assert counted(await phone.texts(text)).segments <= 2, text


async def test_one_segment_where_that_is_all_there_is_room_for(tmp_path: Path) -> None:
    async with running(settings_for(tmp_path, SMS__SCREEN_SEGMENTS="1")) as url, texter(url) as phone:
        first = await phone.texts("মেনু")
        assert first.endswith("98 আরও")
        second = await phone.texts("৯৮")
        for page in (first, second):
            assert septets(page) is None
            assert units(page) <= 70
        assert (await phone.texts("8")).startswith("একডায়াল: সরকারি সেবা"), "a number of a later page is heard at once"


async def test_a_call_that_was_cut_off_goes_on_by_sms(phone: Texter) -> None:
    caller = calls(phone)
    await registers(caller)
    await opens_birth_certificate(caller)
    question = await caller.types(*ANSWERS[:2])
    assert await phone.texts("MENU") == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
    assert await phone.texts("1") == question
    confirm = await phone.texts(ANSWERS[2])
    for answer in ANSWERS[3:]:
        confirm = await phone.texts(answer)
    assert "Rahim Uddin" in confirm
    assert (await phone.texts("1")).startswith("To send it, type your PIN")
    assert (await phone.texts(PIN)).startswith("Ekdial: Birth certificate received")
    assert (await caller.dials()).startswith("Ekdial\n"), "what is finished is not offered again"


async def test_whatever_is_written_after_a_dropped_call_is_met_with_the_offer(phone: Texter) -> None:
    caller = calls(phone)
    await caller.dials()
    await caller.types("1", "2")
    assert (
        await phone.texts("hello? my call dropped, what now")
        == "Last time you had not finished\n1 Go on\n2 Start again"
    )
    assert (await phone.texts("2")).startswith("Ekdial\n1 Find a service")
    assert (await phone.texts("7")).startswith("Help by phone")


async def test_a_conversation_by_sms_goes_on_by_dialling(phone: Texter) -> None:
    caller = calls(phone)
    await registers(caller)
    await caller.types("00")
    await begins_to_apply(phone)
    question = await phone.texts(ANSWERS[0])
    offer = await caller.dials()
    assert offer == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
    assert await caller.types("1") == question
    confirm = await caller.types(*ANSWERS[1:])
    assert "Rahim Uddin" in confirm


async def test_a_call_that_went_on_is_what_the_next_sms_goes_on_with(phone: Texter) -> None:
    caller = calls(phone)
    await registers(caller)
    await caller.types("00")
    await begins_to_apply(phone)
    await phone.texts(ANSWERS[0])
    await caller.dials()
    await caller.types("1", *ANSWERS[1:4])
    assert (await phone.texts("Ayesha Begum")).startswith("You were applying for"), "the call came further than the SMS"
    assert (await phone.texts("1")).startswith("5/5")
    assert "Ayesha Begum" in await phone.texts("Ayesha Begum")


async def test_a_question_asked_in_between_does_not_disturb_a_form(phone: Texter) -> None:
    caller = calls(phone)
    await registers(caller)
    await caller.types("00")
    await begins_to_apply(phone)
    question = await phone.texts(ANSWERS[0])
    assert (await phone.texts("HELP")).startswith("Ekdial. Send STATUS")
    assert (await phone.texts("LANG EN")).startswith("From now on we write to you in English.")
    assert (await phone.texts("nonsense")).endswith(question)


async def test_what_answers_the_question_is_no_keyword(phone: Texter) -> None:
    await phone.texts("REG")
    both = await phone.texts("Salam", expect=2)
    assert "is your Ekdial PIN" in both, "Salam is a greeting, and a name"
    await phone.texts("COMPLAIN")
    assert (await phone.texts("status of my file never changes")).startswith("We have your complaint.")


@pytest.mark.parametrize(
    "typed", ["234123412345", "2341 2341 2345", "২৩৪১ ২৩৪১ ২৩৪৫", "२३४१-२३४१-२३४५", "2341 2341 23456", "২৩৪১২৩৪১২৩৪"]
)
async def test_a_mistyped_number_is_an_answer_and_no_status(phone: Texter, typed: str) -> None:
    for text in ("হ্যালো", "1", "1"):
        asked = await phone.texts(text)
    digits = sum(map(str.isdigit, typed))
    told = str(digits).translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))
    wrong = "নম্বরের কোনো সংখ্যা ভুল আছে" if digits == 12 else f"আপনি {told}টি সংখ্যা লিখেছেন"
    assert await phone.texts(typed) == f"{wrong}\n{asked}"
    assert "কোডটি দিন" in await phone.texts("2341 2341 2346", expect=2), "the question stands until it is answered"


async def test_a_number_with_letters_for_digits_is_an_answer_too(phone: Texter) -> None:
    for text in ("HI", "1", "1"):
        asked = await phone.texts(text)
    assert await phone.texts("234I2341234O") == f"Please type digits only\n{asked}"


async def test_a_status_is_asked_for_out_of_any_question_and_by_a_number_alone_out_of_a_choice(phone: Texter) -> None:
    number = tracking_number()
    for text in ("HI", "1", "1"):
        await phone.texts(text)
    assert (await phone.texts(f"STATUS {number}")).startswith("No application has this number")
    await phone.texts("MENU")
    assert (await phone.texts(number)).startswith("No application has this number")


async def test_a_number_is_the_answer_to_a_form(phone: Texter) -> None:
    """A form asks for a name here; twelve digits are none, and are told so, instead of ending the form."""
    caller = calls(phone)
    await registers(caller)
    await caller.types("00")
    question = await begins_to_apply(phone)
    assert await phone.texts(tracking_number()) == f"Please use letters only\n{question}"


@pytest.mark.parametrize("last", ["STOP", "HELP"])
async def test_a_conversation_in_bengali_ends_in_bengali(phone: Texter, last: str) -> None:
    for text in ("হ্যালো", "1", "1", "0"):
        await phone.texts(text)
    bengali = {"STOP": "আপনি না চাইলে", "HELP": "একডায়াল: STATUS", "START": "স্বাগতম।", "MENU": "একডায়াল\n1 সেবা খুঁজুন"}
    for text in (last, "START", "MENU"):
        assert (await phone.texts(text)).startswith(bengali[text])


async def test_the_newest_letters_count_where_no_language_was_chosen(phone: Texter) -> None:
    await phone.texts("সাহায্য")
    assert (await phone.texts("मदद")).startswith("एकडायल: STATUS")
    assert (await phone.texts("HELP")).startswith("एकडायल: STATUS")
    await phone.texts("LANG EN")
    assert (await phone.texts("সাহায্য")).startswith("Ekdial. Send STATUS"), "what was chosen stays chosen"


async def test_a_receipt_that_was_sent_before_does_not_stand_for_the_answer(phone: Texter) -> None:
    """The form was handed in by a call that took it up; whoever sends the last `1` by SMS as well is answered too."""
    caller = calls(phone)
    await registers(caller)
    await caller.types("00")
    await begins_to_apply(phone)
    for text in (*ANSWERS, "1"):
        await phone.texts(text)
    await caller.dials()
    received = await caller.types("1", PIN)
    receipt_and_answer = (await phone.texts(PIN, expect=2)).split("\n---\n")
    assert [tracking_in(one) for one in receipt_and_answer] == [tracking_in(received)] * 2


async def test_a_keyword_that_answers_nothing_is_one(phone: Texter) -> None:
    await phone.texts("MENU")
    assert (await phone.texts("SERVICES birth")).startswith("Services\n1 Birth certificate")
    await phone.texts("REG")
    assert (await phone.texts("MENU")).startswith("Ekdial\n"), "one gets out of every question"


async def test_stop_beats_a_running_conversation(phone: Texter) -> None:
    await phone.texts("REG")
    assert (await phone.texts("STOP")).startswith("You will get no more SMS")
    assert (await phone.texts("Amina Begum")).startswith("Sorry, we did not understand"), "nothing is asked any more"
    await phone.texts("REG")
    both = await phone.texts("Stop 12345", expect=1)
    assert both.startswith("Please use letters only"), "it is STOP only where it stands alone"


async def test_a_secret_is_said_to_be_deleted_and_never_said_back(phone: Texter) -> None:
    caller = calls(phone)
    await registers(caller)
    await caller.types("00")
    await phone.texts("MENU")
    asked = await phone.texts("5")
    assert asked == "Type your PIN\nThen delete the SMS that you sent.\n1 I forgot it\n0 Back"
    assert "739154" not in await phone.texts("739154")
    assert PIN not in await phone.texts(PIN)


async def test_a_number_that_nobody_vouches_for_is_proved_by_a_code(phone: Texter) -> None:
    await phone.texts("MENU")
    await phone.texts("5")
    both = await phone.texts("1", expect=2)
    assert "We sent a 6-digit code to this number by SMS." in both
    code = re.search(r"^(\d{6}) is your Ekdial code", both, re.MULTILINE)
    assert code
    assert await phone.texts(code[1]) == "Type your full name\n0 Back"
