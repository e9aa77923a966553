"""The gateway with Africa's Talking for its SMS: the real SDK, against a server that answers as the real one does."""

import re
from pathlib import Path

from aiohttp import ClientSession

from tests.fakes.africastalking_server import API_KEY, AfricasTalkingServer
from tests.phone import Phone, running, settings_for


async def test_a_pin_goes_out_through_the_provider_and_signs_in(tmp_path: Path) -> None:
    async with AfricasTalkingServer() as provider:
        settings = settings_for(
            tmp_path,
            SMS__PROVIDER="africastalking",
            SERVER__PUBLIC_URL="https://ekdial.example",
            AFRICASTALKING__API_KEY=API_KEY,
            AFRICASTALKING__BASE_URL=provider.url,
            AFRICASTALKING__SENDER_ID="EKDIAL",
            ACCOUNTS__PIN_BY_SMS="true",
        )
        async with running(settings) as url, ClientSession() as http:
            phone = Phone(http, url)
            await phone.dials()
            await phone.types("1", "5", "1", "Amina Begum", "1", "Mirpur School", "2", "Ayesha")
            await provider.arrived.wait()
            sent = provider.asked[0].fields
            assert (sent["to"], sent["from"]) == (phone.number, "EKDIAL")
            pin = re.match(r"\d{4,6}", sent["message"])
            assert pin
            assert (await phone.types("1", pin[0])).startswith("My account\n")
            async with http.get(f"{url}/simulator") as gone:
                assert gone.status == 404, "there is no simulated inbox where SMS are real"
