"""The gateway with Africa's Talking for its SMS: the real SDK, against a server that answers as the real one does."""

import re
from pathlib import Path

from aiohttp import ClientSession

from tests.fakes.africastalking_server import API_KEY, AfricasTalkingServer
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, Phone, build_settings, run_gateway


async def test_a_pin_goes_out_through_the_provider_and_signs_in(tmp_path: Path) -> None:
    async with AfricasTalkingServer() as provider:
        settings = build_settings(
            tmp_path,
            SMS__PROVIDER="africastalking",
            PROVIDERS__AFRICASTALKING__API_KEY=API_KEY,
            PROVIDERS__AFRICASTALKING__BASE_URL=provider.url,
            PROVIDERS__AFRICASTALKING__SENDER_ID="EKDIAL",
            ACCOUNTS__PIN_BY_SMS="true",
            **PUBLIC_SETTINGS,
        )
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url, token=WEBHOOK_TOKEN)
            await phone.dial()
            await phone.enter("1", "5", "1", "Amina Begum", "1", "Mirpur School", "2", "Ayesha")
            await provider.arrived.wait()
            sent = provider.requests[0].fields
            assert (sent["to"], sent["from"]) == (phone.msisdn, "EKDIAL")
            pin = re.match(r"\d{4,6}", sent["message"])
            assert pin
            assert (await phone.enter("1", pin[0])).startswith("My account\n")
            async with http.get(f"{url}/simulator") as gone:
                assert gone.status == 404, "there is no simulated inbox where SMS are real"
