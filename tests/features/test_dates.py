"""Dates that are typed: what is wrong is told, with an example that a keypad has. Finding 2.5 of the field report."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core.languages import LOCALE_CODES
from menus.rendering.localization import LOCALES_FOLDER
from services.catalogue.loader import DATA_FOLDER
from tests.support.citizen_steps import open_birth_certificate, register
from tests.support.phone import Phone, build_settings, run_gateway

FILES = [*(LOCALES_FOLDER / f"{form}.toml" for form in LOCALE_CODES), *sorted(DATA_FOLDER.glob("*.toml"))]
NO_SUCH_DAY = "There is no such day. Type it as 21111990\n"


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        yield Phone(http, url)


async def test_each_wrong_date_is_told_what_is_wrong_with_it(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    asked = await phone.enter("Rahim Uddin")
    assert re.match(r"2/5 .*like 21111990\n", asked)
    for typed, told in (
        ("31022020", NO_SUCH_DAY),
        ("32011990", NO_SUCH_DAY),
        ("2111", "Type it as 21111990\n"),
        ("21112999", "That day has not come yet\n"),
        ("21111190", "Not before 1 Jan 1900, please\n"),
    ):
        assert await phone.enter(typed) == told + asked, typed
    assert (await phone.enter("21/11/2020")).startswith("3/5 ")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_example_of_a_date_has_digits_only(file: Path) -> None:
    dashed = [
        line for line in file.read_text(encoding="utf-8").splitlines() if re.search(r"\d{2}[-/.]\d{2}[-/.]\d{4}", line)
    ]
    assert [line for line in dashed if not line.startswith("#")] == []
