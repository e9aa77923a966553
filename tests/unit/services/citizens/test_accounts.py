"""Accounts: languages, registration, sign-in, lock-out and recovery, each once for a key."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from db.tables import account_events, accounts, callers, messages
from services.citizens.models import LanguageChoice, NumberTakenError, SignInResult
from tests.support.services import KARIM, RAHIMA


async def enter_wrong_pins(services, tries, start=0):
    return [
        await services.accounts.sign_in(RAHIMA, "0000", f"try:{start + number}", vouched=True)
        for number in range(tries)
    ]


async def test_a_caller_has_no_language_before_choosing_one(services):
    assert await services.accounts.find_language_choice(RAHIMA) is None


async def test_a_language_is_remembered_with_the_session_it_was_chosen_in(services):
    await services.accounts.choose_language(RAHIMA, "bn", "s1")
    await services.accounts.choose_language(RAHIMA, "hi", "s2")
    assert await services.accounts.find_language_choice(RAHIMA) == LanguageChoice("hi", "s2")
    assert await services.count_rows(callers) == 1


async def test_concurrent_callers_each_keep_their_own_language(services):
    languages = dict(zip((f"+88017{number:08}" for number in range(200)), ["en", "bn", "hi"] * 67, strict=False))
    await asyncio.gather(*(services.accounts.choose_language(*chosen, "s1") for chosen in languages.items()))
    known = await asyncio.gather(*(services.accounts.find_language_choice(number) for number in languages))
    assert [one.language for one in known] == list(languages.values())


async def test_the_last_of_two_choices_in_one_moment_holds(services):
    both = (services.accounts.choose_language(RAHIMA, language, "s1") for language in ("bn", "hi"))
    await asyncio.gather(*both)
    assert await services.accounts.find_language_choice(RAHIMA) == LanguageChoice("hi", "s1")


async def test_a_row_that_cannot_be_written_does_not_fail_the_others_of_its_batch(services):
    choices = [services.accounts.choose_language(number, "bn", "s1") for number in (RAHIMA, None, KARIM)]
    written = await asyncio.gather(*choices, return_exceptions=True)
    assert [type(one).__name__ for one in written] == ["NoneType", "RejectedWriteError", "NoneType"]
    assert [await services.accounts.find_language_choice(number) for number in (RAHIMA, KARIM)] == [
        LanguageChoice("bn", "s1")
    ] * 2


async def test_a_number_that_the_database_cannot_store_is_unknown(services):
    await services.accounts.choose_language(RAHIMA, "bn", "s1")
    asked = (services.accounts.find_language_choice(number) for number in (RAHIMA, "+880\x00", "+88\ud800"))
    assert await asyncio.gather(*asked) == [LanguageChoice("bn", "s1"), None, None]


async def test_a_registered_citizen_can_sign_in(services):
    account = await services.register(pin="4821")
    assert await services.accounts.has_account(RAHIMA)
    assert await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True) == SignInResult("in", account)
    assert await services.accounts.get_questions(RAHIMA) == ("first_school", "birthplace")
    assert await services.accounts.holder_name(account) == "Rahima Begum"


async def test_a_pin_typed_in_bengali_digits_is_the_same_pin(services):
    await services.register(pin="4821")
    assert (await services.accounts.sign_in(RAHIMA, "৪৮২১", "s1:12", vouched=True)).outcome == "in"


async def test_a_repeated_key_registers_once(services):
    first = await services.register(idempotency_key="s1:9")
    again = await services.register(idempotency_key="s1:9", pin="7305")
    assert again == first
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)).outcome == "in"
    assert await services.accounts.find_registration_key(RAHIMA) == "s1:9"


async def test_concurrent_registrations_with_one_key_register_once(services):
    newcomer = await services.new_account()
    made = await asyncio.gather(*(services.accounts.register(newcomer, "s1:9") for _ in range(8)))
    assert len(set(made)) == 1
    assert await services.count_rows(accounts) == 1


async def test_a_number_with_an_account_cannot_be_taken_over(services):
    await services.register(pin="4821")
    with pytest.raises(NumberTakenError) as refused:
        await services.register(pin="7305", idempotency_key="s2:9")
    assert RAHIMA not in str(refused.value)
    assert (await services.accounts.sign_in(RAHIMA, "7305", "s2:12", vouched=True)).outcome == "wrong"


async def test_one_of_two_concurrent_registrations_gets_the_number(services):
    newcomer = await services.new_account()
    both = (services.accounts.register(newcomer, idempotency_key) for idempotency_key in ("s1:9", "s2:9"))
    made = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["NumberTakenError", "int"]


async def test_a_generated_pin_goes_by_sms_and_opens_the_account(services):
    assert await services.register(pin="", idempotency_key="s1:9") == 0
    assert await services.register(pin="", idempotency_key="s1:9") == 0
    [(to, language, text, facts)] = await services.claim_sms()
    assert (to, language, text) == (RAHIMA, "bn", "pin")
    assert (await services.accounts.sign_in(RAHIMA, facts["pin"], "s1:12", vouched=True)).outcome == "in"


async def test_a_number_without_an_account_is_unknown_and_stays_so_for_a_repeated_key(services):
    assert await services.accounts.sign_in(KARIM, "4821", "s1:3", vouched=True) == SignInResult("unknown")
    assert await services.accounts.get_questions(KARIM) == ()
    assert await services.accounts.sign_in_by_answers(KARIM, ("a", "b"), "s1:4", vouched=True) == SignInResult(
        "unknown"
    )
    assert not await services.accounts.has_account(KARIM)
    await services.register(KARIM, pin="4821")
    assert await services.accounts.sign_in(KARIM, "4821", "s1:3", vouched=True) == SignInResult("unknown")


async def test_a_number_without_an_account_costs_the_same_hashing_as_a_wrong_pin(services, monkeypatch):
    await services.register()
    compared = []
    matches = services.pins.verify

    async def counted(secret, hashed):
        compared.append(secret)
        return await matches(secret, hashed)

    monkeypatch.setattr(services.pins, "verify", counted)
    for number in (RAHIMA, KARIM):
        await services.accounts.sign_in(number, "0000", f"s1:{number}", vouched=True)
        await services.accounts.sign_in_by_answers(number, ("a", "b"), f"s1:{number}", vouched=True)
    assert compared == ["0000", "a", "b"] * 2


async def test_five_wrong_pins_lock_the_account_for_15_minutes_then_longer(services, clock):
    await services.register(pin="4821")
    tries = await enter_wrong_pins(services, 5)
    assert [one.tries_left for one in tries] == [4, 3, 2, 1, 0]
    for round_number, closed in enumerate((15, 60, 24 * 60, 24 * 60), start=1):
        until = clock.now + timedelta(minutes=closed)
        assert await services.accounts.sign_in(RAHIMA, "4821", f"right:{round_number}", vouched=True) == SignInResult(
            "locked", locked_until=until
        )
        clock.advance(minutes=closed, seconds=-1)
        assert (
            await services.accounts.sign_in(RAHIMA, "4821", f"early:{round_number}", vouched=True)
        ).outcome == "locked"
        clock.advance(seconds=1)
        tries = await enter_wrong_pins(services, 5, start=round_number * 5)
        assert [one.outcome for one in tries] == ["wrong"] * 4 + ["locked"]


async def test_a_right_pin_resets_the_failed_attempts(services):
    await services.register(pin="4821")
    await enter_wrong_pins(services, 4)
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)).outcome == "in"
    assert (await enter_wrong_pins(services, 1, start=4))[0].tries_left == 4


async def test_a_repeated_wrong_pin_counts_once_and_gets_the_same_result(services):
    await services.register()
    first = await services.accounts.sign_in(RAHIMA, "0000", "s1:12", vouched=True)
    await services.accounts.sign_in(RAHIMA, "1111", "s1:17", vouched=True)
    again = await asyncio.gather(*(services.accounts.sign_in(RAHIMA, "0000", "s1:12", vouched=True) for _ in range(5)))
    assert {first, *again} == {SignInResult("wrong", tries_left=4)}


async def test_a_wrong_pin_repeated_concurrently_counts_once(services):
    await services.register()
    results = await asyncio.gather(
        *(services.accounts.sign_in(RAHIMA, "0000", "s1:12", vouched=True) for _ in range(8))
    )
    assert set(results) == {SignInResult("wrong", tries_left=4)}


async def test_a_repeated_right_pin_is_right_after_the_account_was_locked(services):
    account = await services.register(pin="4821")
    await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)
    await enter_wrong_pins(services, 5)
    assert await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True) == SignInResult("in", account)


async def test_concurrent_guesses_do_not_exceed_the_limit(services):
    await services.register(pin="4821")
    guesses = (services.accounts.sign_in(RAHIMA, f"{guess:04}", f"guess:{guess}", vouched=True) for guess in range(30))
    results = await asyncio.gather(*guesses)
    assert sorted(one.tries_left for one in results if one.outcome == "wrong") == [1, 2, 3, 4]
    assert sum(one.outcome == "locked" for one in results) == 26


async def test_a_key_of_one_number_gives_no_result_to_another(services):
    await services.register(RAHIMA, pin="4821", idempotency_key="s1:9")
    await services.register(KARIM, pin="7305", idempotency_key="s2:9")
    await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)
    assert (await services.accounts.sign_in(KARIM, "4821", "s1:12", vouched=True)).outcome == "wrong"


async def test_the_answers_unlock_an_account_that_wrong_pins_locked(services):
    account = await services.register(pin="4821")
    await enter_wrong_pins(services, 5)
    answers = ("SONAR  bangla school.", "কুমিল্লা-4")
    recovered = await services.accounts.sign_in_by_answers(RAHIMA, answers, "s3:20", vouched=True)
    assert (recovered.outcome, recovered.account) == ("in", account)
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s3:22", vouched=True)).outcome == "locked"
    await services.accounts.change_pin(account, await services.hash_secret("7305"), "s3:30", vouched=True)
    assert (await services.accounts.sign_in(RAHIMA, "7305", "s3:36", vouched=True)).outcome == "in"


@pytest.mark.parametrize(
    "answers", [(), ("Sonar Bangla School",), ("Sonar Bangla School", "Dhaka"), ("কুমিল্লা ৪", "Sonar Bangla School")]
)
async def test_all_the_answers_must_be_right_and_in_their_order(services, answers):
    await services.register()
    assert await services.accounts.sign_in_by_answers(RAHIMA, answers, "s3:20", vouched=True) == SignInResult(
        "wrong", tries_left=4
    )


async def test_wrong_answers_count_as_wrong_pins_and_lock_both_methods(services, clock):
    await services.register(pin="4821")
    tries = [
        await services.accounts.sign_in_by_answers(RAHIMA, ("a", "b"), f"s3:{number}", vouched=True)
        for number in range(5)
    ]
    assert [one.tries_left for one in tries] == [4, 3, 2, 1, 0]
    right = ("Sonar Bangla School", "কুমিল্লা ৪")
    assert (
        await services.accounts.sign_in_by_answers(RAHIMA, right, "s3:90", vouched=True)
    ).locked_until == clock.now + timedelta(minutes=15)
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s3:91", vouched=True)).outcome == "locked"


async def test_a_changed_pin_sends_one_sms_and_a_repeated_change_does_not_undo_a_newer_one(services):
    account = await services.register(pin="4821")
    older, newer = [await services.hash_secret(pin) for pin in ("7305", "9164")]
    await services.accounts.change_pin(account, older, "s1:20", vouched=True)
    await services.accounts.change_pin(account, newer, "s2:20", vouched=True)
    await asyncio.gather(*(services.accounts.change_pin(account, older, "s1:20", vouched=True) for _ in range(4)))
    assert (await services.accounts.sign_in(RAHIMA, "9164", "s2:30", vouched=True)).outcome == "in"
    assert await services.claim_sms() == [(RAHIMA, "bn", "pin_changed", {})] * 2


async def test_an_account_gets_messages_in_the_last_chosen_language(services):
    account = await services.register(language="bn")
    assert await services.accounts.get_language(account) == "bn"
    await services.accounts.choose_language(RAHIMA, "hi", "s4")
    assert await services.accounts.get_language(account) == "hi"


async def test_neither_name_nor_pin_nor_answer_is_in_the_tables(services):
    account = await services.register(pin="4821", idempotency_key="s1:9")
    await services.accounts.sign_in_by_answers(RAHIMA, ("a", "b"), "s3:20", vouched=True)
    rows = [
        str((await services.database.fetch(select(table))).all())
        for table in (accounts, account_events, messages, callers)
    ]
    assert account
    assert not [secret for secret in ("Rahima", "4821", "Sonar", "কুমিল্লা") if secret in "".join(rows)]
