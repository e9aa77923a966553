"""docs/connector.md says what is so: its examples are what is sent, what is taken, and what is answered."""

import json
import re

import pytest

from services.departments.connector import written
from services.departments.port import Standing, Taken
from services.departments.signing import key_of, signed, verified
from tests.departments.test_departments import NOW, application, connector
from tests.departments.test_events import house, posts
from tests.fakes.department_server import saying
from tests.phone import ROOT
from web.departments import POSTED

__all__ = ["connector", "house", "posts"]  # fixtures
PAGE = (ROOT / "docs/connector.md").read_text(encoding="utf-8")
EXAMPLES = {name: json.loads(text) for name, text in re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.DOTALL)}


async def test_the_application_is_the_one_that_is_sent(connector, server):
    await connector.submit(application(beneficiary="+8801711000009"))
    sent = server.kept["123456789015"].application
    assert sent == EXAMPLES["application"]
    assert list(written(application())) == list(EXAMPLES["application"]), "in this order"


async def test_the_answer_is_the_models_and_is_taken(connector, server):
    server.then("submit", saying(201, EXAMPLES["201"]))
    assert await connector.submit(application()) == Taken("DEP-000001")
    assert await connector.submit(application()) == Taken("DEP-000001"), "as the model numbers its first"


async def test_the_status_is_read(connector, server):
    server.then("status", saying(200, EXAMPLES["status"]))
    assert await connector.status("123456789015") == Standing("ready", {"en": "Bring your old card."})


async def test_the_events_are_done_and_answered_so(office, posts, house, desk):
    number, complaint = await office.applies(), await house.complains()
    assert await posts({**EXAMPLES["moved"], "tracking_number": number}) == (200, EXAMPLES["done"])
    assert await posts({**EXAMPLES["complaint"], "complaint_number": complaint}, "msg_2") == (200, EXAMPLES["done"])


@pytest.mark.parametrize("name", ["moved", "complaint"])
def test_the_events_are_of_the_shape_that_is_taken(name):
    assert POSTED.validate_python(EXAMPLES[name]).event().note == EXAMPLES[name]["note"]


def test_the_signature_is_that_of_the_secret():
    vector = EXAMPLES["vector"]
    key, body = key_of(vector["secret"]), vector["body"].encode()
    assert signed([key], vector["id"], NOW, body)["webhook-timestamp"] == vector["timestamp"]
    assert signed([key], vector["id"], NOW, body)["webhook-signature"] == vector["signature"]
    headers = {f"webhook-{name}": vector[name] for name in ("id", "timestamp", "signature")}
    assert verified([key], headers, body, NOW) == vector["id"]


def test_the_lines_of_python_make_the_same_signature():
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    vector = EXAMPLES["vector"]
    given = {"secret": vector["secret"], "webhook_id": vector["id"], "webhook_timestamp": vector["timestamp"]}
    names = {"base64": __import__("base64"), "hmac": __import__("hmac"), "body": vector["body"].encode(), **given}
    exec(lines, names)  # noqa: S102 - it is our own page
    assert names["signature"] == vector["signature"]
