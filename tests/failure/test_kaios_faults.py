"""The page for KaiOS phones when a store fails: nothing is done twice, nothing is kept that is personal, and it says so."""

from pathlib import Path

from aiohttp import ClientSession

from tests.support.citizen_steps import ANSWERS, PIN, register, tracking_number_in
from tests.support.kaios_phone import KaiosBrowser, open_kaios_http
from tests.support.phone import UNREACHABLE_REDIS_URL, Phone, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs, redis_contents
from tests.support.servers import RedisServer

NUMBER = "+8801798765432"
NAME = "Amina Begum"


async def apply(browser: KaiosBrowser) -> str:
    """Apply for a birth certificate, signed in with the PIN; the tracking number."""
    await browser.enter("00", "1", "1", "1", "1", "1", *ANSWERS, "1", PIN)
    return tracking_number_in(browser.screen)


async def test_after_the_store_is_emptied_everybody_signs_in_again_and_nothing_is_done_twice(
    tmp_path: Path, redis_server: RedisServer
):
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url)
    async with run_gateway(settings) as url, open_kaios_http() as http, ClientSession() as phone_http:
        phone, browser = Phone(phone_http, url, NUMBER), KaiosBrowser(http, url)
        await register(phone)
        await browser.sign_in_with_pin(NUMBER, PIN)
        number = await apply(browser)
        redis_server.empty()
        await browser.repeat()
        assert "Please sign in again" in browser.text
        assert not (await browser.open()).is_signed_in
        await browser.sign_in_with_pin(NUMBER, PIN)
        await browser.press("5 My account")
        listed = await browser.press("1 My applications")
        assert listed.screen.count("Birth certificate") == 1
        await phone.redial()
        assert "Submitted" in await phone.enter("2", number)


async def test_in_the_middle_of_a_form_the_draft_is_kept(tmp_path: Path, redis_server: RedisServer):
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url)
    async with run_gateway(settings) as url, open_kaios_http() as http, ClientSession() as phone_http:
        browser = KaiosBrowser(http, url)
        await register(Phone(phone_http, url, NUMBER))
        await browser.sign_in_with_pin(NUMBER, PIN)
        await browser.enter("00", "1", "1", "1", "1", "1", *ANSWERS[:2])
        redis_server.empty()
        await browser.enter(ANSWERS[2])
        assert not browser.is_signed_in
        await browser.sign_in_with_pin(NUMBER, PIN)
        await browser.enter("00", "1", "1", "1", "1", "1")
        assert browser.screen.startswith("1/3 ")  # two of the five answers are there


async def test_while_the_store_is_down_the_page_says_that_nothing_was_lost(tmp_path: Path):
    settings = build_settings(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL)
    async with run_gateway(settings) as url, open_kaios_http() as http:
        browser = await KaiosBrowser(http, url).open("/kaios?lang=en")
        assert "Your mobile number" in browser.text
        await browser.press("Send me a code by SMS", number=NUMBER)
        assert browser.status == 503
        assert "Nothing was lost" in browser.text


async def test_another_process_goes_on_where_one_ended(tmp_path: Path, redis_server: RedisServer):
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url)
    async with open_kaios_http() as http:
        async with run_gateway(settings) as url:
            browser = KaiosBrowser(http, url)
            await browser.sign_in(NUMBER)
            await browser.press("1 English")
        async with run_gateway(settings) as url:
            browser.url = url
            await browser.press("1 Find a service")
            assert browser.screen.startswith("Find a service")


async def test_logs_metrics_and_redis_hold_nothing_personal(tmp_path: Path, redis_server: RedisServer):
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    with capture_all_logs() as said:
        async with run_gateway(settings) as url, open_kaios_http() as http, ClientSession() as phone_http:
            browser = KaiosBrowser(http, url)
            await register(Phone(phone_http, url, NUMBER))
            await browser.sign_in_with_pin(NUMBER, "913572")
            await browser.press("Another number")
            await browser.sign_in_with_pin(NUMBER, PIN)
            number = await apply(browser)
            await browser.enter("00", "Shahanara Parvin", "00", "2", number)
            await browser.open("/kaios?lang=en")
            other = await KaiosBrowser(http, url).open("/kaios?lang=en")
            code = await other.ask_code(NUMBER)
            await other.press("Sign in", secret=code)
            async with http.get(f"{url}/kaios?number={NUMBER}&pin={PIN}") as response:
                assert response.status == 200
            async with http.get(f"{admin_url(url)}/metrics") as response:
                metrics = await response.text()
            kept = redis_contents(redis_server.url)
    personal = [
        NUMBER,
        NUMBER[1:],
        NUMBER[4:],
        PIN,
        "913572",
        number,
        code,
        NAME,
        "Shahanara",
        *ANSWERS[:1],
        *ANSWERS[3:],
    ]
    personal += [browser.token, browser.token.removeprefix("in."), other.token]
    assert "message_processed" in said.getvalue(), "the code was logged as sent"
    for place, text in (("logs", said.getvalue()), ("metrics", metrics)):
        assert not [one for one in personal if one in text], place
    assert not [one for one in personal if one.encode() in kept]
    assert 'ekdial_hops_total{channel="kaios",outcome="answered",provider="kaios"}' in metrics
    assert 'ekdial_kaios_sign_ins_total{outcome="code"} 1.0' in metrics
