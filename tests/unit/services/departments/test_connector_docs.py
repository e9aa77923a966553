"""The examples in docs/connector.md match what is sent, accepted and answered."""

import json
import re

import pytest

from core.http.signatures import parse_secret, sign, verify
from core.validation import Valid
from services.catalogue.form_fields import CatalogueFormField
from services.catalogue.loader import load_catalogue
from services.departments.http_connector import serialize_answer, serialize_application
from services.departments.models import Accepted, ApplicationStatus, OutgoingAnswer
from tests.fakes.department_server import respond
from tests.support.department_deliveries import NOW, build_application
from tests.support.phone import ROOT
from web.webhooks.departments import EVENT_ADAPTER

PAGE = (ROOT / "docs/connector.md").read_text(encoding="utf-8")
EXAMPLES = {name: json.loads(text) for name, text in re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.DOTALL)}


async def test_the_application_is_the_one_that_is_sent(connector, server):
    await connector.submit(build_application(beneficiary="+8801711000009"))
    sent = server.applications["123456789015"].application
    assert sent == EXAMPLES["application"]
    assert list(serialize_application(build_application())) == list(EXAMPLES["application"]), "in this order"


async def test_the_answer_is_the_models_and_is_taken(connector, server):
    server.respond_with("submit", respond(201, EXAMPLES["201"]))
    assert await connector.submit(build_application()) == Accepted("DEP-000001")
    assert await connector.submit(build_application()) == Accepted("DEP-000001"), "as the model numbers its first"


def test_the_form_is_that_of_the_catalogue():
    """The page's form was of no service (a documentation fix of the field report): `child`, `nid`, `union_parishad`."""
    application, catalogue = EXAMPLES["application"], load_catalogue(ROOT / "services/catalogue/data")
    service = catalogue.services[application["service"]]
    assert application["form"].keys() == {field.name for field in service.fields}
    for field in service.fields:
        answer = application["form"][field.name]
        typed = "-".join(reversed(answer.split("-"))) if field.kind == "date" else answer
        labels = [code for code, _ in CatalogueFormField(field).choices]
        assert answer in labels if labels else CatalogueFormField(field).validate(typed, NOW.date()) == Valid(answer)
    assert application["office"] == service.office
    assert [document["code"] for document in application["documents"]] == list(service.document_codes)
    assert (application["fee"]["amount_minor"], application["fee"]["currency"]) == (service.fee_minor, service.currency)


async def test_the_answer_of_an_applicant_is_the_one_that_is_sent(connector, server):
    await connector.submit(build_application())
    answer = OutgoingAnswer("answer_17", "123456789015", "The card number is 4471.", NOW, "sms")
    assert await connector.send_answer(answer) == Accepted("answer_17")
    assert server.answers == {"answer_17": EXAMPLES["answered"]}
    assert list(serialize_answer(answer)) == list(EXAMPLES["answered"]), "in this order"


async def test_the_status_is_read(connector, server):
    server.respond_with("status", respond(200, EXAMPLES["status"]))
    assert await connector.fetch_status("123456789015") == ApplicationStatus("ready", {"en": "Bring your old card."})


async def test_the_events_are_done_and_answered_so(delivery_services, post_webhook, complaint_services, services):
    number, complaint = await delivery_services.submit_application(), await complaint_services.submit_complaint()
    assert await post_webhook({**EXAMPLES["moved"], "tracking_number": number}) == (200, EXAMPLES["done"])
    assert await post_webhook({**EXAMPLES["complaint"], "complaint_number": complaint}, "msg_2") == (
        200,
        EXAMPLES["done"],
    )


@pytest.mark.parametrize("name", ["moved", "complaint"])
def test_the_events_are_of_the_shape_that_is_taken(name):
    assert EVENT_ADAPTER.validate_python(EXAMPLES[name]).to_event().note == EXAMPLES[name]["note"]


def test_the_signature_is_that_of_the_secret():
    vector = EXAMPLES["vector"]
    key, body = parse_secret(vector["secret"]), vector["body"].encode()
    assert sign([key], vector["id"], NOW, body)["webhook-timestamp"] == vector["timestamp"]
    assert sign([key], vector["id"], NOW, body)["webhook-signature"] == vector["signature"]
    headers = {f"webhook-{name}": vector[name] for name in ("id", "timestamp", "signature")}
    assert verify([key], headers, body, NOW) == vector["id"]


def test_the_lines_of_python_make_the_same_signature():
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    vector = EXAMPLES["vector"]
    given = {"secret": vector["secret"], "webhook_id": vector["id"], "webhook_timestamp": vector["timestamp"]}
    names = {"base64": __import__("base64"), "hmac": __import__("hmac"), "body": vector["body"].encode(), **given}
    exec(lines, names)  # noqa: S102 - it is our own page
    assert names["signature"] == vector["signature"]
