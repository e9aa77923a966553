"""The five calls to the helpdesk (finding 8 of the field report): the phone speaks, the helpdesk acts, the phone sees it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from config.settings import Settings
from core.errors import CommandError
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register, submit_complaint
from tests.support.commands import citizen_command
from tests.support.databases import write_beside_gateway
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone, open_sms_phone

NEW_NUMBER = "+8801700000002"
HELPDESK_NUMBER = "+880 1550-060060"
WHY = ("--why", "ticket 4711", "--by", "nadia")
LOOKS = ("show", "messages")
RunCitizen: TypeAlias = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return build_settings(tmp_path)


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[str]:
    async with run_gateway(settings) as url:
        yield url


@pytest.fixture
async def texts(gateway: str) -> AsyncIterator[SmsPhone]:
    """The same number, which sends SMS."""
    async with open_sms_phone(gateway) as texts:
        yield texts


@pytest.fixture
def citizen(settings: Settings) -> RunCitizen:
    """Run the command beside the gateway, in the name of Nadia."""

    async def run(action: str, *arguments: str) -> str:
        return await citizen_command(settings, action, *arguments, *(() if action in LOOKS else WHY))

    return run


async def sign_in(phone: Phone, pin: str) -> str:
    await phone.redial()
    return await phone.enter("5", pin)


async def wait_for_pin(phone: Phone) -> str:
    """The PIN that the helpdesk sent."""
    pin = re.match(r"\d{4}", await phone.wait_for_sms("is your new Ekdial PIN, from the helpdesk"))
    assert pin
    return pin[0]


def find_message(shown: str, kind: str) -> str:
    """The id of the newest message of a kind, as `citizen show` prints it."""
    found = re.search(rf"^  (\d+)  \S+ \S+  {kind}\b", shown, re.MULTILINE)
    assert found, shown
    return found[1]


async def register_by_sms(texts: SmsPhone) -> str:
    """Register by SMS, and go without questions; the PIN."""
    pin = re.search(r"\b(\d{4}) is your Ekdial PIN", await texts.send_sms("REG Amina Begum", expect=2))
    assert pin
    await texts.send_sms(pin[1])
    return pin[1]


async def test_8_call_1_i_did_not_get_my_pin_of_a_registration(
    phone: Phone, texts: SmsPhone, citizen: RunCitizen
) -> None:
    first = re.search(r"\b(\d{4}) is your Ekdial PIN", await texts.send_sms("REG Amina Begum", expect=2))
    assert first
    shown = await citizen("show", MSISDN)
    assert "account: none\n" in shown
    assert "registration waits for its PIN until: 20" in shown
    assert first[1] not in await citizen("reset-pin", MSISDN)
    pin = await wait_for_pin(phone)
    await phone.dial()
    await phone.enter("1")
    assert (await phone.enter("5", pin)).startswith("You have no security questions yet.")


async def test_8_1_call_1_whoever_has_no_questions_is_told_the_number_of_the_helpdesk_and_gets_a_pin(
    phone: Phone, texts: SmsPhone, citizen: RunCitizen
) -> None:
    forgotten = await register_by_sms(texts)
    assert f"For a new PIN call the helpdesk: {HELPDESK_NUMBER}" in await texts.send_sms("PIN")
    await phone.dial()
    await phone.enter("1", "5")
    assert f"For a new PIN call the helpdesk: {HELPDESK_NUMBER}" in await phone.enter("1")
    said = await citizen("reset-pin", MSISDN)
    pin = await wait_for_pin(phone)
    assert pin not in said
    assert HELPDESK_NUMBER in await phone.wait_for_sms("is your new Ekdial PIN")
    assert "That PIN is not right" in await sign_in(phone, forgotten) or pin == forgotten
    assert (await sign_in(phone, pin)).startswith("You have no security questions yet.")
    shown = await citizen("show", MSISDN)
    assert re.search(r"pin_reset +by staff nadia", shown)


async def test_8_2_whoever_has_no_questions_chooses_them_and_recovers_alone(phone: Phone, texts: SmsPhone) -> None:
    pin = await register_by_sms(texts)
    await phone.dial()
    await phone.enter("1")
    await phone.enter("5", pin)
    await phone.enter("1", "1", "Mirpur School", "2", "Ayesha", pin)
    assert await phone.wait_for_sms("new security questions were set for your account")
    await phone.redial()
    assert "helpdesk" not in await phone.enter("5", "1")


async def test_8_call_2_i_did_not_get_my_sms(phone: Phone, citizen: RunCitizen, tmp_path: Path) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    grouped = f"{number[:4]} {number[4:8]} {number[8:]}"
    receipt = await phone.wait_for_sms(f"Tracking {grouped}")
    failed = "UPDATE messages SET status = 'failed', error = 'UserInBlacklist' WHERE kind = 'receipt'"
    await write_beside_gateway(tmp_path, failed)
    shown = await citizen("messages", MSISDN)
    assert "failed: the phone refuses SMS from this sender" in shown
    assert receipt not in shown
    said = await citizen("resend", find_message(shown, "receipt"))
    assert "the phone refuses SMS from this sender" in said
    again = re.search(r"as message (\d+)", said)
    assert again
    for _ in range(200):
        if re.search(rf"^  {again[1]} .* sent: ", shown := await citizen("messages", MSISDN), re.MULTILINE):
            break
    assert await phone.wait_for_sms(f"Tracking {grouped}") == receipt
    assert find_message(shown, "receipt") == again[1]


async def test_8_call_2_a_code_and_a_pin_are_never_sent_twice(
    phone: Phone, texts: SmsPhone, citizen: RunCitizen
) -> None:
    await register_by_sms(texts)
    pin_message = find_message(await citizen("messages", MSISDN), "pin")
    with pytest.raises(CommandError, match="never sent twice; instead: citizen reset-pin sends a new PIN"):
        await citizen("resend", pin_message)
    with pytest.raises(CommandError, match="There is no message 4711; citizen messages lists"):
        await citizen("resend", "4711")


@pytest.mark.parametrize("by", ["number", "application", "complaint"])
async def test_8_call_3_i_lost_my_tracking_number(phone: Phone, citizen: RunCitizen, by: str) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.redial()
    complaint = await submit_complaint(phone, "3", "5", "1")
    grouped = f"{number[:4]} {number[4:8]} {number[8:]}"
    shown = await citizen("show", {"number": MSISDN, "application": grouped, "complaint": complaint}[by])
    assert re.search(rf"^  {grouped} +birth_certificate +received 20\d\d-", shown, re.MULTILINE)
    assert ("found by:" in shown) == (by != "number")
    await citizen("resend", find_message(shown, "receipt"))
    await phone.redial()
    assert "Birth certificate" in await phone.enter("2", number)


async def test_8_call_4_someone_uses_my_number(phone: Phone, texts: SmsPhone, citizen: RunCitizen) -> None:
    await register(phone)
    await texts.send_sms("MENU")
    assert "Type your PIN" in await texts.send_sms("5")
    for wrong in ("9135", "9136", "9137", "9138", "9139"):
        await texts.send_sms(wrong)
    assert await phone.wait_for_sms("somebody sent wrong PINs")
    assert await phone.wait_for_sms("so it is locked for a while")
    shown = await citizen("show", MSISDN)
    assert re.search(r"^PIN locked by SMS until: 20\d\d-", shown, re.MULTILINE)
    assert re.search(r"^  20\d\d-\S+ \S+  sms +pin  wrong", shown, re.MULTILINE)
    assert "My applications" in await sign_in(phone, PIN)
    await citizen("sign-out", MSISDN)
    assert "PIN" in await phone.enter("1"), "who was signed in is out"
    await citizen("freeze", MSISDN)
    assert "This account is frozen" in await sign_in(phone, PIN)
    with pytest.raises(CommandError, match="frozen, and no PIN opens it"):
        await citizen("reset-pin", MSISDN)
    await citizen("unfreeze", MSISDN)
    await citizen("reset-pin", MSISDN)
    assert "My applications" in await sign_in(phone, await wait_for_pin(phone))


async def test_8_call_5_i_lost_my_phone(phone: Phone, citizen: RunCitizen) -> None:
    await register(phone)
    assert "My applications" in await sign_in(phone, PIN)
    await citizen("freeze", MSISDN)
    assert "This account is frozen" in await phone.enter("1")
    assert "state: frozen\n" in await citizen("show", MSISDN)
    await citizen("unfreeze", MSISDN)
    assert "My applications" in await sign_in(phone, PIN)


@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_8_4_call_5_this_number_was_someone_elses(phone: Phone, citizen: RunCitizen, gateway: str) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    new_holder = Phone(phone.http, gateway)
    await new_holder.redial()
    assert "PIN" in await new_holder.enter("5"), "the next holder can neither register"
    await new_holder.enter("1")
    assert "Register" not in await new_holder.resend(), "nor recover"
    assert "Account 1 has no number any more" in await citizen("release", MSISDN)
    await new_holder.redial()
    assert "To go on, please register" in await new_holder.enter("5")
    await new_holder.enter("1", "Karim Mia", PIN, PIN, "1", "Dhaka School", "2", "Rokeya")
    await new_holder.redial()
    assert "My applications" in await new_holder.enter("1", "5", PIN), "with a language of their own"
    shown = await citizen("show", MSISDN)
    assert "account: 2\n" in shown
    assert "applications: none\n" in shown
    assert "former accounts: account 1 until 20" in shown
    by_case = await citizen("show", number)
    assert "account: 1\nnumber: none\n" in by_case
    assert "state: released\n" in by_case
    await citizen("attach", "1", NEW_NUMBER)
    former_holder = Phone(phone.http, gateway, NEW_NUMBER)
    assert await former_holder.wait_for_sms("your account now has this number")
    await former_holder.dial()
    await former_holder.enter("1")
    assert "My applications" in await former_holder.enter("5", PIN)


async def test_who_somebody_is_is_shown_only_with_a_reason_that_is_recorded(phone: Phone, citizen: RunCitizen) -> None:
    await register(phone)
    assert "Amina" not in await citizen("show", MSISDN)
    assert await citizen("reveal", MSISDN) == f"number: {MSISDN}\nname: Amina Begum\ne-mail: none\n"
    with pytest.raises(CommandError, match="There is no payment 7"):
        await citizen("reveal", "7")
