"""The gateway with providers that rows of TOML describe: to India with the ids of DLT, to Bangladesh with an idempotency key."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession, web

from core.reference_numbers import generate_tracking_number
from db.database import Database
from db.tables import applications
from tests.fakes.sms_http_server import Behaviour, SmsHttpServer, drop_connection, respond
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, Phone, build_settings, run_gateway
from tests.support.sample_rows import insert_row
from tests.support.sms_phone import wait_until
from tests.support.sms_rows import find_answer, sms_row_settings

ENTITY, PIN_TEMPLATE = "1101546710000030001", "1107161183026270001"
DLT = {
    "DLT__ENTITY": ENTITY,
    "DLT__TEMPLATES": json.dumps({"pin.en": PIN_TEMPLATE}),
    "DLT__HEADERS": json.dumps({"default": "GOVSEV"}),
}
USSD = {"PROVIDERS__AFRICASTALKING__API_KEY": "made-up-key", "ACCOUNTS__PIN_BY_SMS": "true", **PUBLIC_SETTINGS}
REGISTER = ("1", "5", "1", "Amina Begum", "1", "Mirpur School", "2", "Ayesha")


async def has_requests(server: SmsHttpServer, count: int) -> None:
    async def enough() -> bool:
        return len(server.requests) >= count

    await wait_until(enough)


async def test_a_pin_goes_to_india_with_the_ids_of_its_entity_and_its_template(tmp_path: Path) -> None:
    async with SmsHttpServer() as server:
        server.respond_with(find_answer("exotel", "accepted"))
        settings = build_settings(tmp_path, **USSD, **DLT, **sms_row_settings("exotel", server))
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url, "+919876543210", token=WEBHOOK_TOKEN)
            await phone.dial()
            await phone.enter(*REGISTER)
            await has_requests(server, 1)
            sent = server.requests[0].fields
            pin = re.match(r"\d{4,6}", sent["Body"])
            assert pin
            assert (await phone.enter("1", pin[0])).startswith("My account\n")
    assert {name: sent[name] for name in sent.keys() - {"Body", "CustomField"}} == {
        "From": "GOVSEV",
        "To": "+919876543210",
        "EncodingType": "plain",
        "DltEntityId": ENTITY,
        "DltTemplateId": PIN_TEMPLATE,
        "StatusCallback": f"https://ekdial.example/sms/exotel/delivery?token={WEBHOOK_TOKEN}",
    }


class SmsPlus:
    """SSL Wireless as it is described: it takes each `csms_id` once, and loses its first answer."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def __call__(self, server: SmsHttpServer, request: web.Request) -> web.StreamResponse:
        csms_id = server.requests[-1].fields["csms_id"]
        if csms_id in self.taken:
            return await respond(200, '{"status": "FAILED", "status_code": 4023}')(server, request)
        self.taken.append(csms_id)
        first: Behaviour = drop_connection if len(self.taken) == 1 else find_answer("sslwireless", "accepted")
        return await first(server, request)


async def test_a_lost_answer_in_bangladesh_leaves_nothing_unknown_and_sends_nothing_twice(tmp_path: Path) -> None:
    smsplus = SmsPlus()
    async with SmsHttpServer() as server:
        server.respond_with(smsplus)
        settings = build_settings(tmp_path, **USSD, **sms_row_settings("sslwireless", server))
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url, token=WEBHOOK_TOKEN)
            await phone.dial()
            await phone.enter(*REGISTER)
            await has_requests(server, 2)
            sent = server.requests[0].fields
            pin = re.match(r"\d{4,6}", sent["sms"])
            assert pin
            assert (await phone.enter("1", pin[0])).startswith("My account\n")
    assert [request.fields for request in server.requests[:2]] == [sent, sent]
    assert smsplus.taken == [sent["csms_id"]]
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        assert database.execute("SELECT status, provider_id FROM messages WHERE kind = 'pin'").fetchall() == [
            ("sent", f"sslwireless/{sent['csms_id'].removesuffix('g1')}")
        ]
    assert (sent["msisdn"], sent["sid"]) == (phone.msisdn.removeprefix("+"), "MYGOV")


async def add_application(url: str) -> str:
    """An application that waits for its office; its tracking number."""
    number, now = generate_tracking_number(), datetime.now(UTC)
    async with Database(url) as database:
        facts = {"service": "birth_certificate", "status": "received", "promised": now.date() + timedelta(days=7)}
        await insert_row(database, applications, now, tracking_number=number, **facts)
    return number


async def test_a_number_of_india_gets_registered_texts_in_place_of_menus(tmp_path: Path) -> None:
    """Whoever writes for a menu is told to dial; STATUS, HELP and STOP are answered. Each answer is one registered text."""
    keys = ("by_call", "help_registered", "not_understood_by_call", "stopped", "status-note-late-delivery")
    ids = {f"110716118302627000{place}": key for place, key in enumerate(keys)}
    templates = {f"{key}.{form}": number for number, key in ids.items() for form in ("en", "hi")}
    registered = {**DLT, "DLT__TEMPLATES": json.dumps(templates)}
    async with SmsHttpServer() as server:
        server.respond_with(find_answer("exotel", "accepted"))
        settings = build_settings(tmp_path, **USSD, **registered, **sms_row_settings("exotel", server))
        async with run_gateway(settings) as url, ClientSession() as http:
            number = await add_application(settings.database.url.get_secret_value())
            written = ("MENU", "APPLY", "HELP", f"STATUS {number}", "STATUS 1", "what", "STOP")
            for place, text in enumerate(written, start=1):
                form = {"from": "+919876543210", "to": "123", "text": text, "id": f"in-{place}", "linkId": ""}
                form |= {"date": "2026-11-21 10:00:00", "networkCode": "40445"}
                async with http.post(f"{url}/sms/africastalking?token={WEBHOOK_TOKEN}", data=form) as response:
                    assert response.status == 200
                await has_requests(server, place)
    sent = [ids[request.fields["DltTemplateId"]] for request in server.requests]
    status = "status-note-late-delivery"
    assert sent == ["by_call", "by_call", "help_registered", status, "by_call", "not_understood_by_call", "stopped"]
