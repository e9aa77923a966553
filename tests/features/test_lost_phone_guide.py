"""docs/how-to/lost-phone.md is followed word by word, beside a gateway that runs."""

import re
import shlex
from pathlib import Path

from aiohttp import ClientSession

from tests.support.citizen_command import citizen_command
from tests.support.citizen_steps import PIN, register
from tests.support.phone import ROOT, Phone, build_settings, run_gateway

PAGE = ROOT / "docs" / "how-to" / "lost-phone.md"
ACCOUNT_OF_THE_PAGE, OLD_NUMBER, NEW_NUMBER = "12", "+8801711000001", "+8801711000002"


def commands() -> list[list[str]]:
    """The arguments of each `citizen` command of the page, in its order."""
    lines = re.findall(r"^python server\.py citizen (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line) for line in lines]


async def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    notices = re.search(r"```\n(number,taken_on\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "notices.csv").write_text(notices[1])
    done = []
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, OLD_NUMBER)
        await register(phone)
        for arguments in commands():
            given = ["1" if one == ACCOUNT_OF_THE_PAGE else one for one in arguments]
            given = [str(tmp_path / one) if one == "notices.csv" else one for one in given]
            assert await citizen_command(settings, *given)
            done.append(arguments[0])
            if done[-1] == "release" and "--file" not in arguments:
                await phone.dial()
                assert "Register" in await phone.enter("1", "5"), "somebody else has the number now"
        new_phone = Phone(http, url, NEW_NUMBER)
        await new_phone.dial()
        await new_phone.enter("1")
        assert "You have no security questions yet" in await new_phone.enter("5", PIN)
    assert done == ["show", "freeze", "unfreeze", "release", "attach", "release", "sign-out", "reset-questions"]
