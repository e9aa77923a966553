"""openapi.json is valid OpenAPI 3.1, and every response of the API matches it."""

import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.applications.models import STATUSES
from services.complaints.models import DEPARTMENT_STATUSES
from services.complaints.models import STATUSES as COMPLAINT_STATUSES

pytestmark = pytest.mark.slow  # schemathesis takes ten seconds

MOST = 120.0  # seconds, on a busy machine; it needs ten
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
RUN = (
    *("--seed", "1", "--max-examples", "15", "--phases", "examples,coverage,fuzzing,stateful"),
    *("--continue-on-failure", "--no-color"),
)
LISTS = ("listApplications", "listComplaints", "listFeedback")
A_CURSOR = (
    '[[operations]]\ninclude-operation-id = "{}"\nchecks.positive_data_acceptance.expected-statuses = [200, 400]\n'
)
A_NUMBER = '[[operations]]\ninclude-operation-id = "{}"\nparameters = {{ "path.{}" = "{}" }}\n'

# A generated change can lack the note that an answer and a step backwards need, and its key can be used before.
A_CHANGE = (
    '[[operations]]\ninclude-operation-id = "{}"\n'
    "checks.positive_data_acceptance.expected-statuses = [200, 201, 409, 422]\n"
)

# A network's key; a generated day can be one in the future, and the same Idempotency-Key can come with another day.
A_NOTICE = (
    '[[operations]]\ninclude-operation-id = "reportNumber"\nheaders = {{ Authorization = "Bearer {}" }}\n'
    "checks.positive_data_acceptance.expected-statuses = [200, 201, 409, 422]\n"
)


async def test_the_description_is_openapi_and_asked_for_without_a_key(department_client):
    async with ClientSession() as http, http.get(f"{department_client.url}/api/v1/openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        described = await response.json()

    assert described["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(described).validate()


def test_every_operation_says_what_it_is_what_may_go_wrong_and_what_it_looks_like(openapi_document):
    operations = [operation for path in openapi_document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]

    assert len(set(names)) == len(names) == 9
    for operation in operations:
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert {"401", "422", "429", "500"} <= operation["responses"].keys()
    for name, schema in openapi_document["components"]["schemas"].items():
        assert (
            "examples" in schema
            or name.endswith("HistoryEntry")
            or name in {"Person", "Applicant", "Operator", "Beneficiary", "Fee", "FieldError"}
            or "enum" in schema
        )


def test_every_status_is_one_schema_and_all_others_refer_to_it(openapi_document):
    """A minor of section 4 of the field report: four generated enum classes for one status."""
    schemas = openapi_document["components"]["schemas"]
    enums = [tuple(one["enum"]) for one in walk(openapi_document["paths"], schemas) if "enum" in one]

    assert tuple(schemas["ApplicationStatus"]["enum"]) == STATUSES
    assert tuple(schemas["ComplaintStatus"]["enum"]) == COMPLAINT_STATUSES
    assert tuple(schemas["DepartmentStatus"]["enum"]) == DEPARTMENT_STATUSES
    for statuses in (STATUSES, COMPLAINT_STATUSES, DEPARTMENT_STATUSES):
        assert enums.count(statuses) == 1, statuses


def walk(*values):
    """Every mapping in these values."""
    for value in values:
        if isinstance(value, dict):
            yield value
            yield from walk(*value.values())
        elif isinstance(value, list):
            yield from walk(*value)


def config_for(furnished) -> str:
    """A generated cursor is rejected although it is text; the numbers are those of existing records."""
    kinds = {"Application": furnished.applications[1], "Complaint": furnished.complaints[1]}
    numbers = {"Application": "tracking_number", "Complaint": "complaint_number"}
    asked = [
        A_NUMBER.format(f"{verb}{kind}", numbers[kind], kinds[kind]) for verb in ("read", "move") for kind in kinds
    ]
    changes = [A_CHANGE.format(f"move{kind}") for kind in kinds]
    return "".join([*map(A_CURSOR.format, LISTS), *asked, *changes, A_NOTICE.format(furnished.network_key)])


async def test_nothing_is_answered_that_openapi_json_does_not_say(department_with_records, tmp_path):
    config, office = tmp_path / "schemathesis.toml", department_with_records.client
    config.write_text(config_for(department_with_records))
    address = f"{office.url}/api/v1"

    ran = await asyncio.create_subprocess_exec(
        *(str(SCHEMATHESIS), "--config-file", str(config), "run", f"{address}/openapi.json", "--url", address),
        *("--header", f"Authorization: Bearer {office.key}", *RUN),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(ran.communicate(), MOST)

    assert ran.returncode == 0, said.decode()
    assert "9 passed" in said.decode()
    assert "warning" not in said.decode().lower(), said.decode()
