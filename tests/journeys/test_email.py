"""An e-mail address from a keypad to a receipt: typed, shown, verified by a link in a real letter, changed, taken back."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.journeys.steps import PIN, applies, registers
from tests.mail.post_office import NAME, PASSWORD, Office, certificate, may_come_in, open_office, serves_with
from tests.phone import NOBODY_LISTENS_HERE, Phone, running, settings_for

ADDRESS = "amina.begum@example.org"
MENU = "My account\n1 My applications\n2 Change my PIN\n3 Sign out\n4 E-mail\n5 My profile\n0 Back"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@dataclass
class Town:
    """A phone, its gateway, and the post office that takes the gateway's mail."""

    phone: Phone
    post: Office

    async def link(self) -> str:
        """The link in the newest letter that asks for one, on the gateway that this test runs."""
        letter = await self.post.letter("/d/")
        found = re.search(r"http\S+(/d/\w+)", letter.get_content())
        assert found
        return self.phone.url + found[1]

    async def opens(self, link: str) -> tuple[int, str]:
        """What a browser is shown."""
        async with self.phone.http.get(link, headers=BROWSER, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def presses(self, link: str) -> tuple[int, str]:
        """What it is shown when the button is pressed."""
        async with self.phone.http.post(link, headers=BROWSER, allow_redirects=False) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Everything encrypted, with a login, as in real life."""
    pem = certificate(tmp_path)
    office = {"auth_required": True, "authenticator": may_come_in}
    known = {"MAIL__CERTIFICATES": str(pem), "MAIL__USERNAME": NAME, "MAIL__PASSWORD": PASSWORD}
    async with open_office(starttls=serves_with(pem), **office) as post:
        settings = settings_for(tmp_path, **{**post.settings, "MAIL__SECURITY": "starttls", **known})
        async with running(settings) as url, ClientSession() as http:
            yield Town(Phone(http, url), post)


async def gives_address(phone: Phone, typed: str = ADDRESS) -> str:
    """From the account's menu to the screen that says a link is on its way."""
    await phone.types("4", typed)
    return await phone.types("1")


async def test_an_address_is_shown_as_it_was_understood_before_anything_is_sent(town: Town) -> None:
    assert await registers(town.phone) == MENU
    assert await town.phone.types("4") == "Type your e-mail address, such as name@example.com\n0 Back"
    assert (await town.phone.types("amina at example")).startswith("An address looks like name@example.com\n")
    screen = await town.phone.types("Amina.Begum@Example,ORG ")
    assert screen == f"{ADDRESS}\nIs this right?\n1 Yes, send the link\n2 Type it again\n0 Back"
    assert (await town.phone.types("2")).startswith("Type your e-mail address")
    assert (await town.phone.types(ADDRESS, "1")).startswith(f"A link is on its way to {ADDRESS}.")
    assert await town.phone.types("1") == MENU
    assert (await town.post.letter("confirm"))["To"] == ADDRESS
    assert len(town.post.letters) == 1


async def test_looking_at_the_link_verifies_nothing_and_pressing_the_button_does(town: Town) -> None:
    await registers(town.phone)
    await gives_address(town.phone)
    link = await town.link()
    for _ in range(3):
        status, page = await town.opens(link)
        assert (status, f"Is {ADDRESS} your e-mail address?" in page) == (200, True)
    assert (await town.phone.types("1", "4")).startswith(f"{ADDRESS}\nNot confirmed yet")
    status, page = await town.presses(link)
    assert (status, "Thank you." in page) == (200, True)
    assert (await town.phone.types("00", "5", "4")).startswith(f"{ADDRESS}\nTracking numbers come here")


async def test_a_receipt_comes_to_a_verified_address_and_to_no_other(town: Town) -> None:
    await registers(town.phone)
    await gives_address(town.phone)
    link = await town.link()
    before = await applies(town.phone)
    await town.presses(link)
    await town.phone.dials()
    await town.phone.types("5", PIN)
    number = await applies(town.phone)
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    letter = await town.post.letter(shown)
    assert letter["Subject"] == f"Ekdial: Birth certificate received, {shown}"
    assert f"Tracking number: {shown}" in letter.get_content()
    assert letter["Reply-To"] == "support@mygov.bd"
    assert [before[:4] in one.get_content() for one in town.post.letters] == [False, False]


@pytest.mark.parametrize(("key", "language"), [("2", "bn"), ("3", "hi")])
async def test_letters_and_the_page_are_in_the_citizens_language(town: Town, key: str, language: str) -> None:
    await registers(town.phone, key)
    await gives_address(town.phone)
    letter = await town.post.letter("/d/")
    assert (
        letter["Subject"]
        == {"bn": "একডায়াল: আপনার ই-মেইল ঠিকানা নিশ্চিত করুন", "hi": "एकडायल: अपना ई-मेल पता पक्का करें"}[language]
    )
    _, page = await town.opens(await town.link())
    assert f'<html lang="{language}">' in page
    assert {"bn": "হ্যাঁ, আমার", "hi": "हाँ, मेरा है"}[language] in page


async def test_a_link_that_was_overtaken_says_so(town: Town) -> None:
    await registers(town.phone)
    await gives_address(town.phone)
    old = await town.link()
    await town.phone.types("1", "4", "2", "amina@example.com", "1")
    await town.post.letter("/d/")
    assert (await town.opens(old))[0] == 410
    assert (await town.presses(old))[0] == 410


async def test_another_link_another_address_and_none(town: Town) -> None:
    await registers(town.phone)
    await gives_address(town.phone)
    assert (await town.phone.types("1", "4", "1")).startswith("A link is on its way")
    assert (await town.phone.types("1", "4", "3")).startswith("Nothing more will be sent to this address.")
    assert (await town.phone.types("1", "4")).startswith("Type your e-mail address")


async def test_links_come_to_an_end(town: Town) -> None:
    await registers(town.phone)
    await gives_address(town.phone)
    for _ in range(4):
        assert (await town.phone.types("1", "4", "1")).startswith("A link is on its way")
    assert (await town.phone.types("1", "4", "1")).startswith("Enough links were sent for today.")


async def test_a_path_that_is_heard_again_by_a_gateway_that_forgot_ends_where_it_was(tmp_path: Path) -> None:
    """Redis is away all the time: each hop is answered from the whole path."""
    async with open_office() as post:
        settings = settings_for(tmp_path, REDIS__URL=NOBODY_LISTENS_HERE, **post.settings)
        async with running(settings) as url, ClientSession() as http:
            phone = Phone(http, url)
            await registers(phone)
            assert (await gives_address(phone)).startswith(f"A link is on its way to {ADDRESS}.")
            assert (await phone.types("1", "4")).startswith(f"{ADDRESS}\nNot confirmed yet")
            assert (await phone.types("3")).startswith("Nothing more will be sent to this address.")
            assert (await phone.types("1", "4")).startswith("Type your e-mail address")
            await post.letter("/d/")
    assert len(post.letters) == 1


async def test_where_no_server_takes_mail_none_is_offered(phone: Phone) -> None:
    assert await registers(phone) == MENU.replace("\n4 E-mail", "")


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_link_that_never_was_is_gone(town: Town, method: str) -> None:
    async with town.phone.http.request(method, f"{town.phone.url}/d/{'a' * 17}", headers=BROWSER) as answer:
        assert answer.status == 410
        assert "no-store" in answer.headers["Cache-Control"]


async def test_the_page_runs_nothing_and_asks_nobody_else(town: Town) -> None:
    await registers(town.phone)
    await gives_address(town.phone)
    async with town.phone.http.get(await town.link(), headers=BROWSER) as answer:
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert not re.search(r"<script|src=|href=|http", page)
