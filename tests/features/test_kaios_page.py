"""The menus on a KaiOS phone, in a browser that runs no script."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from db.migrate import upgrade
from tests.support.citizen_steps import ANSWERS, PIN, open_birth_certificate, register, tracking_number_in
from tests.support.kaios_phone import KaiosBrowser, open_kaios_http
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway

FIRST_LOAD_BYTES = 30 * 1024


@pytest.fixture
async def kaios(gateway: str) -> AsyncIterator[KaiosBrowser]:
    """A browser that has opened nothing yet."""
    async with open_kaios_http() as http:
        yield KaiosBrowser(http, gateway)


@pytest.fixture
async def caller(gateway: str) -> AsyncIterator[Phone]:
    """A phone that dials."""
    async with ClientSession() as http:
        yield Phone(http, gateway)


async def test_a_citizen_signs_in_by_code_finds_a_service_and_signs_out(kaios: KaiosBrowser):
    await kaios.sign_in(MSISDN)
    assert kaios.screen == "Ekdial: public services\n1 English\n2 বাংলা\n3 हिन्दी"
    await kaios.press("1 English")
    assert kaios.screen.startswith("Ekdial\n1 Find a service\n2 Track application")
    await kaios.press("1 Find a service")
    await kaios.enter("passport")
    assert "Passport" in kaios.screen
    await kaios.press("00 Main menu")
    assert kaios.screen.startswith("Ekdial\n1 Find a service")
    await kaios.press("Sign out")
    assert "You are signed out" in kaios.text
    assert not (await kaios.open()).is_signed_in


async def test_a_citizen_applies_with_the_pin_and_tracks_the_application_by_phone(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    await kaios.sign_in_with_pin(MSISDN, PIN)
    await kaios.press("5 My account")
    assert kaios.screen.startswith("My account\n1 My applications")
    await open_birth_certificate(kaios)
    await kaios.enter(*ANSWERS)
    await kaios.enter("1")
    assert kaios.screen.startswith("To send it, type your current PIN")
    number = tracking_number_in((await kaios.enter(PIN)).screen)
    await kaios.press("00 Main menu")
    assert kaios.screen.startswith("Ekdial\n1 Find a service")
    await caller.redial()
    assert "Submitted" in await caller.enter("2", number)


async def test_a_number_of_a_country_that_is_not_served_gets_no_code(kaios: KaiosBrowser):
    await kaios.open("/kaios?lang=en")
    await kaios.press("Send me a code by SMS", number="+4915112345678")
    assert kaios.status == 422
    assert "Numbers of that country are not served here." in kaios.text


async def test_the_number_may_be_typed_as_people_write_it(kaios: KaiosBrowser):
    for typed in ("01700-000001", "০১৭০০০০০০০১", "+880 1700 000001"):
        await kaios.open("/kaios?lang=en")
        await kaios.press("Use my PIN", number=typed)
        assert f"the number {MSISDN}" in kaios.text
        await kaios.press("Another number")


async def test_a_wrong_code_may_be_typed_again_and_five_wrong_ones_use_it_up(kaios: KaiosBrowser):
    await kaios.open("/kaios?lang=en")
    code = await kaios.ask_code(MSISDN)
    wrong = "111111" if code != "111111" else "222222"
    for _ in range(5):
        await kaios.press("Sign in", secret=wrong)
        assert "That code is not right" in kaios.text
    await kaios.press("Sign in", secret=code)
    assert "That code no longer works" in kaios.text
    assert not (await kaios.open()).is_signed_in


async def test_a_refused_pin_does_not_tell_whether_the_number_has_an_account(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    pages = []
    for number in (MSISDN, "+8801700000002"):
        await kaios.sign_in_with_pin(number, "1793")
        pages.append(kaios.text.replace(number, ""))
        await kaios.press("Another number")
    assert pages[0] == pages[1]
    assert "You cannot sign in with this number and this PIN" in pages[0]


async def test_wrong_pins_on_the_page_lock_no_caller_out(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    for _ in range(6):
        await kaios.sign_in_with_pin(MSISDN, "1793")
        await kaios.press("Another number")
    await kaios.sign_in_with_pin(MSISDN, PIN)
    assert not kaios.is_signed_in
    await caller.redial()
    assert "My applications" in await caller.enter("5", PIN)


async def test_who_signed_in_by_code_types_the_pin_where_callers_do(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    await kaios.sign_in(MSISDN)
    await kaios.press("5 My account")
    assert kaios.screen.startswith("Type your PIN")
    assert 'type="password"' in kaios.body
    await kaios.enter(PIN)
    assert kaios.screen.startswith("My account")


async def test_being_signed_in_belongs_to_one_browser(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    await kaios.sign_in_with_pin(MSISDN, PIN)
    other = KaiosBrowser(kaios.http, kaios.url)
    await other.sign_in(MSISDN)
    await other.press("5 My account")
    assert other.screen.startswith("Type your PIN")
    await kaios.press("5 My account")
    assert kaios.screen.startswith("My account")
    assert (await other.open()).screen.startswith("Type your PIN")


async def test_an_interrupted_call_goes_on_here_and_is_not_offered_again(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    await open_birth_certificate(caller)
    question = await caller.enter("Rahim Uddin")
    await kaios.sign_in(MSISDN)
    assert "Go on" in kaios.text
    await kaios.enter("1", PIN)
    assert kaios.screen.split("\n")[0] == question.split("\n")[0]
    await caller.redial()
    assert "Go on" not in await caller.dial()


async def test_a_repeated_post_does_nothing_twice(kaios: KaiosBrowser, caller: Phone):
    await register(caller)
    await kaios.sign_in(MSISDN)
    await kaios.enter("00", "1", "1", "1", "1", PIN, "1", *ANSWERS, "1")
    receipt = (await kaios.enter(PIN)).screen
    number = tracking_number_in(receipt)
    assert (await kaios.repeat()).screen == receipt
    assert (await kaios.repeat(-3)).screen == receipt
    await kaios.press("00 Main menu")
    await kaios.repeat(-2)
    assert kaios.screen.startswith("Ekdial\n1 Find")
    await caller.redial()
    assert await count_applications(caller) == 1
    assert "Submitted" in await caller.enter("00", "2", number)


async def count_applications(caller: Phone) -> int:
    """How many rows the list of one's own applications has."""
    listed = await caller.enter("5", PIN, "1")
    return sum(line[:1].isdigit() and line.split(" ")[0] not in {"0", "98"} for line in listed.split("\n"))


async def test_an_old_page_shows_the_newest_one_and_does_nothing(kaios: KaiosBrowser):
    await kaios.sign_in(MSISDN)
    await kaios.press("1 English")
    old = kaios.read_fields("/kaios/press")
    await kaios.press("1 Find a service")
    newest = kaios.screen
    await kaios.post("/kaios/press", {**old, "post": "0123456789abcdef", "text": "5"})
    assert kaios.screen == newest


async def test_two_tabs_do_one_thing_each_and_none_twice(kaios: KaiosBrowser):
    await kaios.sign_in(MSISDN)
    await kaios.press("1 English")
    tabs = [KaiosBrowser(kaios.http, kaios.url, token=kaios.token) for _ in range(4)]
    for tab in tabs:
        await tab.open()
    await asyncio.gather(*(tab.enter("1") for tab in tabs))
    assert {tab.screen.split("\n")[0] for tab in tabs} == {"Find a service"}


async def test_nothing_of_a_person_stays_in_the_browser(kaios: KaiosBrowser):
    await kaios.sign_in(MSISDN)
    assert kaios.path == "/kaios"
    assert "no-store" in kaios.headers["Cache-Control"]
    assert MSISDN not in kaios.body
    await kaios.press("Sign out")
    assert kaios.token == ""
    assert "no-store" in kaios.headers["Cache-Control"]


async def test_a_token_from_before_the_sign_in_opens_nothing_afterwards(kaios: KaiosBrowser):
    await kaios.open("/kaios?lang=en")
    fixed = kaios.token
    code = await kaios.ask_code(MSISDN)
    pending = kaios.token
    await kaios.press("Sign in", secret=code)
    assert len({fixed, pending, kaios.token}) == 3
    for token in (fixed, pending):
        thief = KaiosBrowser(kaios.http, kaios.url, token=token)
        assert not (await thief.open()).is_signed_in


async def test_the_cookie_is_bound_to_the_host_and_hidden_from_scripts(kaios: KaiosBrowser):
    await kaios.open()
    [cookie] = kaios.headers.getall("Set-Cookie")
    assert cookie.startswith("__Host-kaios=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))


@pytest.mark.parametrize("action", ["press", "stay", "sign-out", "prove", "sign-in"])
@pytest.mark.parametrize("forged", ["missing", "of_another_browser", "cross_site"])
async def test_a_form_of_another_page_does_nothing(kaios: KaiosBrowser, action: str, forged: str):
    await kaios.sign_in(MSISDN)
    await kaios.press("1 English")
    other = await KaiosBrowser(kaios.http, kaios.url).open()
    fields = {**kaios.read_fields("/kaios/press"), "text": "1", "secret": "123456", "number": MSISDN}
    if forged == "cross_site":
        kaios.sent_headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    else:
        fields["form"] = other.read_fields("/kaios/sign-in")["form"] if forged == "of_another_browser" else ""
    await kaios.post(f"/kaios/{action}", fields)
    assert kaios.is_signed_in
    assert kaios.screen.startswith("Ekdial\n1 Find a service")


async def test_a_sign_in_form_needs_the_token_of_its_browser(kaios: KaiosBrowser):
    await kaios.open("/kaios?lang=en")
    fields = {**kaios.read_fields("/kaios/sign-in"), "number": MSISDN, "way": "code"}
    stranger = KaiosBrowser(kaios.http, kaios.url)
    await stranger.post("/kaios/sign-in", fields)
    assert stranger.status == 403
    assert "too old" in stranger.text


async def test_the_first_load_is_small_and_loads_nothing_from_elsewhere(kaios: KaiosBrowser):
    await kaios.open()
    addresses = re.findall(r'(?:href|src)="(/kaios/[^"?]+)"', kaios.body)
    sizes = {"/kaios": len(kaios.body.encode())}
    for address in addresses:
        async with kaios.http.get(kaios.url + address) as response:
            assert response.status == 200
            sizes[address] = len(await response.read())
    assert len(sizes) >= 4
    assert "//" not in re.sub(r"<!doctype html>", "", kaios.body)
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes


async def test_the_manifest_is_that_of_a_hosted_app(kaios: KaiosBrowser):
    async with kaios.http.get(f"{kaios.url}/kaios/manifest.webapp") as response:
        assert response.content_type == "application/x-web-app-manifest+json"
        manifest = json.loads(await response.text())
    assert manifest["launch_path"] == "/kaios"
    for size, address in manifest["icons"].items():
        async with kaios.http.get(kaios.url + address) as response:
            body = await response.read()
        assert body[:4] == b"\x89PNG"
        assert int.from_bytes(body[16:20], "big") == int(size)


async def test_a_page_that_is_hostile_text_shows_it_as_text(kaios: KaiosBrowser):
    await kaios.open("/kaios?lang=en")
    await kaios.press("Use my PIN", number='"><script>window.hacked = 1</script>')
    assert "<script>window" not in kaios.body


async def test_a_service_without_a_form_of_ours_is_not_applied_for_with_an_empty_one(kaios: KaiosBrowser):
    await kaios.sign_in(MSISDN)
    await kaios.enter("1", "1", "Aadhaar download", "1")
    assert "Apply" not in kaios.text


@pytest.mark.parametrize("language", ["bn", "hi"])
async def test_the_menus_are_in_the_letters_of_the_language(kaios: KaiosBrowser, language: str):
    await kaios.sign_in(MSISDN)
    await kaios.enter({"bn": "2", "hi": "3"}[language])
    assert f'lang="{language}"' in kaios.body
    assert {"bn": "সেবা", "hi": "सेवा"}[language] in kaios.screen


async def test_an_application_on_every_backend(tmp_path: Path, redis_url: str, database_url: str):
    await upgrade(database_url)
    settings = build_settings(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url)
    async with run_gateway(settings) as url, open_kaios_http() as http, ClientSession() as phone_http:
        await register(Phone(phone_http, url))
        browser = KaiosBrowser(http, url)
        await browser.sign_in(MSISDN)
        await browser.enter("00", "1", "1", "1", "1", PIN, "1", *ANSWERS, "1", PIN)
        receipt = browser.screen
        assert tracking_number_in(receipt)
        assert (await browser.repeat()).screen == receipt
        await browser.press("Sign out")
        await browser.sign_in_with_pin(MSISDN, PIN)
        await browser.enter("5", "1")
        assert browser.screen.count("Birth certificate") == 1
