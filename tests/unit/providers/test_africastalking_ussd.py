"""Africa's Talking's USSD webhooks as captured (numbers changed), and malformed ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.phone import WEBHOOK_TOKEN, admin_url, build_settings, run_gateway

SESSION = "ATUid_0123456789abcdef0123456789abcdef"
FIRST = f"phoneNumber=%2B254700000001&serviceCode=%2A384%2A70421%23&text=&sessionId={SESSION}&networkCode=99999"
ENDED = (
    "durationInMillis=19200&phoneNumber=%2B254700000001&errorMessage=&serviceCode=%2A384%2A70001%23"
    "&lastAppResponse=CON+Main+menu%0A1.+Register&hopsMetadata=&hopsCount=2&status=Incomplete"
    f"&sessionId={SESSION}&cost=0.00&date=2026-01-02+03%3A04%3A05&networkCode=99999&input=1"
)
PLAIN = "application/x-www-form-urlencoded"
LANGUAGES = "CON Ekdial: public services\n1 English\n2 Bangla\n3 Hindi"


class UssdProviderClient:
    """Posts bytes unchanged, with the headers of the captures."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def post_form(
        self, body: str | bytes, content_type: str = PLAIN, path: str = "/ussd/africastalking"
    ) -> tuple[int, str, str]:
        headers = {"User-Agent": "at-ussd-api/1.0", "Accept-Encoding": "gzip", "Content-Type": content_type}
        data = body.encode() if isinstance(body, str) else body
        async with self.http.post(self.url + path, data=data, headers=headers) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), await answer.text()


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[UssdProviderClient]:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        yield UssdProviderClient(http, url)


@pytest.mark.parametrize("content_type", [PLAIN, f"{PLAIN}; charset=UTF-8", f"{PLAIN};charset=utf-8", "text/plain"])
async def test_the_captured_form_is_heard_whatever_its_content_type_says(
    provider: UssdProviderClient, content_type: str
) -> None:
    status, kind, body = await provider.post_form(FIRST, content_type)
    assert (status, kind, body) == (200, "text/plain; charset=utf-8", LANGUAGES)


async def test_the_fields_may_come_in_any_order_with_ones_we_do_not_know(provider: UssdProviderClient) -> None:
    body = "&".join(reversed(FIRST.split("&"))) + "&somethingNew=1"
    assert (await provider.post_form(body))[2] == LANGUAGES


async def test_of_a_repeated_field_the_first_counts(provider: UssdProviderClient) -> None:
    assert (await provider.post_form(f"{FIRST}&text=1*2*3"))[2] == LANGUAGES


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("phoneNumber", "phoneNumber is missing or not in the form +254700000001."),
        ("sessionId", "sessionId is missing or longer than 128 characters."),
        ("text", "text is missing; it is empty on the first hop and there on every one."),
    ],
)
async def test_a_missing_field_is_named(provider: UssdProviderClient, field: str, line: str) -> None:
    body = "&".join(pair for pair in FIRST.split("&") if not pair.startswith(field))
    assert (await provider.post_form(body))[::2] == (400, line)


@pytest.mark.parametrize("field", ["serviceCode", "networkCode"])
async def test_fields_that_tell_nothing_of_the_call_may_be_missing(provider: UssdProviderClient, field: str) -> None:
    body = "&".join(pair for pair in FIRST.split("&") if not pair.startswith(field))
    assert (await provider.post_form(body))[2] == LANGUAGES


@pytest.mark.parametrize(
    "number", ["", "700000001", "0700000001", "%2B0700000001", "%2B25470000000x", "%2B1", "%2B" + "9" * 16, "MTN"]
)
async def test_a_number_that_is_none_is_refused(provider: UssdProviderClient, number: str) -> None:
    status, _, line = await provider.post_form(FIRST.replace("%2B254700000001", number))
    assert (status, line) == (400, "phoneNumber is missing or not in the form +254700000001.")


@pytest.mark.parametrize(
    "junk", [b"", b"\x00\xff\xfe", b"{}", b"&&&===", b"%%%zz", b"text", "টেক্সট=১".encode(), b"\xf0\x28\x8c\x28=1"]
)
async def test_junk_is_refused_in_one_plain_line(provider: UssdProviderClient, junk: bytes) -> None:
    status, kind, line = await provider.post_form(junk)
    assert (status, kind) == (400, "text/plain; charset=utf-8")
    assert len(line.splitlines()) == 1


async def test_bytes_that_are_no_utf8_in_an_answer_do_not_end_the_call(provider: UssdProviderClient) -> None:
    await provider.post_form(FIRST)
    status, _, body = await provider.post_form(FIRST.replace("text=", "text=%ff%fe"))
    assert status == 200
    assert body.startswith("CON Please choose 1 to 3\n")


async def test_a_body_over_16_kib_is_refused(provider: UssdProviderClient) -> None:
    assert (await provider.post_form(FIRST + "&more=" + "x" * 16 * 1024))[0] == 413


async def test_a_long_answer_is_heard_and_told_what_would_be_right(provider: UssdProviderClient) -> None:
    await provider.post_form(FIRST)
    _, _, body = await provider.post_form(FIRST.replace("text=", "text=" + "7" * 2000))
    assert body.startswith("CON Please choose 1 to 3\n")


async def test_what_typed_characters_mean_survives_the_wire(provider: UssdProviderClient) -> None:
    await provider.post_form(FIRST)
    path = "text=1*5*1*Am%C3%A9lie+D%27Souza"
    for length in (6, 8, 10):
        await provider.post_form(FIRST.replace("text=", path[:length]))
    _, _, body = await provider.post_form(FIRST.replace("text=", path[:11] + "Amina+%26+co%2B"))
    assert body.startswith("CON Please use letters only"), "ampersands and pluses are characters of the name"
    _, _, body = await provider.post_form(FIRST.replace("text=", path[:11] + "Amina+%26+co%2B*Am%C3%A9lie+D%27Souza"))
    assert body.startswith("CON Choose a PIN"), "accents and apostrophes are part of a name"


async def test_the_end_of_a_call_is_acknowledged_and_counted(provider: UssdProviderClient) -> None:
    assert (await provider.post_form(ENDED, path="/ussd/africastalking/events"))[::2] == (200, "")
    async with provider.http.get(f"{admin_url(provider.url)}/metrics") as metrics:
        assert 'ekdial_ussd_calls_ended_total{status="Incomplete"} 1.0' in await metrics.text()


@pytest.mark.parametrize("body", ["", "status=Odd&hopsCount=many&durationInMillis=-1", "hopsCount=" + "9" * 500])
async def test_an_end_that_says_little_or_nonsense_is_acknowledged_too(provider: UssdProviderClient, body: str) -> None:
    assert (await provider.post_form(body, path="/ussd/africastalking/events"))[0] == 200


async def test_with_a_callback_token_the_routes_are_not_there_without_it(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=WEBHOOK_TOKEN)
    async with run_gateway(settings) as url, ClientSession() as http:
        provider = UssdProviderClient(http, url)
        for path in ("/ussd/africastalking", "/ussd/africastalking/events"):
            assert (await provider.post_form(FIRST, path=path))[0] == 404
            assert (await provider.post_form(FIRST, path=f"{path}?token=another"))[0] == 404
            assert (await provider.post_form(FIRST, path=f"{path}?token={WEBHOOK_TOKEN}"))[0] == 200


async def test_every_answer_is_within_its_networks_budget(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, USSD__NETWORKS='{"63902": {"screen_septets": 90}}')
    async with run_gateway(settings) as url, ClientSession() as http:
        provider = UssdProviderClient(http, url)
        await provider.post_form(FIRST.replace("99999", "63902"))
        _, _, body = await provider.post_form(FIRST.replace("99999", "63902").replace("text=", "text=1"))
        assert body.endswith("\n98 More")
        assert len(body) <= 90
