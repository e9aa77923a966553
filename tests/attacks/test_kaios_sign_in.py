"""The sign-in of the page for KaiOS phones: guesses, codes that ring on a stranger's phone, and what a session outlives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import ANSWERS, PIN, register
from tests.support.commands import citizen_command
from tests.support.kaios_phone import KaiosBrowser, open_kaios_http
from tests.support.phone import MSISDN, PUBLIC_SETTINGS, Phone, build_settings, run_gateway

NEW_PIN = "9517"
WHY = ("--why", "ticket 4711", "--by", "nadia")


@asynccontextmanager
async def open_browser(tmp_path: Path, **environment: str) -> AsyncIterator[KaiosBrowser]:
    """A browser at a gateway with these settings, whose database has an account with the PIN."""
    async with run_gateway(build_settings(tmp_path, **environment)) as url, open_kaios_http() as http:
        async with ClientSession() as phone_http:
            await register(Phone(phone_http, url))
        yield KaiosBrowser(http, url)


async def test_one_address_cannot_try_one_pin_for_every_number(tmp_path: Path):
    async with open_browser(tmp_path, KAIOS__FAILURES_PER_ADDRESS="5") as browser:
        for last in range(5):
            await browser.sign_in_with_pin(f"+880171100000{last}", "1793")
            await browser.press("Another number")
        await browser.press("Use my PIN", number=MSISDN)
        assert "There were too many wrong tries" in browser.text
        assert browser.status == 422
        await browser.press("Send me a code by SMS", number=MSISDN)
        assert "There were too many wrong tries" in browser.text


async def test_one_address_cannot_send_codes_to_every_number(tmp_path: Path):
    async with open_browser(tmp_path, KAIOS__CODES_PER_ADDRESS="5") as browser:
        await browser.open("/kaios?lang=en")
        for last in range(5):
            await browser.press("Send me a code by SMS", number=f"+880171100000{last}")
            assert "A 6-digit code" in browser.text
            await browser.press("Another number")
        await browser.press("Send me a code by SMS", number=MSISDN)
        assert "Too many codes were asked for" in browser.text


async def test_a_forged_address_counts_as_the_one_that_sent_it(tmp_path: Path):
    async with open_browser(tmp_path, KAIOS__CODES_PER_ADDRESS="5") as browser:
        await browser.open("/kaios?lang=en")
        for last in range(6):
            browser.sent_headers = {"X-Forwarded-For": f"203.0.113.{last}"}
            await browser.press("Send me a code by SMS", number=f"+880171100000{last}")
            if last < 5:
                await browser.press("Another number")
        assert "Too many codes were asked for" in browser.text


async def test_codes_to_one_number_are_limited_whoever_asks(tmp_path: Path):
    async with open_browser(tmp_path) as browser:
        for _ in range(10):
            stranger = await KaiosBrowser(browser.http, browser.url).open("/kaios?lang=en")
            await stranger.press("Send me a code by SMS", number=MSISDN)
            assert "A 6-digit code" in stranger.text
        stranger = await KaiosBrowser(browser.http, browser.url).open("/kaios?lang=en")
        await stranger.press("Send me a code by SMS", number=MSISDN)
        assert "Too many codes were asked for" in stranger.text
        await browser.sign_in_with_pin(MSISDN, PIN)
        assert browser.is_signed_in


async def test_a_stranger_who_asks_for_codes_takes_none_from_the_owner(tmp_path: Path):
    async with open_browser(tmp_path) as owner:
        await owner.open("/kaios?lang=en")
        code = await owner.ask_code(MSISDN)
        stranger = KaiosBrowser(owner.http, owner.url)
        await stranger.open("/kaios?lang=en")
        strangers_code = await stranger.ask_code(MSISDN)
        assert strangers_code != code
        await owner.press("Sign in", secret=strangers_code)
        assert not owner.is_signed_in
        await owner.press("Sign in", secret=code)
        assert owner.is_signed_in
        await stranger.press("Sign in", secret=code)
        assert not stranger.is_signed_in


async def test_many_guesses_at_the_same_time_are_five(tmp_path: Path):
    async with open_browser(tmp_path) as browser:
        await browser.open("/kaios?lang=en")
        code = await browser.ask_code(MSISDN)
        fields = browser.read_fields("/kaios/prove")
        tabs = [KaiosBrowser(browser.http, browser.url, token=browser.token) for _ in range(12)]
        wrong = [f"{(int(code) + step) % 10**6:06}" for step in range(1, 13)]
        await asyncio.gather(
            *(tab.post("/kaios/prove", {**fields, "secret": one}) for tab, one in zip(tabs, wrong, strict=True))
        )
        await browser.post("/kaios/prove", {**fields, "secret": code})
        assert not browser.is_signed_in


async def test_a_code_works_once(tmp_path: Path):
    async with open_browser(tmp_path) as browser:
        await browser.open("/kaios?lang=en")
        code = await browser.ask_code(MSISDN)
        fields, pending = browser.read_fields("/kaios/prove"), browser.token
        tabs = [KaiosBrowser(browser.http, browser.url, token=pending) for _ in range(4)]
        await asyncio.gather(*(tab.post("/kaios/prove", {**fields, "secret": code}) for tab in tabs))
        assert sum(tab.is_signed_in for tab in tabs) == 1


@pytest.mark.parametrize("verb", ["freeze", "sign-out"])
async def test_a_sign_in_with_the_pin_does_not_outlive_the_helpdesk(tmp_path: Path, verb: str):
    async with open_browser(tmp_path) as browser:
        await browser.sign_in_with_pin(MSISDN, PIN)
        await citizen_command(build_settings(tmp_path), verb, MSISDN, *WHY)
        await browser.press("5 My account")
        assert not browser.screen.startswith("My account")


async def test_a_sign_in_with_the_pin_does_not_outlive_the_pin(tmp_path: Path):
    async with open_browser(tmp_path) as browser, ClientSession() as http:
        await browser.sign_in_with_pin(MSISDN, PIN)
        phone = Phone(http, browser.url)
        await phone.redial()
        await phone.enter("5", PIN, "2", NEW_PIN, NEW_PIN, PIN)
        await browser.press("5 My account")
        assert "You were signed out" in browser.screen


async def test_who_signed_in_with_the_pin_commits_nothing_without_it(tmp_path: Path):
    async with open_browser(tmp_path) as browser:
        await browser.sign_in_with_pin(MSISDN, PIN)
        await browser.enter("00", "1", "1", "1", "1", "1", *ANSWERS, "1")
        assert browser.screen.startswith("To send it, type your current PIN")
        await browser.enter("1793")
        assert "Received" not in browser.screen


async def test_a_public_gateway_serves_it_without_its_webhook_token(tmp_path: Path):
    async with run_gateway(build_settings(tmp_path, **PUBLIC_SETTINGS)) as url, open_kaios_http() as http:
        browser = await KaiosBrowser(http, url).open()
        assert browser.status == 200
        assert browser.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in browser.headers["Content-Security-Policy"]
