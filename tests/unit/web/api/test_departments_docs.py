"""docs/departments.md: every example is executed, and the response matches the page."""

import asyncio
import json
import os
import re
import shlex
import shutil
from pathlib import Path
from string import Template

import pytest
from aiohttp import ClientSession

PAGE = Path(__file__).parents[4] / "docs" / "departments.md"
EXAMPLE = re.compile(r"```sh run\n(?P<command>.*?)```\n+```json (?P<status>\d+)\n(?P<answer>.*?)```", re.DOTALL)
STATUS = 'write-out = "\\n%{http_code}"\nsilent\nshow-error\n'  # added to the options of an example
FREE = {"form", "note"}  # their keys come from the catalogue or the department


def examples():
    found = [match.groupdict() for match in EXAMPLE.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(found) == PAGE.read_text(encoding="utf-8").count("```sh run"), "an example has no answer"
    return found


def shape(value):
    """The keys of a value and the types of their values."""
    if isinstance(value, dict):
        return {key: type(one).__name__ if key in FREE else shape(one) for key, one in value.items()}
    return (
        [shape(one) for one in value] if isinstance(value, list) else value if value is None else type(value).__name__
    )


def is_alike(text, answered):
    """Whether a response matches the page; null matches any value."""
    if text is None or answered is None:
        return True
    if isinstance(text, dict) and isinstance(answered, dict):
        return text.keys() == answered.keys() and all(is_alike(text[key], answered[key]) for key in text)
    if isinstance(text, list) and isinstance(answered, list):
        return len(text) == len(answered) and all(map(is_alike, text, answered))
    return text == answered


async def run_with_curl(command, variables, folder):
    """Run the command with curl."""
    (folder / ".curlrc").write_text(STATUS)
    ran = await asyncio.create_subprocess_shell(
        command,
        env={**os.environ, **variables, "CURL_HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, wrong = await ran.communicate()
    assert not wrong, wrong.decode()
    body, _, status = out.decode().rpartition("\n")
    return int(status), json.loads(body)


async def run_with_client(command, variables, _):
    """Send the same request where curl is not installed."""
    words = [Template(word).substitute(variables) for word in shlex.split(command.replace("\\\n", " "))]
    assert words[0] == "curl"
    headers, data, rest = {}, None, iter(words[1:])
    for word in rest:
        if word == "--header":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "--data":
            data = next(rest).encode()
        else:
            url = word
    async with (
        ClientSession() as http,
        http.request("POST" if data else "GET", url, headers=headers, data=data) as response,
    ):
        return response.status, await response.json(content_type=None)


no_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed; the same requests are made")


@pytest.mark.parametrize("run", [pytest.param(run_with_curl, marks=no_curl), run_with_client])
async def test_every_example_of_the_page_is_answered_as_it_says(department_with_records, tmp_path, run):
    variables = {
        "HOST": department_with_records.client.url,
        "KEY": department_with_records.client.key,
        "NETWORK_KEY": department_with_records.network_key,
        "NUMBER": department_with_records.applications[2],
        "COMPLAINT": department_with_records.complaints[2],
    }

    for example in examples():
        status, answer = await run(example["command"], variables, tmp_path)

        text = json.loads(example["answer"])
        assert status == int(example["status"]), (example["command"], answer)
        assert is_alike(shape(text), shape(answer)), (example["command"], shape(answer))


def test_the_page_names_every_operation_and_every_status_that_openapi_json_has(openapi_document):
    page = PAGE.read_text(encoding="utf-8")
    statuses = {
        status for path in openapi_document["paths"].values() for one in path.values() for status in one["responses"]
    }

    for path in openapi_document["paths"]:
        assert (
            f"$HOST/api/v1{path}".replace("{tracking_number}", "$NUMBER").replace("{complaint_number}", "$COMPLAINT")
            in page
        )
    assert {status for status in statuses if f"| {status} |" not in page} == {"200", "201"}
