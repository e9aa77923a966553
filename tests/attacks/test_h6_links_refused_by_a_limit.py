"""H6: requests for links that do not exist, as many as a stranger wants, refuse nobody a link that exists."""

from pathlib import Path

from aiohttp import ClientSession

from services.messaging.links import TOKEN_ALPHABET, TOKEN_LENGTH
from tests.attacks.test_m9_links_opened_by_scanners import BROWSER, document_link, own_data_link
from tests.support.citizen_steps import PIN
from tests.support.phone import WEBHOOK_TOKEN, Phone, build_settings, run_gateway
from web.links.miss_limiter import MAX_MISSES

PROXIED = {"WEBHOOKS__TOKENS": WEBHOOK_TOKEN, "WEBHOOKS__TRUSTED_PROXIES": '["127.0.0.1"]'}


def guesses(count: int) -> list[str]:
    """Tokens that do not exist."""
    return [TOKEN_ALPHABET[number % 57] + TOKEN_ALPHABET[number // 57] * (TOKEN_LENGTH - 1) for number in range(count)]


async def guess(http: ClientSession, url: str, method: str, address: str = "") -> list[int]:
    """The statuses of more guesses than the limit allows, from an address behind the proxy."""
    statuses = []
    for token in guesses(MAX_MISSES + 5):
        headers = {**BROWSER, **({"X-Forwarded-For": address} if address else {})}
        async with http.request(method, f"{url}/d/{token}", headers=headers) as answer:
            statuses.append(answer.status)
    return statuses


async def test_h6_guesses_through_the_same_address_refuse_no_link(tmp_path: Path) -> None:
    """The proxy is not named, so that everybody comes from its address."""
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        link = await document_link(Phone(http, url, "+8801700000009"))
        own_data = await own_data_link(Phone(http, url))
        for method in ("GET", "POST"):
            assert {410, 429} >= set(await guess(http, url, method))
        async with http.get(f"{url}/d/{guesses(1)[0]}", headers=BROWSER) as answer:
            assert answer.status == 429, "the guesser is over the limit"
        for method, address, form in (
            ("GET", link, {}),
            ("POST", link, {}),
            ("GET", own_data, {}),
            ("POST", own_data, {"pin": PIN}),
        ):
            async with http.request(method, address, headers=BROWSER, data=form or None) as answer:
                assert answer.status == 200, (method, address)


async def test_h6_behind_a_named_proxy_only_the_guessers_address_is_counted(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path, **PROXIED)) as url, ClientSession() as http:
        assert (await guess(http, url, "GET", "203.0.113.66"))[-1] == 429
        for forwarded, status in (("198.51.100.7", 410), ("198.51.100.7, 203.0.113.66", 429)):
            headers = {**BROWSER, "X-Forwarded-For": forwarded}
            async with http.get(f"{url}/d/{guesses(1)[0]}", headers=headers) as answer:
                assert answer.status == status
