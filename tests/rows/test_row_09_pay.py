"""Row 9, fees and bills: asked of a wallet, paid on the payer's own phone, told by SMS; where the department switched it on."""

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.catalogues import write_catalogue
from tests.fakes.daraja_server import KEY, PASSKEY, SECRET, SHORT_CODE, DarajaServer
from tests.journeys.steps import applies, registers, sends, tracking_in
from tests.phone import Phone, running, settings_for
from tests.texting import texter
from web.simulator.received import Prompt, inbox_of

CONSUMER = "12345671"  # a number for which the sample biller has a bill


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[str]:
    """One whose wallets ask as soon as a call is over."""
    async with running(settings_for(tmp_path, PAYMENTS__AFTER_CALL="0")) as url:
        yield url


@pytest.fixture
async def phone(gateway: str) -> AsyncIterator[Phone]:
    async with ClientSession() as http:
        yield Phone(http, gateway)


async def asked(phone: Phone) -> Prompt:
    """What this phone's wallet asks."""
    async with ClientSession(phone.url) as http, inbox_of(http, phone.number, lambda _: None) as inbox:
        prompt = await inbox.asked(10)
    assert prompt, "the wallet asks for nothing"
    return prompt


async def presses(phone: Phone, pin: str | None) -> str:
    """Answer what the wallet asks with a PIN, or with no."""
    prompt = await asked(phone)
    said = {"request": prompt.id} if pin is None else {"request": prompt.id, "pin": pin}
    async with phone.http.post(f"{phone.url}/simulator/wallet", data=said) as answer:
        return str((await answer.json())["said"])


async def follows(phone: Phone, number: str) -> str:
    """From the main menu by the tracking number to everything that its screen says, page after page."""
    await phone.dials()
    status = await phone.types("2", number)
    while "98 More" in status:
        status = f"{status.partition('98 More')[0]}{await phone.types('98')}"
    return status


def pay_key(status: str) -> str:
    """The key that pays, or nothing."""
    found = re.search(r"^(\d) Pay\b", status, re.MULTILINE)
    return found[1] if found else ""


async def pays_fee(phone: Phone, number: str) -> str:
    """To the screen that says what the wallet does."""
    status = await follows(phone, number)
    assert pay_key(status), status
    confirm = await phone.types(pay_key(status))
    assert confirm == "Birth certificate\nFee Tk 50\nFrom the wallet of XX0001\n1 Pay\n0 Back"
    return await phone.types("1")


async def test_row_9_a_fee_is_paid_from_the_wallet_of_the_phone_and_said_by_sms(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    said = await pays_fee(phone, number)
    assert said.startswith("When this call is over, your wallet asks for its PIN. Type it there, never here.")
    assert phone.ended
    prompt = await asked(phone)
    assert (prompt.amount, prompt.payee, prompt.about) == ("BDT 50.00", "Ekdial", number)
    assert await presses(phone, "4826") == "paid"
    receipt = await phone.sms("paid for Birth certificate")
    shown = " ".join((number[:4], number[4:8], number[8:]))
    assert re.match(rf"Ekdial: Tk 50 paid for Birth certificate, {shown}\. Thank you\.\nReceipt SB\w+$", receipt)
    assert not pay_key(await follows(phone, number)), "what is paid is not offered again"


async def test_row_9_paying_stands_first_and_leaves_the_other_options_their_numbers(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    first_page = await phone.types("2", number)
    status = first_page.partition("98 More")[0] + (await phone.types("98") if "98 More" in first_page else "")
    options = re.findall(r"^([1-9]) (.+)", status, re.MULTILINE)
    assert pay_key(first_page) == "5"
    assert options[:3] == [("5", "Pay the fee"), ("1", "Send me this by SMS"), ("2", "Complain")]


async def test_row_9_anybody_with_the_number_may_pay_and_learns_the_service_and_amount_alone(phone: Phone) -> None:
    await registers(phone, name="Shahanara Parvin")
    number = await applies(phone)
    friend = Phone(phone.http, phone.url, "+8801700000002")
    await friend.dials()
    await friend.types("1")
    status = await follows(friend, number)
    assert "Shahanara" not in status
    confirm = await friend.types(pay_key(status))
    assert confirm.startswith("Birth certificate\nFee Tk 50\nFrom the wallet of XX0002")
    await friend.types("1")
    assert await presses(friend, "4826") == "paid"
    assert "Tk 50 paid" in await friend.sms("paid for")


@pytest.mark.parametrize(
    ("pin", "said", "why"),
    [
        (None, "cancelled", "you said no"),
        ("0000", "wrong_pin", "the wallet's PIN was wrong"),
        ("9999", "no_money", "there was not enough money in the wallet"),
    ],
)
async def test_row_9_who_did_not_pay_is_told_why_and_can_try_again(
    phone: Phone, pin: str | None, said: str, why: str
) -> None:
    await registers(phone)
    number = await applies(phone)
    await pays_fee(phone, number)
    assert await presses(phone, pin) == said
    assert await phone.sms("nothing was paid") == (
        f"Ekdial: nothing was paid for Birth certificate: {why}. To try again, dial *123#"
    )
    await pays_fee(phone, number)
    assert await presses(phone, "1111") == "paid"


async def test_row_9_a_repeated_key_press_asks_once_and_an_open_payment_is_not_asked_for_again(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    said = await pays_fee(phone, number)
    assert await phone.again() == said
    await asked(phone)
    assert not pay_key(await follows(phone, number)), "while it is open, it is not offered"
    assert await presses(phone, "4826") == "paid"
    await phone.sms("paid for")


async def test_row_9_a_bill_is_found_by_its_number_paid_and_offered_again_by_its_last_digits(phone: Phone) -> None:
    await registers(phone)
    billers = await phone.types("00", "9")
    assert billers.startswith("Pay a bill\n1 Electricity Bangladesh (sample)\n2 Water (sample)\n3 Bharat Gas\n")
    assert await phone.types("1") == "Type the consumer number on your bill\n0 Back"
    assert (await phone.types("123")).startswith("This number has 8 / 10 / 12 digits\nType the consumer number")
    bill = await phone.types(CONSUMER)
    assert re.match(
        r"Electricity Bangladesh \(sample\) XX5671\n\w\*+ \w\*+\nTk [\d,]+\nDue 5 \w{3} \d{4}\nFrom the wallet of XX0001\n1 Pay\n",
        bill,
    )
    assert (await phone.types("1")).startswith("When this call is over, your wallet asks for its PIN.")
    assert await presses(phone, "4826") == "paid"
    assert re.match(
        r"Ekdial: Tk [\d,]+ paid to Electricity Bangladesh \(sample\) for XX5671\. Thank you\.\nReceipt B\d{8}\n"
        r"Wallet's receipt SB\w+$",
        await phone.sms("paid to"),
    )
    await phone.dials()
    await phone.types("5", "4826")
    again = await phone.types("00", "9", "1")
    assert again == "Type the consumer number on your bill\n1 Again for XX5671\n0 Back"
    assert (await phone.types("1")).startswith("Electricity Bangladesh (sample) XX5671\nThe bill of Tk ")


async def test_row_9_numbers_that_owe_nothing_or_are_nobodys_are_said_to_be(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1", "9", "1")
    assert (await phone.types("12345670")).startswith("Electricity Bangladesh (sample) XX5670\nNothing is due.")
    unknown = await phone.types("1", "12345679")
    assert unknown.startswith("Electricity Bangladesh (sample) does not know this number.")
    assert (await phone.types(CONSUMER)).startswith("Electricity Bangladesh (sample) XX5671\n")


async def test_row_9_a_bill_that_its_biller_does_not_take_is_given_back(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1", "9", "1", "12345678", "1")
    assert await presses(phone, "4826") == "paid"
    assert re.fullmatch(
        r"Ekdial: Tk [\d,]+ for Electricity Bangladesh \(sample\) was given back to you\.",
        await phone.sms("given back"),
    )


async def test_row_9_by_sms_the_wallet_asks_at_once(gateway: str) -> None:
    async with texter(gateway) as handset, ClientSession() as http:
        await handset.texts("LANG EN")
        await handset.texts("MENU")
        assert "Electricity Bangladesh" in await handset.texts("9")
        await handset.texts("1")
        assert "XX5671" in await handset.texts(CONSUMER)
        assert "your wallet asks for its PIN" in await handset.texts("1")
        phone = Phone(http, gateway)
        assert await presses(phone, "4826") == "paid"
        assert "paid to" in await phone.sms("paid to")


@pytest.fixture
async def daraja() -> AsyncIterator[DarajaServer]:
    async with DarajaServer() as server:
        yield server


def settings_of(tmp_path: Path, daraja: DarajaServer, **more: str):
    return settings_for(
        tmp_path,
        PAYMENTS__WALLET="daraja",
        PAYMENTS__BASE_URL=daraja.url,
        PAYMENTS__CONSUMER_KEY=KEY,
        PAYMENTS__CONSUMER_SECRET=SECRET,
        PAYMENTS__SHORT_CODE=SHORT_CODE,
        PAYMENTS__PASSKEY=PASSKEY,
        PAYMENTS__CALLBACK_TOKEN="a token of the tests",
        PAYMENTS__AFTER_CALL="0",
        SERVER__PUBLIC_URL="https://ekdial.example",
        SIMULATOR__ENABLED="true",
        **more,
    )


async def reaches_us(push: Any, url: str) -> Any:
    """Behind a proxy of ours, the address that callbacks are posted to is this one."""
    push.fields["CallBackURL"] = push.callback.replace("https://ekdial.example", url)
    return push


@pytest.fixture
async def kenyan(tmp_path: Path, daraja: DarajaServer) -> AsyncIterator[Phone]:
    """A Kenyan's phone, where a licence of two hundred shillings can be applied for."""
    kenya_catalogue(tmp_path / "catalogue")
    settings = settings_of(tmp_path, daraja, CATALOGUE__FOLDER=str(tmp_path / "catalogue"))
    async with running(settings) as url, ClientSession() as http:
        yield Phone(http, url, "+254700000001", network="63902")


def kenya_catalogue(folder: Path) -> None:
    """One service, as `tests.catalogues` writes them, whose department takes payments in shillings."""
    folder.mkdir()
    write_catalogue(folder, services=1, sectors=1)
    written = folder / "department_0.toml"
    text = written.read_text(encoding="utf-8")
    text = text.replace('country = "BD"', 'country = "KE"\npayments = true').replace('"BDT"', '"KES"')
    written.write_text(text.replace('channels = ["web"]', _FORM).replace("fee = 5000", "fee = 20000"), encoding="utf-8")


_FORM = """channels = ["ussd", "sms", "web"]

[services.service_1.fields.name]
kind = "text"
labels.en = "Type a word"
labels.bn = "একটি শব্দ দিন"
labels.hi = "एक शब्द लिखें"
"""


async def test_row_9_with_m_pesa_the_phone_is_asked_and_the_callback_pays(kenyan: Phone, daraja: DarajaServer) -> None:
    number = await applies_for_licence(kenyan)
    await asks_mpesa(kenyan, number)
    push = await reaches_us(await daraja.pushed(), kenyan.url)
    assert (push.fields["Amount"], push.fields["PhoneNumber"], push.fields["AccountReference"]) == (
        200,
        "254700000001",
        number,
    )
    await daraja.ends(push, times=3)
    assert [status for status, _ in daraja.posted] == [200, 200, 200]
    assert json.loads(daraja.posted[0][1]) == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert f"Receipt {push.receipt}" in await kenyan.sms("KSh 200 paid for Licence number 1")
    assert "paid" in (await follows(kenyan, number)).lower()


async def test_row_9_with_m_pesa_a_refusal_is_told_and_another_amount_is_not_taken(
    kenyan: Phone, daraja: DarajaServer, tmp_path: Path
) -> None:
    number = await applies_for_licence(kenyan)
    await asks_mpesa(kenyan, number)
    await daraja.ends(await reaches_us(await daraja.pushed(), kenyan.url), 1032)
    assert "you said no" in await kenyan.sms("nothing was paid")
    await asks_mpesa(kenyan, number)
    await daraja.ends(await reaches_us(await daraja.pushed(2), kenyan.url), amount=20.0)
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        assert database.execute("SELECT status, paid_minor FROM payments ORDER BY id").fetchall() == [
            ("failed", None),
            ("differs", 2000),
        ]


async def test_row_9_a_callback_of_nobodys_is_refused_or_kept(
    kenyan: Phone, daraja: DarajaServer, tmp_path: Path
) -> None:
    address = f"{kenyan.url}/payments/daraja/nobodys"
    token = {"token": "a token of the tests"}
    said = {"Body": {"stkCallback": {"CheckoutRequestID": "ws_CO_1", "ResultCode": 1032, "ResultDesc": "no"}}}
    async with kenyan.http.post(address, json=said) as refused:
        assert refused.status == 404
    async with kenyan.http.post(f"{address}%00", params=token, json=said) as no_key_of_ours:
        assert no_key_of_ours.status == 404
    async with kenyan.http.post(address, params=token, json=said) as kept:
        assert kept.status == 200
    async with kenyan.http.post(address, params=token, data=b"{") as unread:
        assert (unread.status, await unread.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    async with kenyan.http.post(address, params=token, data=b"x" * 20_000) as flood:
        assert flood.status == 413
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        assert database.execute("SELECT count(*) FROM payment_reports WHERE payment IS NULL").fetchone() == (1,)
        assert database.execute("SELECT route FROM unread_callbacks").fetchall() == [("/payments/daraja",)]


async def applies_for_licence(phone: Phone) -> str:
    """Registered, and with the form of the one service handed in; its tracking number."""
    await registers(phone)
    screen = await phone.types("00", "1")
    while "Apply" not in screen:
        screen = await phone.types("1")
    while "Type a word" not in screen:
        screen = await phone.types("1")
    await phone.types("Stationery")
    return tracking_in(await sends(phone))


async def asks_mpesa(phone: Phone, number: str) -> None:
    """To the screen that says that the wallet will ask."""
    status = await follows(phone, number)
    await phone.types(pay_key(status))
    assert "your wallet asks for its PIN" in await phone.types("1")
