"""An e-mail address from a keypad to a receipt: typed, shown, verified by a link in a real letter, changed, taken back."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.certificates import build_tls_context, create_certificate
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.phone import UNREACHABLE_REDIS_URL, Phone, build_settings, run_gateway
from tests.support.smtp_server import (
    LOGIN_NAME,
    PASSWORD,
    FakeSmtpServer,
    check_login,
    run_smtp_server,
)

ADDRESS = "amina.begum@example.org"
MENU = (
    "My account\n1 My applications\n2 Change my PIN\n3 Sign out\n4 E-mail\n5 My profile\n6 Security questions\n0 Back"
)
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@dataclass
class MailContext:
    """A phone, its gateway, and the post office that takes the gateway's mail."""

    phone: Phone
    smtp_server: FakeSmtpServer

    async def link(self) -> str:
        """The link in the newest letter that asks for one, on the gateway that this test runs."""
        email = await self.smtp_server.wait_for_email("/d/")
        found = re.search(r"http\S+(/d/\w+)", email.get_content())
        assert found
        return self.phone.url + found[1]

    async def open_link(self, link: str) -> tuple[int, str]:
        """What a browser is shown."""
        async with self.phone.http.get(link, headers=BROWSER, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def press_button(self, link: str) -> tuple[int, str]:
        """What it is shown when the button is pressed."""
        async with self.phone.http.post(link, headers=BROWSER, allow_redirects=False) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def mail_context(tmp_path: Path) -> AsyncIterator[MailContext]:
    """Everything encrypted, with a login, as in real life."""
    pem = create_certificate(tmp_path)
    office = {"auth_required": True, "authenticator": check_login}
    known = {"MAIL__CERTIFICATES": str(pem), "MAIL__USERNAME": LOGIN_NAME, "MAIL__PASSWORD": PASSWORD}
    async with run_smtp_server(starttls=build_tls_context(pem), **office) as smtp_server:
        settings = build_settings(tmp_path, **{**smtp_server.settings, "MAIL__SECURITY": "starttls", **known})
        async with run_gateway(settings) as url, ClientSession() as http:
            yield MailContext(Phone(http, url), smtp_server)


async def enter_address(phone: Phone, typed: str = ADDRESS) -> str:
    """From the account's menu to the screen that says a link is on its way."""
    await phone.enter("4", typed)
    return await phone.enter("1", PIN)


async def test_an_address_is_shown_as_it_was_understood_before_anything_is_sent(mail_context: MailContext) -> None:
    assert await register(mail_context.phone) == MENU
    assert await mail_context.phone.enter("4") == "Type your e-mail address, such as name@example.com\n0 Back"
    assert (await mail_context.phone.enter("amina at example")).startswith("An address looks like name@example.com\n")
    screen = await mail_context.phone.enter("Amina.Begum@Example,ORG ")
    assert screen == f"{ADDRESS}\nIs this right?\n1 Yes, send the link\n2 Type it again\n0 Back"
    assert (await mail_context.phone.enter("2")).startswith("Type your e-mail address")
    assert (await mail_context.phone.enter(ADDRESS, "1")).startswith("To set your e-mail, type your current PIN\n")
    assert not mail_context.smtp_server.received_emails
    assert (await mail_context.phone.enter(PIN)).startswith(f"A link is on its way to {ADDRESS}.")
    assert await mail_context.phone.enter("1") == MENU
    assert (await mail_context.smtp_server.wait_for_email("confirm"))["To"] == ADDRESS
    assert len(mail_context.smtp_server.received_emails) == 1


async def test_looking_at_the_link_verifies_nothing_and_pressing_the_button_does(mail_context: MailContext) -> None:
    await register(mail_context.phone)
    await enter_address(mail_context.phone)
    link = await mail_context.link()
    for _ in range(3):
        status, page = await mail_context.open_link(link)
        assert (status, f"Is {ADDRESS} your e-mail address?" in page) == (200, True)
    assert (await mail_context.phone.enter("1", "4")).startswith(f"{ADDRESS}\nNot confirmed yet")
    status, page = await mail_context.press_button(link)
    assert (status, "Thank you." in page) == (200, True)
    assert (await mail_context.phone.enter("00", "5", "4")).startswith(f"{ADDRESS}\nTracking numbers come here")


async def test_a_receipt_comes_to_a_verified_address_and_to_no_other(mail_context: MailContext) -> None:
    await register(mail_context.phone)
    await enter_address(mail_context.phone)
    link = await mail_context.link()
    before = await apply_for_birth_certificate(mail_context.phone)
    await mail_context.press_button(link)
    await mail_context.phone.dial()
    await mail_context.phone.enter("5", PIN)
    number = await apply_for_birth_certificate(mail_context.phone)
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    email = await mail_context.smtp_server.wait_for_email(shown)
    assert email["Subject"] == f"Ekdial: application for Birth certificate received, {shown}"
    assert f"Tracking number: {shown}" in email.get_content()
    assert email["Reply-To"] == "support@mygov.bd"
    assert [before[:4] in one.get_content() for one in mail_context.smtp_server.received_emails] == [False, False]


@pytest.mark.parametrize(("key", "language"), [("2", "bn"), ("3", "hi")])
async def test_letters_and_the_page_are_in_the_citizens_language(
    mail_context: MailContext, key: str, language: str
) -> None:
    await register(mail_context.phone, key)
    await enter_address(mail_context.phone)
    email = await mail_context.smtp_server.wait_for_email("/d/")
    assert (
        email["Subject"]
        == {"bn": "একডায়াল: আপনার ই-মেইল ঠিকানা নিশ্চিত করুন", "hi": "एकडायल: अपना ई-मेल पता पक्का करें"}[language]
    )
    _, page = await mail_context.open_link(await mail_context.link())
    assert f'<html lang="{language}">' in page
    assert {"bn": "হ্যাঁ, আমার", "hi": "हाँ, मेरा है"}[language] in page


async def test_a_link_that_was_overtaken_says_so(mail_context: MailContext) -> None:
    await register(mail_context.phone)
    await enter_address(mail_context.phone)
    old = await mail_context.link()
    await mail_context.phone.enter("1", "4", "2", "amina@example.com", "1", PIN)
    await mail_context.smtp_server.wait_for_email("/d/")
    assert (await mail_context.open_link(old))[0] == 410
    assert (await mail_context.press_button(old))[0] == 410


async def test_another_link_another_address_and_none(mail_context: MailContext) -> None:
    await register(mail_context.phone)
    await enter_address(mail_context.phone)
    assert (await mail_context.phone.enter("1", "4", "1")).startswith("A link is on its way")
    assert (await mail_context.phone.enter("1", "4", "3")).startswith("To remove your e-mail, type your current PIN\n")
    assert (await mail_context.phone.enter(PIN)).startswith("Nothing more will be sent to this address.")
    assert (await mail_context.phone.enter("1", "4")).startswith("Type your e-mail address")


async def test_links_come_to_an_end(mail_context: MailContext) -> None:
    await register(mail_context.phone)
    await enter_address(mail_context.phone)
    for _ in range(4):
        assert (await mail_context.phone.enter("1", "4", "1")).startswith("A link is on its way")
    assert (await mail_context.phone.enter("1", "4", "1")).startswith("No more links can be sent today.")


@pytest.mark.africastalking_wire("without its sessions a store makes it replay the path")
async def test_a_path_that_is_heard_again_by_a_gateway_that_forgot_ends_where_it_was(tmp_path: Path) -> None:
    """Redis is away all the time: each hop is answered from the whole path."""
    async with run_smtp_server() as smtp_server:
        settings = build_settings(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL, **smtp_server.settings)
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url)
            await register(phone)
            assert (await enter_address(phone)).startswith(f"A link is on its way to {ADDRESS}.")
            assert (await phone.enter("1", "4")).startswith(f"{ADDRESS}\nNot confirmed yet")
            assert (await phone.enter("3", PIN)).startswith("Nothing more will be sent to this address.")
            assert (await phone.enter("1", "4")).startswith("Type your e-mail address")
            await smtp_server.wait_for_email("/d/")
    assert len(smtp_server.received_emails) == 1


async def test_where_no_server_takes_mail_none_is_offered(phone: Phone) -> None:
    assert await register(phone) == MENU.replace("\n4 E-mail", "")


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_link_that_never_was_is_gone(mail_context: MailContext, method: str) -> None:
    async with mail_context.phone.http.request(
        method, f"{mail_context.phone.url}/d/{'a' * 17}", headers=BROWSER
    ) as answer:
        assert answer.status == 410
        assert "no-store" in answer.headers["Cache-Control"]


async def test_the_page_runs_nothing_and_asks_nobody_else(mail_context: MailContext) -> None:
    await register(mail_context.phone)
    await enter_address(mail_context.phone)
    async with mail_context.phone.http.get(await mail_context.link(), headers=BROWSER) as answer:
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert not re.search(r"<script|src=|href=|http", page)
