"""The first administrator of a gateway that only its own machine reaches."""

import pytest
from aiohttp import ClientSession, DummyCookieJar

from app.first_sign_in import FIRST_SIGN_IN
from tests.support.console import StaffBrowser
from tests.support.phone import PUBLIC_SETTINGS, build_settings, run_gateway, running_app

NEW = "tea with four old crows"


@pytest.fixture
async def http():
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        yield http


async def test_the_password_is_printed_at_each_start_until_it_is_changed(tmp_path, http):
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url:
        printed = running_app(url)[FIRST_SIGN_IN]
    async with run_gateway(settings) as url:
        assert running_app(url)[FIRST_SIGN_IN] == printed
        login, password = printed.removeprefix("sign in as ").split(" with ")
        browser = await StaffBrowser(http, url).sign_in(login, password)
        assert "Administrator" in browser.text
        await browser.post("/console/account/password", {"old": password, "new": NEW, "again": NEW})
        assert "The password is changed" in browser.text
    assert (tmp_path / "console-password").stat().st_mode & 0o077 == 0
    async with run_gateway(settings) as url:
        assert running_app(url)[FIRST_SIGN_IN] == ""
    assert not (tmp_path / "console-password").exists()


@pytest.mark.parametrize(
    "values", [PUBLIC_SETTINGS, {"CONSOLE__ENABLED": "false"}], ids=["public", "without a console"]
)
async def test_no_other_gateway_has_one(tmp_path, http, values):
    async with run_gateway(build_settings(tmp_path, **values)) as url:
        assert running_app(url)[FIRST_SIGN_IN] == ""
        assert not (tmp_path / "console-password").exists()
        if "CONSOLE__ENABLED" in values:
            assert (await StaffBrowser(http, url).open("/console/sign-in")).status == 404
