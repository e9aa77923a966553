"""docs/departments.md, "Try it in five minutes": the commands of the page, one after the other, on a real gateway."""

import re
import shlex
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.support.program import SECRET, run_program, run_server
from tests.support.servers import free_port
from tests.unit.web.api.test_departments_docs import PAGE, run_with_client, run_with_curl

SECTION = re.compile(r"## Try it in five minutes\n(.*?)\n## ", re.DOTALL)
RUNS = [
    pytest.param(run_with_curl, marks=pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")),
    run_with_client,
]


def read_section():
    return SECTION.search(PAGE.read_text(encoding="utf-8"))[1]


def read_block(kind):
    return re.search(rf"```{kind}\n(.*?)\n```", read_section(), re.DOTALL)[1]


def without_values(output):
    """The output without the numbers, keys, days and requests of one run."""
    output = re.sub(r"^curl .*$", "curl …", output.strip(), flags=re.MULTILINE)
    output = re.sub(r"ek_[0-9a-f]{8}_[\w…-]+", "KEY", output)
    output = re.sub(r"\d{4}-\d\d-\d\d", "DAY", output)
    output = re.sub(r"^Application \d{12}", "Application NUMBER", output)
    return re.sub(r"127\.0\.0\.1:\d+", "HOST", output)


def list_requests(output):
    """Each request of the output by its title."""
    return dict(re.findall(r"^# (.*)\n(curl .*)$", output, re.MULTILINE))


def list_responses():
    """The status that the table of the page has for each request, by its title."""
    return {
        title: int(status) for title, status in re.findall(r"^\| ([A-Z].*?) \| (\d+), ", read_section(), re.MULTILINE)
    }


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
async def test_the_commands_of_the_page_answer_as_it_says(tmp_path, run):
    values = {"SERVER__PORT": str(free_port()), "KEYS__SECRET": SECRET}
    python, program, *arguments = shlex.split(read_block("sh try"))
    assert (python, program) == (".venv/bin/python", "server.py")

    tried = run_program(tmp_path, *arguments, **values)

    assert (tried.returncode, tried.stderr) == (0, "")
    assert without_values(tried.stdout) == without_values(read_block("text tried"))
    requests = list_requests(tried.stdout)
    assert list(requests) == list(list_responses())
    number = re.match(r"Application (\d{12})", tried.stdout)[1]
    with run_server(tmp_path, **values) as gateway:
        assert gateway.url.endswith(values["SERVER__PORT"])
        answers = {}
        for title, request in requests.items():
            status, answers[title] = await run(request, {}, tmp_path)
            assert status == list_responses()[title], answers[title]
        again, repeated = await run(requests["Change its status"], {}, tmp_path)

    listed, read, moved = answers.values()
    assert [one["tracking_number"] for one in listed["items"]] == [number]
    assert (read["tracking_number"], read["status"]) == (number, "received")
    assert all(read["form"].values())
    assert read["applicant"]["name"]
    assert (moved["status"], again, repeated) == ("under_review", 200, moved)
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        sent = [kind for (kind,) in database.execute("SELECT kind FROM messages ORDER BY id")]
    assert sent == ["pin", "receipt", "status"]
