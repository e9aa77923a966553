"""hSenid TAP: the dialogues that the two platforms publish, field by field in both directions."""

import json

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from providers.tap.applications import Applications, build_applications
from providers.tap.client import TapClient
from providers.tap.settings import TapApplication, TapSettings
from providers.tap.sms import TapSms
from providers.tap.webhooks import TapSmsWebhooks
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted
from tests.fakes.tap_server import TapServer, answer_body
from tests.support.tap import DIALECT_NAMES, build_reply, build_ussd, read_tap_dialogues

DIALOGUES = read_tap_dialogues()
NETWORKS = sorted(DIALOGUES)


def build_published_application(server: TapServer, network: str, sender: str = "") -> Applications:
    """The application of the published samples at this server."""
    account = DIALOGUES[network]["account"]
    application = TapApplication(
        dialect=DIALECT_NAMES[network],
        application_id=account["applicationId"],
        password=SecretStr(account["password"]),
        base_url=f"{server.url}/{network}",
        sender=sender,
        service_codes=("*141#",),
    )
    return build_applications(TapSettings(applications={network: application}))


def hash_nothing(_: str, __: str) -> str:
    raise AssertionError("every sample has an id")


@pytest.mark.parametrize("network", NETWORKS)
async def test_a_published_call_is_read_and_its_screens_are_pushed(network: str) -> None:
    async with TapServer() as server:
        ussd = build_ussd(build_published_application(server, network))
        async with ussd.connections():
            for turn in DIALOGUES[network]["ussd"]:
                server.plan("/ussd/send", answer_body(turn["answer"]))
                request = ussd.parse_request(turn["in"], {})
                assert (request.caller, request.starts_session, request.text) == (
                    turn["caller"],
                    turn["starts"],
                    turn["text"],
                )
                assert request.message_id == turn["in"]["requestId"]
                await ussd.push_reply(request, build_reply(turn["screen"], ends=turn["ends"]))
        assert server.requests == [("/ussd/send", turn["out"]) for turn in DIALOGUES[network]["ussd"]]


def test_key_presses_are_acknowledged_as_published() -> None:
    reply = build_ussd(build_applications(TapSettings())).render_acknowledgement()
    assert json.loads(reply.text) == {"statusCode": "S1000", "statusDetail": "Success"}
    assert reply.content_type == "application/json"


@pytest.mark.parametrize("network", NETWORKS)
async def test_a_published_sms_is_sent(network: str) -> None:
    sample = DIALOGUES[network]["sms"]
    async with TapServer() as server, ClientSession() as http:
        server.plan("/sms/send", answer_body(sample["answer"]))
        sms = TapSms(TapClient(http), build_published_application(server, network, sample["sender"]), deadline=10.0)
        outcome = await sms.send(OutgoingMessage(sample["to"], sample["text"]))
        assert outcome == Accepted(sample["id"])
        assert server.requests == [("/sms/send", sample["out"])]


@pytest.mark.parametrize("network", NETWORKS)
async def test_a_published_inbound_sms_is_read(network: str) -> None:
    sample = DIALOGUES[network]["inbound"]
    async with TapServer() as server:
        webhooks = TapSmsWebhooks(build_published_application(server, network), short_code="123")
    sms = webhooks.parse_inbound_sms(sample["in"], hash_nothing)
    assert sms is not None
    assert (sms.msisdn, sms.text, sms.provider_id, sms.network, sms.sent_to) == (
        sample["sender"],
        sample["text"],
        sample["id"],
        sample["network"],
        "123",
    )


@pytest.mark.parametrize("network", NETWORKS)
async def test_a_published_delivery_report_is_read(network: str) -> None:
    sample = DIALOGUES[network]["report"]
    async with TapServer() as server:
        webhooks = TapSmsWebhooks(build_published_application(server, network), short_code="123")
    report = webhooks.parse_delivery_report(sample["in"])
    assert report is not None
    assert (report.provider_id, report.status, report.msisdn) == (sample["id"], sample["status"], sample["msisdn"])
