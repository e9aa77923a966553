"""Pay fees and bills: the wallet asks the payer's phone, and an SMS confirms the payment."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.fakes.africastalking_server import API_KEY, AfricasTalkingServer
from tests.fakes.daraja_server import KEY, PASSKEY, SECRET, SHORT_CODE, DarajaServer
from tests.support.catalogues import write_catalogue
from tests.support.citizen_steps import (
    answer_wallet,
    apply_for_birth_certificate,
    pay_key,
    register,
    submit_application,
    track_application,
    tracking_number_in,
    wallet_prompt,
)
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone

CONSUMER = "12345671"  # a number for which the sample biller has a bill


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[str]:
    """One whose wallets ask as soon as a call is over."""
    async with run_gateway(build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")) as url:
        yield url


@pytest.fixture
async def phone(gateway: str) -> AsyncIterator[Phone]:
    async with ClientSession() as http:
        yield Phone(http, gateway)


async def pay_fee(phone: Phone, number: str) -> str:
    """To the screen that says what the wallet does."""
    status = await track_application(phone, number)
    assert pay_key(status), status
    confirm = await phone.enter(pay_key(status))
    assert confirm == "Birth certificate\nFee Tk 50\nFrom the wallet of XX0001\n1 Pay the fee\n0 Back"
    return await phone.enter("1")


async def test_a_fee_is_paid_from_the_wallet_of_the_phone_and_said_by_sms(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    said = await pay_fee(phone, number)
    assert said.startswith("When this call is over, your wallet will ask for its PIN. Type it there, never here.")
    assert phone.ended
    prompt = await wallet_prompt(phone)
    assert (prompt.amount, prompt.payee, prompt.description) == ("BDT 50.00", "Ekdial", number)
    assert await answer_wallet(phone, "4826") == "paid"
    receipt = await phone.wait_for_sms("paid for Birth certificate")
    shown = " ".join((number[:4], number[4:8], number[8:]))
    assert re.match(rf"Ekdial: Tk 50 paid for Birth certificate, {shown}\. Thank you\.\nReceipt SB\w+$", receipt)
    assert not pay_key(await track_application(phone, number)), "what is paid is not offered again"


async def test_paying_stands_first_and_leaves_the_other_options_their_numbers(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    first_page = await phone.enter("2", number)
    status = first_page.partition("98 More")[0] + (await phone.enter("98") if "98 More" in first_page else "")
    options = re.findall(r"^([1-9]) (.+)", status, re.MULTILINE)
    assert pay_key(first_page) == "5"
    assert options[:3] == [("5", "Pay the fee"), ("1", "Send this by SMS"), ("2", "Complain")]


async def test_anybody_with_the_number_may_pay_and_learns_the_service_and_amount_alone(phone: Phone) -> None:
    await register(phone, name="Shahanara Parvin")
    number = await apply_for_birth_certificate(phone)
    friend = Phone(phone.http, phone.url, "+8801700000002")
    await friend.dial()
    await friend.enter("1")
    status = await track_application(friend, number)
    assert "Shahanara" not in status
    confirm = await friend.enter(pay_key(status))
    assert confirm.startswith("Birth certificate\nFee Tk 50\nFrom the wallet of XX0002")
    await friend.enter("1")
    assert await answer_wallet(friend, "4826") == "paid"
    assert "Tk 50 paid" in await friend.wait_for_sms("paid for")


@pytest.mark.parametrize(
    ("pin", "said", "why"),
    [
        (None, "cancelled", "you said no"),
        ("0000", "wrong_pin", "the wallet's PIN was wrong"),
        ("9999", "no_money", "there was not enough money in the wallet"),
    ],
)
async def test_who_did_not_pay_is_told_why_and_can_try_again(
    phone: Phone, pin: str | None, said: str, why: str
) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await pay_fee(phone, number)
    assert await answer_wallet(phone, pin) == said
    shown = " ".join((number[:4], number[4:8], number[8:]))
    assert await phone.wait_for_sms("nothing was paid") == (
        f"Ekdial: nothing was paid for Birth certificate: {why}. To try again, dial *123#, press 2 and type {shown}"
    )
    await pay_fee(phone, number)
    assert await answer_wallet(phone, "1111") == "paid"


async def test_a_repeated_key_press_asks_once_and_an_open_payment_is_not_asked_for_again(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    said = await pay_fee(phone, number)
    assert await phone.resend() == said
    await wallet_prompt(phone)
    assert not pay_key(await track_application(phone, number)), "while it is open, it is not offered"
    assert await answer_wallet(phone, "4826") == "paid"
    await phone.wait_for_sms("paid for")


async def test_a_bill_is_found_by_its_number_paid_and_offered_again_by_its_last_digits(phone: Phone) -> None:
    await register(phone)
    billers = await phone.enter("00", "9")
    assert billers == "Pay a bill\n1 Electricity Bangladesh (sample)\n2 Water (sample)\n0 Back"
    assert await phone.enter("1") == "Type the consumer number on your bill\n0 Back"
    assert (await phone.enter("123")).startswith("This number must have 8 / 10 / 12 digits\nType the consumer number")
    bill = await phone.enter(CONSUMER)
    assert re.match(
        r"Electricity Bangladesh \(sample\) XX5671\n\w\*+ \w\*+\nTk [\d,]+\nDue 5 \w{3} \d{4}\n"
        r"From the wallet of XX0001\n1 Pay the bill\n",
        bill,
    )
    assert (await phone.enter("1")).startswith("When this call is over, your wallet will ask for its PIN.")
    assert await answer_wallet(phone, "4826") == "paid"
    assert re.match(
        r"Ekdial: Tk [\d,]+ paid to Electricity Bangladesh \(sample\) for XX5671\. Thank you\.\nReceipt B\d{8}\n"
        r"Wallet's receipt SB\w+$",
        await phone.wait_for_sms("paid to"),
    )
    await phone.dial()
    await phone.enter("5", "4826")
    again = await phone.enter("00", "9", "1")
    assert again == "Type the consumer number on your bill\n1 Same as last time: XX5671\n0 Back"
    assert (await phone.enter("1")).startswith("Electricity Bangladesh (sample) XX5671\nThe bill of Tk ")


@pytest.mark.parametrize("network", ["99999", "99998"], ids=["Latin", "Unicode"])
@pytest.mark.parametrize("language", ["1", "2", "3"], ids=["en", "bn", "hi"])
async def test_1_1_the_last_screen_of_a_payment_ends_the_call(gateway: str, language: str, network: str) -> None:
    async with ClientSession() as http:
        phone = Phone(http, gateway, network=network)
        await phone.dial()
        await phone.enter(language, "9", "1", CONSUMER)
        await phone.enter("1")
        assert phone.ended
        assert await answer_wallet(phone, "4826") == "paid"


@pytest.mark.africastalking_wire("its report of the end of a call")
async def test_1_1_the_wallet_is_asked_when_the_network_says_that_the_call_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.container.SANDBOX_PUSH_DELAY", 60.0)
    async with run_gateway(build_settings(tmp_path, PAYMENTS__PUSH_DELAY="60")) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dial()
        await phone.enter("1", "9", "1", CONSUMER, "1")
        ended = {"sessionId": phone.session_id, "status": "Success", "hopsCount": "5", "durationInMillis": "9000"}
        async with http.post(f"{url}/ussd/africastalking/events", data=ended) as acknowledged:
            assert acknowledged.status == 200
        assert await answer_wallet(phone, "4826") == "paid"


async def test_who_does_not_pay_a_bill_is_told_where_to_try_again(tmp_path: Path) -> None:
    main_menu = {**build_settings(tmp_path).menu.main, "3": "bills", "9": "documents"}
    settings = build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0", MENU__MAIN=json.dumps(main_menu))
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dial()
        await phone.enter("1", "3", "1", CONSUMER, "1")
        assert await answer_wallet(phone, None) == "cancelled"
        assert await phone.wait_for_sms("nothing was paid") == (
            "Ekdial: nothing was paid for Electricity Bangladesh (sample): you said no. "
            "To try again, dial *123# and press 3"
        )


async def test_billers_are_offered_to_those_alone_whose_wallet_has_their_currency(phone: Phone) -> None:
    await phone.dial()
    assert "Bharat Gas" not in await phone.enter("1", "9")
    indian = Phone(phone.http, phone.url, "+919876543210")
    await indian.dial()
    offered = await indian.enter("1", "9")
    assert "Bharat Gas" in offered
    assert "Bangladesh" not in offered


async def test_numbers_that_owe_nothing_or_are_nobodys_are_said_to_be(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1", "9", "1")
    assert (await phone.enter("12345670")).startswith("Electricity Bangladesh (sample) XX5670\nNothing is due.")
    unknown = await phone.enter("1", "12345679")
    assert unknown.startswith("Electricity Bangladesh (sample) has no such number.")
    assert (await phone.enter(CONSUMER)).startswith("Electricity Bangladesh (sample) XX5671\n")


async def test_a_bill_that_its_biller_does_not_take_is_given_back(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1", "9", "1", "12345678", "1")
    assert await answer_wallet(phone, "4826") == "paid"
    assert re.fullmatch(
        r"Ekdial: Tk [\d,]+ for Electricity Bangladesh \(sample\) was given back to you\.\nThe biller did not accept it\.",
        await phone.wait_for_sms("given back"),
    )


async def test_by_sms_the_wallet_asks_at_once(gateway: str) -> None:
    async with open_sms_phone(gateway) as sms_phone, ClientSession() as http:
        await sms_phone.send_sms("LANG EN")
        await sms_phone.send_sms("MENU")
        assert "Electricity Bangladesh" in await sms_phone.send_sms("9")
        await sms_phone.send_sms("1")
        assert "XX5671" in await sms_phone.send_sms(CONSUMER)
        asked = await sms_phone.send_sms("1", expect=2)
        code = re.search(r"^(\d{6}) is your Ekdial code", asked, re.MULTILINE)
        assert code, asked
        assert "To pay the bill, type the 6-digit code (OTP) that we sent to this number by SMS" in asked
        assert "your wallet will ask for its PIN" in await sms_phone.send_sms(code[1])
        phone = Phone(http, gateway)
        assert await answer_wallet(phone, "4826") == "paid"
        assert "paid to" in await phone.wait_for_sms("paid to")


@pytest.fixture
async def daraja() -> AsyncIterator[DarajaServer]:
    async with DarajaServer() as server:
        yield server


def build_daraja_settings(tmp_path: Path, daraja: DarajaServer, **more: str):
    return build_settings(
        tmp_path,
        PAYMENTS__WALLET="daraja",
        PAYMENTS__DARAJA__BASE_URL=daraja.url,
        PAYMENTS__DARAJA__CONSUMER_KEY=KEY,
        PAYMENTS__DARAJA__CONSUMER_SECRET=SECRET,
        PAYMENTS__DARAJA__SHORT_CODE=SHORT_CODE,
        PAYMENTS__DARAJA__PASSKEY=PASSKEY,
        PAYMENTS__PUSH_DELAY="0",
        SMS__PROVIDER="africastalking",
        PROVIDERS__AFRICASTALKING__API_KEY=API_KEY,
        **PUBLIC_SETTINGS,
        **more,
    )


async def to_local_address(push: Any, url: str) -> Any:
    """Behind a proxy of ours, the address that callbacks are posted to is this one."""
    push.fields["CallBackURL"] = push.callback.replace("https://ekdial.example", url)
    return push


@pytest.fixture
async def kenyan_phone(tmp_path: Path, daraja: DarajaServer) -> AsyncIterator[Phone]:
    """A Kenyan's phone, where a licence of two hundred shillings can be applied for."""
    write_kenya_catalogue(tmp_path / "catalogue")
    async with AfricasTalkingServer() as sms:
        settings = build_daraja_settings(
            tmp_path,
            daraja,
            CATALOGUE__FOLDER=str(tmp_path / "catalogue"),
            PROVIDERS__AFRICASTALKING__BASE_URL=sms.url,
        )
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = KenyanPhone(http, url, "+254700000001", network="63902", token=WEBHOOK_TOKEN)
            phone.provider = sms
            yield phone


class KenyanPhone(Phone):
    """A phone that gets its SMS from the provider: a gateway with M-Pesa is public and has no simulator."""

    provider: AfricasTalkingServer

    async def wait_for_sms(self, containing: str = "") -> str:
        async with asyncio.timeout(10):
            while True:
                for sms in reversed(self.provider.accepted):
                    if sms.to == self.msisdn and containing in sms.text:
                        return sms.text
                await asyncio.sleep(0.02)


def write_kenya_catalogue(folder: Path) -> None:
    """One service, as `tests.support.catalogues` writes them, whose department takes payments in shillings."""
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


async def test_with_m_pesa_the_phone_is_asked_and_the_callback_pays(
    kenyan_phone: KenyanPhone, daraja: DarajaServer
) -> None:
    number = await apply_for_licence(kenyan_phone)
    await pay_by_mpesa(kenyan_phone, number)
    push = await to_local_address(await daraja.wait_for_push(), kenyan_phone.url)
    assert (push.fields["Amount"], push.fields["PhoneNumber"], push.fields["AccountReference"]) == (
        200,
        "254700000001",
        number,
    )
    await daraja.finish_push(push, times=3)
    assert [status for status, _ in daraja.callback_responses] == [200, 200, 200]
    assert json.loads(daraja.callback_responses[0][1]) == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert f"Receipt {push.receipt}" in await kenyan_phone.wait_for_sms("KSh 200 paid for Licence number 1")
    assert "paid" in (await track_application(kenyan_phone, number)).lower()


async def test_with_m_pesa_a_refusal_is_told_and_another_amount_is_not_taken(
    kenyan_phone: KenyanPhone, daraja: DarajaServer, tmp_path: Path
) -> None:
    number = await apply_for_licence(kenyan_phone)
    await pay_by_mpesa(kenyan_phone, number)
    await daraja.finish_push(await to_local_address(await daraja.wait_for_push(), kenyan_phone.url), 1032)
    assert "you said no" in await kenyan_phone.wait_for_sms("nothing was paid")
    await pay_by_mpesa(kenyan_phone, number)
    await daraja.finish_push(await to_local_address(await daraja.wait_for_push(2), kenyan_phone.url), amount=20.0)
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        assert database.execute("SELECT status, paid_minor FROM payments ORDER BY id").fetchall() == [
            ("failed", None),
            ("amount_mismatch", 2000),
        ]


async def test_a_callback_of_nobodys_is_refused_or_kept(
    kenyan_phone: KenyanPhone, daraja: DarajaServer, tmp_path: Path
) -> None:
    address = f"{kenyan_phone.url}/payments/daraja/nobodys"
    token = {"token": WEBHOOK_TOKEN}
    said = {"Body": {"stkCallback": {"CheckoutRequestID": "ws_CO_1", "ResultCode": 1032, "ResultDesc": "no"}}}
    async with kenyan_phone.http.post(address, json=said) as refused:
        assert refused.status == 404
    async with kenyan_phone.http.post(f"{address}%00", params=token, json=said) as no_key_of_ours:
        assert no_key_of_ours.status == 404
    async with kenyan_phone.http.post(address, params=token, json=said) as kept:
        assert kept.status == 200
    async with kenyan_phone.http.post(address, params=token, data=b"{") as unread:
        assert (unread.status, await unread.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    async with kenyan_phone.http.post(address, params=token, data=b"x" * 20_000) as flood:
        assert flood.status == 413
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        assert database.execute("SELECT count(*) FROM payment_reports WHERE payment IS NULL").fetchone() == (1,)
        assert database.execute("SELECT route FROM unparsed_webhooks").fetchall() == [("/payments/daraja",)]


async def apply_for_licence(phone: Phone) -> str:
    """Registered, and with the form of the one service handed in; its tracking number."""
    await register(phone)
    screen = await phone.enter("00", "1")
    while "Apply" not in screen:
        screen = await phone.enter("1")
    while "Type a word" not in screen:
        screen = await phone.enter("1")
    await phone.enter("Stationery")
    return tracking_number_in(await submit_application(phone))


async def pay_by_mpesa(phone: Phone, number: str) -> None:
    """To the screen that says that the wallet will ask."""
    status = await track_application(phone, number)
    await phone.enter(pay_key(status))
    assert "your wallet will ask for its PIN" in await phone.enter("1")
