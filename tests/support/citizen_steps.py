"""Key presses of citizens that several tests need."""

import re
from typing import Protocol

from aiohttp import ClientSession

from tests.support.phone import Phone
from web.simulator.terminal_inbox import WalletPrompt, open_inbox

PIN = "4826"


class Caller(Protocol):
    """A phone of any provider, as far as the steps need it."""

    ended: bool

    async def dial(self) -> str:
        """Start a call; the first screen."""

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""


async def register(phone: Caller, language: str = "1", pin: str = PIN, name: str = "Amina Begum") -> str:
    """Dial for the first time and register; the welcome screen."""
    await phone.dial()
    await phone.enter(language, "5", "1", name, pin, pin, "1", "Mirpur School", "2", "Ayesha")
    return await phone.enter("1")


async def open_birth_certificate(phone: Caller) -> str:
    """Go from any screen to the first question of the form, for oneself."""
    return await phone.enter("00", "1", "1", "1", "1", "1")


ANSWERS = ("Rahim Uddin", "21112025", "2", "Karim Uddin", "Ayesha Begum")
"""The five answers that the birth certificate's form asks for."""


async def apply_for_birth_certificate(phone: Caller, pin: str = PIN) -> str:
    """Apply for a birth certificate from the main menu; its tracking number."""
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS)
    return tracking_number_in(await submit_application(phone, pin))


async def submit_application(phone: Caller, pin: str = PIN) -> str:
    """Confirm the summary with the PIN; the receipt."""
    return await phone.enter("1", pin)


def tracking_number_in(text: str) -> str:
    """The first tracking number in a text, which shows it as 1234 5678 9012."""

    found = re.search(r"\d{4} \d{4} \d{4}", text)
    assert found, text
    return found[0].replace(" ", "")


async def submit_complaint(phone: Caller, *keys: str) -> str:
    """Complain with these keys from the main menu; the complaint number."""
    kept = await phone.enter("00", "4", "1", *keys)
    assert phone.ended
    assert kept.startswith("We have your complaint. Its number is ")
    return tracking_number_in(kept)


async def wallet_prompt(phone: Phone) -> WalletPrompt:
    """The prompt that the wallet of this phone shows."""
    async with ClientSession(phone.url) as http, open_inbox(http, phone.msisdn, lambda _: None) as inbox:
        prompt = await inbox.wait_for_prompt(10)
    assert prompt, "the wallet asks for nothing"
    return prompt


async def answer_wallet(phone: Phone, pin: str | None) -> str:
    """Answer the prompt of the wallet with a PIN, or refuse with None."""
    prompt = await wallet_prompt(phone)
    said = {"request": prompt.id} if pin is None else {"request": prompt.id, "pin": pin}
    async with phone.http.post(f"{phone.url}/simulator/wallet", data=said) as answer:
        return str((await answer.json())["said"])


async def track_application(phone: Caller, number: str) -> str:
    """Open an application by its tracking number from the main menu; all pages of its status."""
    await phone.dial()
    status = await phone.enter("2", number)
    while "98 More" in status:
        status = f"{status.partition('98 More')[0]}{await phone.enter('98')}"
    return status


def pay_key(status: str) -> str:
    """The key that pays on a status screen, or "" where nothing can be paid."""
    found = re.search(r"^(\d) Pay\b", status, re.MULTILINE)
    return found[1] if found else ""
