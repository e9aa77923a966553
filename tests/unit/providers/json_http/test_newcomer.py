"""Whoever follows docs/how-to/add-a-json-provider.md word by word has a provider that works, without a line of code."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import ClientSession

from app.settings import load_settings
from tests.support.databases import migrated_sqlite_url
from tests.support.phone import ROOT, run_gateway
from tests.support.program import run_program_file

PAGE = (ROOT / "docs/how-to/add-a-json-provider.md").read_text(encoding="utf-8")
FOLDER = "/etc/ekdial/rows"
"""The folder on the page; the test has another one."""

_find_blocks = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL).findall
BLOCKS = _find_blocks(PAGE)
ROW, SAMPLE, SETTINGS = (text for language, text in BLOCKS if language == "toml")
(FAULT,) = (text for language, text in BLOCKS if language == "text")
CHECK, CALLS = (text for language, text in BLOCKS if language == "console")


class Exchange(NamedTuple):
    """A request of the page, and the response that stands below it."""

    body: str
    path: str
    response: str


def read_calls() -> list[Exchange]:
    """The lines of the page that call curl, each with the line that follows."""
    lines = CALLS.strip().split("\n")
    found = []
    for command, response in zip(lines[::2], lines[1::2], strict=True):
        words = shlex.split(command.removeprefix("$ curl "))
        found.append(Exchange(words[words.index("-d") + 1], words[-1].removeprefix("http://127.0.0.1:8080"), response))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the settings of the page, and in `rows` its files, under the names that it gives them."""
    names = re.findall(rf"`{FOLDER}/([\w.]+)`", PAGE)
    assert names == ["acme.toml", "acme.ussd.toml"]
    (tmp_path / "rows").mkdir()
    for name, text in zip(names, (ROW, SAMPLE), strict=True):
        (tmp_path / "rows" / name).write_text(text, encoding="utf-8")
    (tmp_path / "config.toml").write_text(SETTINGS.replace(FOLDER, str(tmp_path / "rows")), encoding="utf-8")
    return tmp_path


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """The page's command, with the settings in the folder."""
    assert CHECK == "$ python server.py check\n"
    return run_program_file(folder, "--config", str(folder / "config.toml"), "check")


async def test_the_row_of_the_page_answers_as_the_page_says(folder: Path) -> None:
    checked = check(folder)
    assert (checked.returncode, checked.stderr) == (0, "")
    environment = {
        "EKDIAL_SERVER__DATA_DIR": str(folder),
        "EKDIAL_DATABASE__URL": migrated_sqlite_url(folder / "ekdial.db"),
    }
    calls = read_calls()
    assert len(calls) == 2
    async with run_gateway(load_settings(folder / "config.toml", environment)) as url, ClientSession() as http:
        for call in calls:
            headers = {"Content-Type": "application/json"}
            async with http.post(f"{url}{call.path}", data=call.body, headers=headers) as response:
                assert (response.status, await response.text()) == (200, call.response)
                assert json.loads(call.response)["more"] is True


async def test_the_fault_of_the_page_is_told_as_the_page_says(folder: Path) -> None:
    row = folder / "rows/acme.toml"
    row.write_text(ROW.replace("more = false", "more = true"), encoding="utf-8")
    checked = check(folder)
    assert checked.returncode == 2
    assert checked.stderr.strip() == FAULT.strip().replace(FOLDER, "rows"), (
        "a path below the current folder is relative"
    )


async def test_every_key_of_a_row_is_on_the_page_about_rows() -> None:
    from providers.json_http.ussd_row import ReplyForms, RequestFields, Screen, UssdRow
    from providers.json_http.ussd_sample import SampleStep

    page = (ROOT / "docs/providers/json.md").read_text(encoding="utf-8")
    for model in (UssdRow, RequestFields, Screen, ReplyForms, SampleStep):
        for name in model.model_fields:
            assert f"`{name}`" in page or f"[ussd.{name}]" in page, name


async def test_every_row_has_a_page_which_names_it() -> None:
    from providers.json_http.provider_rows import find_rows, load_row

    for name, path in find_rows("").items():
        if load_row(path).ussd is not None:
            text = (ROOT / f"docs/providers/{name}.md").read_text(encoding="utf-8")
            assert f"[providers.json.{name}]" in text
            assert f"/ussd/{name}?token=" in text
            assert "## Ask them" in text
