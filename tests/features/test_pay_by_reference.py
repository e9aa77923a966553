"""Pay by reference: who missed the wallet's prompt, or pays for somebody else, pays the tracking number at the pay bill number."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from config.settings import Settings
from core.errors import CommandError
from tests.fakes.africastalking_server import AfricasTalkingServer
from tests.fakes.daraja_server import SHORT_CODE, DarajaServer, build_c2b_notice
from tests.features.test_pay_fees_and_bills import (
    KenyanPhone,
    apply_for_licence,
    build_daraja_settings,
    pay_by_mpesa,
    to_local_address,
    write_kenya_catalogue,
)
from tests.support.citizen_steps import pay_key, track_application
from tests.support.commands import payments_command
from tests.support.phone import WEBHOOK_TOKEN, build_settings, run_gateway


@pytest.fixture
async def daraja() -> AsyncIterator[DarajaServer]:
    async with DarajaServer() as server:
        yield server


class PayBill(KenyanPhone):
    """A Kenyan's phone on a gateway whose pay bill number takes tracking numbers."""

    settings: Settings

    async def tell(self, what: str, notice: dict[str, Any], token: str = WEBHOOK_TOKEN) -> tuple[int, Any]:
        """Post what M-Pesa posts to `validation` or `confirmation`."""
        address = f"{self.url}/payments/daraja/reference/{what}"
        async with self.http.post(address, params={"token": token}, json=notice) as answer:
            return answer.status, await answer.json() if answer.ok else None


@pytest.fixture
async def phone(tmp_path: Path, daraja: DarajaServer) -> AsyncIterator[PayBill]:
    write_kenya_catalogue(tmp_path / "catalogue")
    async with AfricasTalkingServer() as sms:
        settings = build_daraja_settings(
            tmp_path,
            daraja,
            PAYMENTS__DARAJA__C2B="true",
            CATALOGUE__FOLDER=str(tmp_path / "catalogue"),
            PROVIDERS__AFRICASTALKING__BASE_URL=sms.url,
        )
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = PayBill(http, url, "+254700000001", network="63902", token=WEBHOOK_TOKEN)
            phone.provider, phone.settings = sms, settings
            yield phone


async def test_who_missed_the_prompt_pays_the_tracking_number(phone: PayBill, daraja: DarajaServer) -> None:
    number = await apply_for_licence(phone)
    await pay_by_mpesa(phone, number)
    await daraja.finish_push(await to_local_address(await daraja.wait_for_push(), phone.url), 1037)
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    missed = await phone.wait_for_sms("nothing was paid")
    assert missed.endswith(f"press 2 and type {shown}\nOr use pay bill {SHORT_CODE}, account {shown}")
    notice = build_c2b_notice(shown, "200.00")
    assert await phone.tell("validation", notice) == (200, {"ResultCode": "0", "ResultDesc": "Accepted"})
    for _ in range(2):
        assert await phone.tell("confirmation", notice) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert f"Receipt {notice['TransID']}" in await phone.wait_for_sms("KSh 200 paid for Licence number 1")
    assert not pay_key(await track_application(phone, number))
    assert (await phone.tell("validation", build_c2b_notice(number, "200.00")))[1]["ResultCode"] == "C2B00016"


async def test_who_pays_for_somebody_else_is_told_and_so_is_the_applicant(phone: PayBill) -> None:
    number = await apply_for_licence(phone)
    friend = KenyanPhone(phone.http, phone.url, "+254700000009")
    friend.provider = phone.provider
    await phone.tell("confirmation", build_c2b_notice(number, "200.00", msisdn="254700000009"))
    assert "KSh 200 paid" in await friend.wait_for_sms("paid for Licence number 1")
    assert "KSh 200 paid" in await phone.wait_for_sms("paid for Licence number 1")


async def test_another_amount_and_an_unknown_number_wait_for_finance(phone: PayBill) -> None:
    number = await apply_for_licence(phone)
    assert (await phone.tell("validation", build_c2b_notice(number, "150.00")))[1]["ResultCode"] == "C2B00013"
    assert (await phone.tell("validation", build_c2b_notice("rent", "200.00")))[1]["ResultCode"] == "C2B00012"
    await phone.tell("confirmation", build_c2b_notice(number, "150.00", receipt="RKTAMOUNT1"))
    assert "KSh 200 is due" in await phone.wait_for_sms("we got KSh 150 for Licence number 1, receipt RKTAMOUNT1")
    await phone.tell("confirmation", build_c2b_notice("rent", "200.00", receipt="RKTNOBODY1"))
    report = (await payments_command(phone.settings, "report")).output
    assert "amount_mismatch" in report
    assert "RKTNOBODY1" in report


async def test_finance_assigns_money_for_an_unknown_number_or_gives_it_back(phone: PayBill) -> None:
    number = await apply_for_licence(phone)
    for receipt in ("RKTNOBODY1", "RKTNOBODY2"):
        await phone.tell("confirmation", build_c2b_notice("rent", "200.00", receipt=receipt))
    why = ("--by", "nadia", "--why", "ticket 4711")
    assigned = await payments_command(phone.settings, "assign", "RKTNOBODY1", number, *why)
    assert f"Report 1, KES 200.00: it is payment 1 of {number}" in assigned.output
    assert "Receipt RKTNOBODY1" in await phone.wait_for_sms("KSh 200 paid for Licence number 1")
    assert not pay_key(await track_application(phone, number))
    given_back = await payments_command(phone.settings, "given-back", "#2", "--receipt", "RKTBACK001", *why)
    assert "Report 2, KES 200.00: it is recorded as given back" in given_back.output
    assert "no_such_payment" not in (await payments_command(phone.settings, "report")).output
    with pytest.raises(CommandError, match="This money is payment 1; look at payments show '#1'"):
        await payments_command(phone.settings, "given-back", "RKTNOBODY1", "--receipt", "RKTBACK002", *why)
    with pytest.raises(CommandError, match="recorded as given back"):
        await payments_command(phone.settings, "assign", "RKTNOBODY2", number, *why)


async def test_a_stranger_tells_of_no_money(phone: PayBill) -> None:
    number = await apply_for_licence(phone)
    for what in ("validation", "confirmation"):
        assert (await phone.tell(what, build_c2b_notice(number, "200.00"), token="guessed"))[0] == 404
    assert pay_key(await track_application(phone, number))


async def test_the_addresses_are_registered_once_and_printed_without_their_token(
    phone: PayBill, daraja: DarajaServer
) -> None:
    printed = (await payments_command(phone.settings, "register-urls")).output
    assert daraja.registered == {
        f"{name.capitalize()}URL": f"https://ekdial.example/payments/daraja/reference/{name}?token={WEBHOOK_TOKEN}"
        for name in ("validation", "confirmation")
    }
    assert "https://ekdial.example/payments/daraja/reference/confirmation\n" in printed
    assert WEBHOOK_TOKEN not in printed


async def test_a_gateway_without_a_pay_bill_number_has_no_such_address(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, ClientSession() as http:
        async with http.post(f"{url}/payments/daraja/reference/validation", json={}) as answer:
            assert answer.status == 404
        with pytest.raises(CommandError, match=r"payments\.daraja\.c2b"):
            await payments_command(settings, "register-urls")
