"""docs/helpdesk.md is followed word by word, beside a gateway that runs: each command prints what the page says."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import apply_for_birth_certificate, register
from tests.support.commands import citizen_command
from tests.support.phone import ROOT, Phone, build_settings, run_gateway
from web.console.words import load_words

PAGE = ROOT / "docs" / "helpdesk.md"
TRACKING_OF_THE_PAGE, OLD_NUMBER, NEW_NUMBER = "2341 2341 2346", "+8801711000001", "+8801711000002"
OMITTED = "…"


class Example(NamedTuple):
    """The commands of a block, and the lines that the page shows after it."""

    commands: list[list[str]]
    output: list[str]


def examples() -> list[Example]:
    """The blocks of `citizen` commands of the page with their outputs, in its order."""
    blocks = re.findall(
        r"```sh\n(python server\.py citizen .*?)```(?:\n\n```\n(.*?)```)?", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    return [
        Example(
            [shlex.split(line.partition("citizen ")[2]) for line in commands.splitlines()],
            output.splitlines(),
        )
        for commands, output in blocks
    ]


def normalize(line: str) -> str:
    """The line without what differs from day to day: digits, and how wide a column is."""
    return re.sub(r"\s+", " ", re.sub(r"\d", "0", line)).strip()


def find_missing(shown: list[str], printed: str) -> list[str]:
    """The lines of the page that are not printed in this order; OMITTED stands for any lines."""
    rest, missing = [normalize(line) for line in printed.splitlines()], []
    for line in shown:
        if line == OMITTED:
            continue
        if normalize(line) in rest:
            rest = rest[rest.index(normalize(line)) + 1 :]
        else:
            missing.append(line)
    return missing


@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_every_command_of_the_page_prints_what_it_says(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    notices = re.search(r"```\n(number,taken_on\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert notices
    (tmp_path / "notices.csv").write_text(notices[1])
    done = []
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, OLD_NUMBER)
        await register(phone)
        number = (await apply_for_birth_certificate(phone),)
        await phone.wait_for_sms("Tracking")
        for example in examples():
            printed = ""
            for command in example.commands:
                text = shlex.join(command).replace(TRACKING_OF_THE_PAGE, *number)
                given = [str(tmp_path / one) if one == "notices.csv" else one for one in shlex.split(text)]
                printed += await citizen_command(settings, *given)
                done.append(command[0])
                if command[0] == "release" and "--file" not in command:
                    await phone.redial()
                    assert "please register" in await phone.enter("1", "5"), "somebody else has the number now"
            assert find_missing(example.output, printed) == [], printed
        new_phone = Phone(http, url, NEW_NUMBER)
        await new_phone.dial()
        await new_phone.enter("1", "5")
        assert await new_phone.wait_for_sms("your account now has this number")
    assert done == [
        *("show", "reveal", "reset-pin", "messages", "resend", "show", "sign-out", "reset-questions"),
        *("freeze", "unfreeze", "release", "attach", "release"),
    ]


def test_the_page_walks_the_five_calls_of_finding_8() -> None:
    headings = re.findall(r"^## (\d)\. (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [number for number, _ in headings] == list("12345")


def test_every_button_and_list_that_the_page_names_is_in_the_console() -> None:
    words = load_words("en")
    labels = {text.source for key, text in words.items() if key.startswith(("citizens.", "messages."))}
    paragraphs = [one for one in PAGE.read_text(encoding="utf-8").split("\n\n") if "console" in one]
    named = {" ".join(name.split()) for one in paragraphs for name in re.findall(r"“([^”]+)”", one)}
    assert len(named) > 10
    assert named - labels == set()
