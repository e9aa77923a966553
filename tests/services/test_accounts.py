"""Accounts: languages, registering, signing in, lock-out and recovery, each effect once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.accounts import Known, NumberTaken, SignIn
from services.records.tables import account_events, accounts, callers, messages
from tests.desk import KARIM, RAHIMA


async def wrong_pins(desk, tries, start=0):
    return [await desk.accounts.sign_in(RAHIMA, "0000", f"try:{start + number}") for number in range(tries)]


async def test_nobody_is_known_before_they_chose_a_language(desk):
    assert await desk.accounts.language_of(RAHIMA) is None


async def test_a_language_is_remembered_with_the_session_it_was_chosen_in(desk):
    await desk.accounts.choose_language(RAHIMA, "bn", "s1")
    await desk.accounts.choose_language(RAHIMA, "hi", "s2")
    assert await desk.accounts.language_of(RAHIMA) == Known("hi", "s2")
    assert await desk.count(callers) == 1


async def test_many_callers_at_once_each_get_their_own(desk):
    languages = dict(zip((f"+88017{number:08}" for number in range(200)), ["en", "bn", "hi"] * 67, strict=False))
    await asyncio.gather(*(desk.accounts.choose_language(*chosen, "s1") for chosen in languages.items()))
    known = await asyncio.gather(*(desk.accounts.language_of(number) for number in languages))
    assert [one.language for one in known] == list(languages.values())


async def test_an_account_that_has_no_questions_gets_them_and_keeps_the_first(desk):
    newcomer = replace(await desk.newcomer(), questions=())
    await desk.accounts.register(newcomer, "s1:9")
    first, second = (("first_school", "a"), ("birthplace", "b")), (("first_teacher", "c"), ("favourite_dish", "d"))
    await desk.accounts.keep_questions(RAHIMA, first)
    await desk.accounts.keep_questions(RAHIMA, second)
    assert await desk.accounts.questions(RAHIMA) == ("first_school", "birthplace")
    await desk.accounts.keep_questions(KARIM, first)
    assert await desk.accounts.questions(KARIM) == ()


async def test_the_last_of_two_choices_in_one_moment_holds(desk):
    both = (desk.accounts.choose_language(RAHIMA, language, "s1") for language in ("bn", "hi"))
    await asyncio.gather(*both)
    assert await desk.accounts.language_of(RAHIMA) == Known("hi", "s1")


async def test_a_caller_who_cannot_be_written_down_harms_nobody_who_chose_at_the_same_time(desk):
    choices = [desk.accounts.choose_language(number, "bn", "s1") for number in (RAHIMA, None, KARIM)]
    written = await asyncio.gather(*choices, return_exceptions=True)
    assert [type(one).__name__ for one in written] == ["NoneType", "NotWritten", "NoneType"]
    assert [await desk.accounts.language_of(number) for number in (RAHIMA, KARIM)] == [Known("bn", "s1")] * 2


async def test_a_number_that_is_no_text_for_a_database_is_unknown_and_harms_nobody(desk):
    await desk.accounts.choose_language(RAHIMA, "bn", "s1")
    asked = (desk.accounts.language_of(number) for number in (RAHIMA, "+880\x00", "+88\ud800"))
    assert await asyncio.gather(*asked) == [Known("bn", "s1"), None, None]


async def test_whoever_registers_can_sign_in(desk):
    account = await desk.registers(pin="4821")
    assert await desk.accounts.exists(RAHIMA)
    assert await desk.accounts.sign_in(RAHIMA, "4821", "s1:12") == SignIn("in", account)
    assert await desk.accounts.questions(RAHIMA) == ("first_school", "birthplace")
    assert await desk.accounts.name(account) == "Rahima Begum"


async def test_a_pin_typed_in_bengali_digits_is_the_same_pin(desk):
    await desk.registers(pin="4821")
    assert (await desk.accounts.sign_in(RAHIMA, "৪৮২১", "s1:12")).outcome == "in"


async def test_registering_twice_under_one_effect_is_registering_once(desk):
    first = await desk.registers(effect="s1:9")
    again = await desk.registers(effect="s1:9", pin="7305")
    assert again == first
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s1:12")).outcome == "in"
    assert await desk.accounts.registered_by(RAHIMA) == "s1:9"


async def test_registering_twice_at_once_under_one_effect_is_registering_once(desk):
    newcomer = await desk.newcomer()
    made = await asyncio.gather(*(desk.accounts.register(newcomer, "s1:9") for _ in range(8)))
    assert len(set(made)) == 1
    assert await desk.count(accounts) == 1


async def test_a_number_with_an_account_cannot_be_taken_over(desk):
    await desk.registers(pin="4821")
    with pytest.raises(NumberTaken) as refused:
        await desk.registers(pin="7305", effect="s2:9")
    assert RAHIMA not in str(refused.value)
    assert (await desk.accounts.sign_in(RAHIMA, "7305", "s2:12")).outcome == "wrong"


async def test_of_two_who_register_a_number_at_once_one_gets_it(desk):
    newcomer = await desk.newcomer()
    both = (desk.accounts.register(newcomer, effect) for effect in ("s1:9", "s2:9"))
    made = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["NumberTaken", "int"]


async def test_a_pin_of_our_choosing_goes_by_sms_and_opens_the_account(desk):
    assert await desk.registers(pin="", effect="s1:9") == 0
    assert await desk.registers(pin="", effect="s1:9") == 0
    [(to, language, text, facts)] = await desk.sent()
    assert (to, language, text) == (RAHIMA, "bn", "pin")
    assert (await desk.accounts.sign_in(RAHIMA, facts["pin"], "s1:12")).outcome == "in"


async def test_a_number_without_an_account_is_unknown_and_stays_so_under_that_effect(desk):
    assert await desk.accounts.sign_in(KARIM, "4821", "s1:3") == SignIn("unknown")
    assert await desk.accounts.questions(KARIM) == ()
    assert await desk.accounts.answer(KARIM, ("a", "b"), "s1:4") == SignIn("unknown")
    assert not await desk.accounts.exists(KARIM)
    await desk.registers(KARIM, pin="4821")
    assert await desk.accounts.sign_in(KARIM, "4821", "s1:3") == SignIn("unknown")


async def test_a_number_without_an_account_costs_the_same_hashing_as_a_wrong_pin(desk, monkeypatch):
    await desk.registers()
    compared = []
    matches = desk.pins.matches

    async def counted(secret, hashed):
        compared.append(secret)
        return await matches(secret, hashed)

    monkeypatch.setattr(desk.pins, "matches", counted)
    for number in (RAHIMA, KARIM):
        await desk.accounts.sign_in(number, "0000", f"s1:{number}")
        await desk.accounts.answer(number, ("a", "b"), f"s1:{number}")
    assert compared == ["0000", "a", "b"] * 2


async def test_five_wrong_pins_close_the_account_for_a_quarter_of_an_hour_then_longer_and_longer(desk, clock):
    await desk.registers(pin="4821")
    tries = await wrong_pins(desk, 5)
    assert [one.left for one in tries] == [4, 3, 2, 1, 0]
    for round_number, closed in enumerate((15, 60, 24 * 60, 24 * 60), start=1):
        until = clock.now + timedelta(minutes=closed)
        assert await desk.accounts.sign_in(RAHIMA, "4821", f"right:{round_number}") == SignIn("locked", until=until)
        clock.moves(minutes=closed, seconds=-1)
        assert (await desk.accounts.sign_in(RAHIMA, "4821", f"early:{round_number}")).outcome == "locked"
        clock.moves(seconds=1)
        tries = await wrong_pins(desk, 5, start=round_number * 5)
        assert [one.outcome for one in tries] == ["wrong"] * 4 + ["locked"]


async def test_a_right_pin_forgets_the_wrong_ones(desk):
    await desk.registers(pin="4821")
    await wrong_pins(desk, 4)
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s1:12")).outcome == "in"
    assert (await wrong_pins(desk, 1, start=4))[0].left == 4


async def test_the_same_wrong_pin_heard_twice_counts_once_and_is_answered_alike(desk):
    await desk.registers()
    first = await desk.accounts.sign_in(RAHIMA, "0000", "s1:12")
    await desk.accounts.sign_in(RAHIMA, "1111", "s1:17")
    again = await asyncio.gather(*(desk.accounts.sign_in(RAHIMA, "0000", "s1:12") for _ in range(5)))
    assert {first, *again} == {SignIn("wrong", left=4)}


async def test_the_same_wrong_pin_heard_at_once_counts_once(desk):
    await desk.registers()
    heard = await asyncio.gather(*(desk.accounts.sign_in(RAHIMA, "0000", "s1:12") for _ in range(8)))
    assert set(heard) == {SignIn("wrong", left=4)}


async def test_a_right_pin_heard_again_is_right_even_when_the_account_was_closed_since(desk):
    account = await desk.registers(pin="4821")
    await desk.accounts.sign_in(RAHIMA, "4821", "s1:12")
    await wrong_pins(desk, 5)
    assert await desk.accounts.sign_in(RAHIMA, "4821", "s1:12") == SignIn("in", account)


async def test_guessing_at_once_gets_no_more_guesses_than_one_by_one(desk):
    await desk.registers(pin="4821")
    guesses = (desk.accounts.sign_in(RAHIMA, f"{guess:04}", f"guess:{guess}") for guess in range(30))
    heard = await asyncio.gather(*guesses)
    assert sorted(one.left for one in heard if one.outcome == "wrong") == [1, 2, 3, 4]
    assert sum(one.outcome == "locked" for one in heard) == 26


async def test_an_effect_of_one_number_says_nothing_about_another(desk):
    await desk.registers(RAHIMA, pin="4821", effect="s1:9")
    await desk.registers(KARIM, pin="7305", effect="s2:9")
    await desk.accounts.sign_in(RAHIMA, "4821", "s1:12")
    assert (await desk.accounts.sign_in(KARIM, "4821", "s1:12")).outcome == "wrong"


async def test_the_two_answers_reopen_an_account_that_wrong_pins_closed(desk):
    account = await desk.registers(pin="4821")
    await wrong_pins(desk, 5)
    answers = ("SONAR  bangla school.", "কুমিল্লা-4")
    assert await desk.accounts.answer(RAHIMA, answers, "s3:20") == SignIn("in", account)
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s3:22")).outcome == "locked"
    await desk.accounts.change_pin(account, await desk.hashed("7305"), "s3:30")
    assert (await desk.accounts.sign_in(RAHIMA, "7305", "s3:36")).outcome == "in"


@pytest.mark.parametrize(
    "answers", [(), ("Sonar Bangla School",), ("Sonar Bangla School", "Dhaka"), ("কুমিল্লা ৪", "Sonar Bangla School")]
)
async def test_all_the_answers_must_be_right_and_in_their_order(desk, answers):
    await desk.registers()
    assert await desk.accounts.answer(RAHIMA, answers, "s3:20") == SignIn("wrong", left=4)


async def test_wrong_answers_count_as_wrong_pins_and_close_both_ways(desk, clock):
    await desk.registers(pin="4821")
    tries = [await desk.accounts.answer(RAHIMA, ("a", "b"), f"s3:{number}") for number in range(5)]
    assert [one.left for one in tries] == [4, 3, 2, 1, 0]
    right = ("Sonar Bangla School", "কুমিল্লা ৪")
    assert (await desk.accounts.answer(RAHIMA, right, "s3:90")).until == clock.now + timedelta(minutes=15)
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s3:91")).outcome == "locked"


async def test_a_changed_pin_is_told_once_and_an_old_change_heard_again_does_not_undo_a_newer_one(desk):
    account = await desk.registers(pin="4821")
    older, newer = [await desk.hashed(pin) for pin in ("7305", "9164")]
    await desk.accounts.change_pin(account, older, "s1:20")
    await desk.accounts.change_pin(account, newer, "s2:20")
    await asyncio.gather(*(desk.accounts.change_pin(account, older, "s1:20") for _ in range(4)))
    assert (await desk.accounts.sign_in(RAHIMA, "9164", "s2:30")).outcome == "in"
    assert await desk.sent() == [(RAHIMA, "bn", "pin_changed", {})] * 2


async def test_an_account_is_told_things_in_the_language_its_caller_chose_last(desk):
    account = await desk.registers(language="bn")
    assert await desk.accounts.language(account) == "bn"
    await desk.accounts.choose_language(RAHIMA, "hi", "s4")
    assert await desk.accounts.language(account) == "hi"


async def test_neither_name_nor_pin_nor_answer_is_in_the_tables(desk):
    account = await desk.registers(pin="4821", effect="s1:9")
    await desk.accounts.answer(RAHIMA, ("a", "b"), "s3:20")
    rows = [
        str((await desk.records.read(select(table))).all()) for table in (accounts, account_events, messages, callers)
    ]
    assert account
    assert not [secret for secret in ("Rahima", "4821", "Sonar", "কুমিল্লা") if secret in "".join(rows)]
