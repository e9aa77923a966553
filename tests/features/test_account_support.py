"""The helpdesk helps a citizen who lost a phone, or whose number somebody else has now: `server.py citizen`."""

import sqlite3
from contextlib import closing

import pytest
from aiohttp import ClientSession

from core.errors import CommandError
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.commands import citizen_command
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway

NEW_NUMBER = "+8801700000002"
REASON = ("--why", "ticket 4711: phone lost", "--by", "nadia")


@pytest.fixture
def settings(tmp_path):
    return build_settings(tmp_path)


@pytest.fixture
async def url(settings):
    async with run_gateway(settings) as url:
        yield url


@pytest.fixture
async def phone(url):
    async with ClientSession() as http:
        yield Phone(http, url)


@pytest.fixture
def citizen(settings, phone):
    """Run the command beside the gateway."""

    async def run(action, *arguments, reason=REASON):
        return await citizen_command(settings, action, *arguments, *(reason if action != "show" else ()))

    return run


async def sign_in(phone, pin=PIN):
    """Dial, open My account and type the PIN; the screen."""
    await phone.redial()
    return await phone.enter("5", pin)


def audit_rows(tmp_path):
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        query = "SELECT act, actor, subject, details FROM audit WHERE actor_kind = 'staff' ORDER BY id"
        return database.execute(query).fetchall()


async def test_a_look_is_masked_and_on_the_record(phone, citizen, tmp_path):
    await register(phone)
    shown = await citizen("show", MSISDN)
    assert "number: …001\n" in shown
    assert "name: A… B…\n" in shown
    assert "state: open\n" in shown
    assert "security questions: 2\n" in shown
    for secret in (MSISDN, MSISDN[1:], "Amina", "Begum", PIN):
        assert secret not in shown
    ((act, _, subject, details),) = audit_rows(tmp_path)
    assert (act, subject, details) == ("account_viewed", "1", "{}")


async def test_a_frozen_account_lets_nobody_in_until_it_is_unfrozen(phone, citizen, tmp_path):
    await register(phone)
    assert "My applications" in await sign_in(phone)
    await citizen("freeze", MSISDN)
    assert "My applications" not in await phone.enter("1"), "the call that was signed in"
    assert "My applications" not in await sign_in(phone)
    assert "state: frozen\n" in await citizen("show", MSISDN)
    with pytest.raises(CommandError, match="The account of this number is frozen already"):
        await citizen("freeze", MSISDN)
    await citizen("unfreeze", MSISDN)
    assert await phone.wait_for_sms("opened your account again")
    assert "My applications" in await sign_in(phone)
    acts = [(act, actor, details) for act, actor, _, details in audit_rows(tmp_path) if act != "account_viewed"]
    assert acts == [
        ("account_frozen", "nadia", '{"reason": "ticket 4711: phone lost"}'),
        ("account_unfrozen", "nadia", '{"reason": "ticket 4711: phone lost"}'),
    ]


async def test_who_is_signed_out_must_type_the_pin_again(phone, citizen):
    await register(phone)
    assert "My applications" in await sign_in(phone)
    await citizen("sign-out", MSISDN)
    assert await phone.wait_for_sms("signed you out everywhere")
    assert "PIN" in await phone.enter("1")
    assert "My applications" in await sign_in(phone)


async def test_security_questions_are_removed(phone, citizen):
    await register(phone)
    await citizen("reset-questions", MSISDN)
    assert await phone.wait_for_sms("removed your security questions")
    assert "security questions: 0\n" in await citizen("show", MSISDN)


async def test_a_released_account_moves_to_the_new_number_with_everything(phone, citizen, url):
    await register(phone)
    await apply_for_birth_certificate(phone)
    said = await citizen("release", MSISDN)
    assert "Account 1 has no number any more" in said
    assert "account: none\n" in (shown := await citizen("show", MSISDN))
    assert "former accounts: account 1 until 20" in shown
    with pytest.raises(CommandError, match=r"(?s)no account.*Account 1 had it until .*citizen attach 1 NUMBER"):
        await citizen("freeze", MSISDN)
    assert "Account 1 has this number now" in await citizen("attach", "1", NEW_NUMBER)
    async with ClientSession() as http:
        new_phone = Phone(http, url, NEW_NUMBER)
        assert await new_phone.wait_for_sms("your account now has this number")
        await new_phone.dial()
        await new_phone.enter("1")
        assert "My applications" in await new_phone.enter("5", PIN)
        assert "Birth certificate: Submitted" in await new_phone.enter("1")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("show", "01711000001"), "This is no number that citizen can look up"),
        (("show", "123412341235"), "or one of its digits is wrong"),
        (("show", "12"), "There is no payment 12"),
        (("show", "SB70A49EDA"), "There is no payment with this receipt"),
        (("freeze", "12"), "This is not a phone number; write it with a plus"),
        (("show", NEW_NUMBER), "This number has no account"),
        (("freeze", NEW_NUMBER), "This number has no account"),
        (("unfreeze", MSISDN), "The account of this number is not frozen"),
        (("release", NEW_NUMBER), "This number has no account"),
        (("release",), "name one number, or a file of notices"),
        (("release", MSISDN, "--file", "x.csv"), "name one number, or a file of notices"),
        (("release", "--file", "nowhere.csv"), "nowhere.csv cannot be read: No such file"),
        (("attach", "1", NEW_NUMBER), "Account 1 is none without a number"),
        (("attach", "1", "+33612345678"), "belongs to a country that is not supported"),
    ],
)
async def test_what_cannot_be_done_is_one_clear_line(phone, citizen, arguments, problem):
    await register(phone)
    with pytest.raises(CommandError, match=problem) as failed:
        await citizen(*arguments)
    assert MSISDN not in str(failed.value)
    assert NEW_NUMBER not in str(failed.value)


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("", "one line of 1 to 120 characters"),
        ("x" * 121, "one line of 1 to 120 characters"),
        ("called from 01711000001", "names no person"),
        ("amina@example.org asked", "names no person"),
    ],
)
async def test_a_reason_is_needed_and_names_no_person(phone, citizen, capsys, reason, problem):
    with pytest.raises(SystemExit):
        await citizen("freeze", MSISDN, reason=("--why", reason))
    assert problem in capsys.readouterr().err


async def test_a_file_of_notices_is_done_as_a_whole_or_not_at_all(phone, citizen, tmp_path):
    await register(phone)
    file = tmp_path / "notices.csv"
    file.write_text(f"number,taken_on\n{MSISDN},2026-11-01\n{NEW_NUMBER},yesterday\n+12,2026-11-01\n")
    with pytest.raises(CommandError) as failed:
        await citizen("release", "--file", str(file))
    lines = str(failed.value).splitlines()
    assert [line.rpartition("/")[2] for line in lines] == [
        "notices.csv:3: the second cell is not a day; write +8801711000001,2026-11-01",
        "notices.csv:4: the first cell is not a phone number with a plus; write +8801711000001,2026-11-01",
    ]
    assert "state: open\n" in await citizen("show", MSISDN), "nothing was done"


async def test_a_file_of_notices_leaves_the_account_of_the_next_holder(phone, citizen, tmp_path):
    await register(phone)
    file = tmp_path / "notices.csv"
    file.write_text(f"{MSISDN},2020-01-01\n{NEW_NUMBER},2020-01-01\n")
    assert "Released 0 of 2 numbers; 2 were not known here" in await citizen("release", "--file", str(file))
    assert "state: open\n" in await citizen("show", MSISDN), "it was registered after that day"
    assert "2 were in the same file before" in await citizen("release", "--file", str(file))
