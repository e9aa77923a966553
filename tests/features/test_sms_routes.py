"""Two providers of SMS: one carries a country from a name that takes no replies, and is suspended; the other takes over."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from providers import registry
from providers.entry import ProviderEntry
from providers.sandbox.sms import SandboxSmsProvider
from tests.fakes.africastalking_server import API_KEY, AfricasTalkingServer, accept
from tests.support.phone import (
    PUBLIC_SETTINGS,
    WEBHOOK_TOKEN,
    Phone,
    admin_url,
    build_settings,
    read_metrics,
    run_gateway,
)
from tests.support.sms_phone import wait_until

AMINA, RAHIMA, KARIM = "+254711000009", "+8801711000009", "+8801711000008"
ROUTES = [
    {"provider": "africastalking", "countries": ["BD"], "short_codes": ["16216"], "sender": "16216"},
    {
        "provider": "africastalking",
        "fallback": "sandbox",
        "fallback_sender": "16216",
        "countries": ["BD"],
        "sender": "GOVBD",
    },
]
CODES = [{"code": "16216", "countries": ["BD"]}]
USSD_CODES = [{"code": "*213#", "providers": ["africastalking"], "countries": ["BD"]}, {"code": "*384#", "providers": ["africastalking"]}]  # fmt: skip


class Messages:
    """What each provider was given, and the gateway that gave it."""

    def __init__(self, http, url, first, second):
        self.http, self.url, self.first, self.second = http, url, first, second

    def phone(self, msisdn):
        return Phone(self.http, self.url, msisdn=msisdn, token=WEBHOOK_TOKEN)

    async def write(self, msisdn, text, to):
        """Send an SMS to one of our numbers."""
        form = {"from": msisdn, "to": to, "text": text, "id": f"{msisdn}-{text}-{to}", "date": "2026-11-30 10:00:00"}
        async with self.http.post(f"{self.url}/sms/africastalking?token={WEBHOOK_TOKEN}", data=form) as answer:
            assert answer.status == 200

    async def read_by_second(self, msisdn, count=1):
        """The first SMS that the second provider delivered."""

        async def has_arrived():
            return len(self.second.messages_to(msisdn)) >= count

        await wait_until(has_arrived)
        return self.second.messages_to(msisdn)[count - 1]

    async def read_by_first(self, msisdn):
        """The fields of the last request of the first provider for a number."""

        async def has_arrived():
            return any(one.fields["to"] == msisdn for one in self.first.requests)

        await wait_until(has_arrived)
        return [one.fields for one in self.first.requests if one.fields["to"] == msisdn][-1]


@asynccontextmanager
async def run_routed_gateway(tmp_path, monkeypatch) -> AsyncIterator[Messages]:
    second = SandboxSmsProvider(sender="EKDIAL")

    @asynccontextmanager
    async def open_second(_settings):
        yield second

    monkeypatch.setitem(registry.PROVIDERS, "sandbox", ProviderEntry(name="sandbox", open_sms=open_second))
    async with AfricasTalkingServer(default_behaviour=lambda _: accept(405)) as first:
        settings = build_settings(
            tmp_path,
            SMS__ROUTES=json.dumps(ROUTES),
            SMS__SHORT_CODES=json.dumps(CODES),
            USSD__CODES=json.dumps(USSD_CODES),
            MISSED_CALLS__NUMBERS=json.dumps({"+254711000002": "call_back_menu"}),
            PROVIDERS__AFRICASTALKING__API_KEY=API_KEY,
            PROVIDERS__AFRICASTALKING__BASE_URL=first.url,
            ACCOUNTS__PIN_BY_SMS="true",
            **PUBLIC_SETTINGS,
        )
        async with run_gateway(settings) as url, ClientSession() as http:
            yield Messages(http, url, first, second)


async def register(phone, code):
    await phone.dial(code)
    await phone.enter("1", "5", "1", "Amina Begum", "1", "Mirpur School", "2", "Ayesha")


async def test_what_a_suspended_provider_did_not_send_goes_by_the_fallback(tmp_path, monkeypatch):
    async with run_routed_gateway(tmp_path, monkeypatch) as messages:
        await register(messages.phone(RAHIMA), "*213#")
        pin = await messages.read_by_second(RAHIMA)
        assert re.match(r"\d{4,6}", pin.text)
        assert pin.sender == "16216", "the fallback has a sender of its own"
        assert (await messages.read_by_first(RAHIMA))["from"] == "GOVBD", "it was asked first"

        await register(messages.phone(AMINA), "*384#")
        pin = await messages.read_by_second(AMINA)
        assert pin.sender == "EKDIAL", "Kenya is the default provider's"
        assert AMINA not in {one.fields["to"] for one in messages.first.requests}

        metrics = await read_metrics(messages.http, messages.url)
        assert 'ekdial_sms_sends_total{kind="pin",outcome="sent",provider="sandbox"} 2.0' in metrics
        assert 'ekdial_sms_moved_total{provider="africastalking"} 1.0' in metrics
        async with messages.http.get(f"{admin_url(messages.url)}/readyz") as ready:
            assert {"sms", "sms_africastalking"} <= set(await ready.json())


async def test_a_missed_call_gets_no_menu_where_no_reply_comes_back(tmp_path, monkeypatch):
    async with run_routed_gateway(tmp_path, monkeypatch) as messages:
        for msisdn in (RAHIMA, AMINA):
            call = {
                "isActive": "1", "sessionId": f"ATVId_{msisdn}", "direction": "Inbound",
                "callerNumber": msisdn, "destinationNumber": "+254711000002",
            }  # fmt: skip
            async with messages.http.post(
                f"{messages.url}/voice/africastalking?token={WEBHOOK_TOKEN}", data=call
            ) as answer:
                assert answer.status == 200

        one_way, two_way = await messages.read_by_second(RAHIMA), await messages.read_by_second(AMINA)
        assert "*213#" in one_way.text
        assert "16216" in one_way.text
        assert not re.search(r"^1 ", one_way.text, re.MULTILINE)
        assert re.search(r"^1 ", two_way.text, re.MULTILINE), "Kenya replies to the menu"


@pytest.mark.parametrize(("text", "begins"), [("MENU", False), ("HELP", False), ("what is this", False)])
async def test_keywords_offer_no_conversation_one_way(tmp_path, monkeypatch, text, begins):
    async with run_routed_gateway(tmp_path, monkeypatch) as messages:
        await messages.write(KARIM, text, "123")
        reply = (await messages.read_by_second(KARIM)).text
        assert "16216" in reply
        assert "*213#" in reply
        assert bool(re.search(r"^1 ", reply, re.MULTILINE)) is begins


async def test_who_writes_to_the_two_way_number_is_answered_by_it(tmp_path, monkeypatch):
    async with run_routed_gateway(tmp_path, monkeypatch) as messages:
        messages.first.default_behaviour = lambda _: accept()
        await messages.write(KARIM, "MENU", "16216")
        sent = await messages.read_by_first(KARIM)
        assert sent["from"] == "16216"
        assert re.search(r"^1 ", sent["message"], re.MULTILINE)
