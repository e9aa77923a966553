"""M2: a webhook that nobody uses is open to the world, and what is posted there stays and hides the real reports."""

import json
import sqlite3
from contextlib import closing

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select

from config.settings import ProviderSection
from db.tables import payment_reports, unparsed_webhooks
from providers import registry
from providers.africastalking.ussd import AfricasTalkingUssd
from providers.entry import ProviderEntry
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from services.payments import ledger, reconciliation
from services.payments.ledger import Ledger
from tests.support.payments import PaymentServiceSet, paid_report
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, build_settings, run_gateway
from tests.support.services import CIPHER

FAKE = {
    "Body": {
        "stkCallback": {
            "CheckoutRequestID": "ws_CO_1",
            "ResultCode": 0,
            "ResultDesc": "ok",
            "CallbackMetadata": {
                "Item": [{"Name": "Amount", "Value": 1.0}, {"Name": "MpesaReceiptNumber", "Value": "FAKE1"}]
            },
        }
    }
}


@pytest.mark.parametrize("wallet", ["none", "sandbox"])
@pytest.mark.parametrize("public", [{}, PUBLIC_SETTINGS], ids=["development", "public"])
async def test_m2_without_daraja_nobody_reports_its_payments(wallet, public, tmp_path):
    settings = build_settings(tmp_path, PAYMENTS__WALLET=wallet, **public)
    async with run_gateway(settings) as url, ClientSession() as http:
        for key in ("nobodys", "k" * 32):
            for query in ({}, {"token": WEBHOOK_TOKEN}):
                async with http.post(f"{url}/payments/daraja/{key}", params=query, json=FAKE) as response:
                    assert response.status == 404
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        for table in ("payment_reports", "unparsed_webhooks"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


class OtherSettings(ProviderSection):
    """The table of a second provider."""

    provider = "other"

    account: str = ""


class OtherUssd(AfricasTalkingUssd):
    """A second provider with the format of the first."""

    name = "other"  # type: ignore[misc,assignment]


@pytest.fixture
def other_provider(monkeypatch):
    """A second provider in the registry, which nobody has set up."""
    entry = ProviderEntry(name="other", settings=OtherSettings, build_ussd=lambda _, config: OtherUssd(config))
    monkeypatch.setitem(registry.PROVIDERS, "other", entry)
    monkeypatch.setattr("app.settings.SETTINGS_MODELS", (*registry.SETTINGS_MODELS, OtherSettings))


async def post_hop(http, url, provider):
    form = {
        "sessionId": "A1",
        "phoneNumber": "+8801700000001",
        "networkCode": "99999",
        "serviceCode": "*123#",
        "text": "",
    }
    async with http.post(f"{url}/ussd/{provider}", params={"token": WEBHOOK_TOKEN}, data=form) as response:
        return response.status


@pytest.mark.usefixtures("other_provider")
async def test_m2_a_provider_that_nobody_has_set_up_has_no_routes(tmp_path):
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        assert await post_hop(http, url, "other") == 404
        assert await post_hop(http, url, "africastalking") == 200, "the sandbox has this format"
    set_up = build_settings(tmp_path, PROVIDERS__OTHER__ACCOUNT="ours")
    async with run_gateway(set_up) as url, ClientSession() as http:
        assert await post_hop(http, url, "other") == 200


@pytest.mark.usefixtures("other_provider")
async def test_m2_the_format_of_the_sandbox_is_not_served_beside_another_provider_of_sms(tmp_path):
    settings = build_settings(tmp_path, PROVIDERS__OTHER__ACCOUNT="ours")
    settings = settings.model_copy(update={"sms": settings.sms.model_copy(update={"provider": "other"})})
    assert [entry.name for entry in registry.providers_in_use(settings) if entry.build_ussd] == ["other"]


async def test_m2_reports_of_nobodys_payments_are_capped_listed_newest_first_and_move_no_metric(
    database, clock, monkeypatch
):
    assert reconciliation.MAX_UNMATCHED == 10_000
    monkeypatch.setattr(reconciliation, "MAX_UNMATCHED", 6)
    monkeypatch.setattr(ledger, "MAX_ROWS", 4)
    payments = PaymentServiceSet(database, clock).payments
    for number in range(20):
        assert await payments.record_report(f"nobodys{number}", paid_report(receipt=f"FAKE{number}")) is None
    await payments.record_report("nobodys19", paid_report(receipt="FAKE19"))

    assert payments.outcome_counts == {"unmatched": 21}
    assert not payments.wakeup.is_set()
    (kept,) = await database.fetch(select(func.count()).select_from(payment_reports))
    assert kept[0] == 6
    issues = await Ledger(database, clock=clock).issues()
    assert sorted(issue.reference for issue in issues) == ["FAKE16", "FAKE17", "FAKE18", "FAKE19"]


async def test_m2_a_flood_of_one_route_does_not_flush_another(database, clock, monkeypatch):
    monkeypatch.setattr("services.messaging.unparsed_webhooks.MAX_PER_ROUTE", 5)
    store = UnparsedWebhooks(database, CIPHER, clock=clock)
    await store.record("/sms/africastalking", "It has no sender.", {"text": "MENU"})
    for _ in range(30):
        await store.record("/payments/daraja", "Not a report.", {"body": json.dumps(FAKE)})
    routes = [row.route for row in await database.fetch(select(unparsed_webhooks.c.route))]
    assert sorted(routes) == ["/payments/daraja"] * 5 + ["/sms/africastalking"]
