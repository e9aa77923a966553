"""docs/departments.md: every example on it is run as it is written, and answered as it says."""

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

PAGE = Path(__file__).parents[2] / "docs" / "departments.md"
EXAMPLE = re.compile(r"```sh run\n(?P<command>.*?)```\n+```json (?P<status>\d+)\n(?P<answer>.*?)```", re.DOTALL)
STATUS = 'write-out = "\\n%{http_code}"\nsilent\nshow-error\n'  # beside what an example says
FREE = {"form", "note"}  # whose keys are the catalogue's, or a department's


def examples():
    found = [match.groupdict() for match in EXAMPLE.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(found) == PAGE.read_text(encoding="utf-8").count("```sh run"), "an example has no answer"
    return found


def shape(value):
    """Which keys there are and of what kind their values, wherever something is said."""
    if isinstance(value, dict):
        return {key: type(one).__name__ if key in FREE else shape(one) for key, one in value.items()}
    return (
        [shape(one) for one in value] if isinstance(value, list) else value if value is None else type(value).__name__
    )


def alike(written, answered):
    """Whether an answer is as the page says; what may be null may be there as well."""
    if written is None or answered is None:
        return True
    if isinstance(written, dict) and isinstance(answered, dict):
        return written.keys() == answered.keys() and all(alike(written[key], answered[key]) for key in written)
    if isinstance(written, list) and isinstance(answered, list):
        return len(written) == len(answered) and all(map(alike, written, answered))
    return written == answered


async def by_curl(command, variables, folder):
    """As a person would run it."""
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


async def by_request(command, variables, _):
    """The same request, where there is no curl."""
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


@pytest.mark.parametrize("run", [pytest.param(by_curl, marks=no_curl), by_request])
async def test_every_example_of_the_page_is_answered_as_it_says(furnished, tmp_path, run):
    variables = {
        "HOST": furnished.office.url,
        "KEY": furnished.office.key,
        "NUMBER": furnished.applications[2],
        "COMPLAINT": furnished.complaints[2],
    }

    for example in examples():
        status, answer = await run(example["command"], variables, tmp_path)

        written = json.loads(example["answer"])
        assert status == int(example["status"]), (example["command"], answer)
        assert alike(shape(written), shape(answer)), (example["command"], shape(answer))


def test_the_page_names_every_operation_and_every_status_that_openapi_json_has(described):
    page = PAGE.read_text(encoding="utf-8")
    statuses = {status for path in described["paths"].values() for one in path.values() for status in one["responses"]}

    for path in described["paths"]:
        assert (
            f"$HOST/api/v1{path}".replace("{tracking_number}", "$NUMBER").replace("{complaint_number}", "$COMPLAINT")
            in page
        )
    assert {status for status in statuses if f"| {status} |" not in page} == {"200", "201"}
