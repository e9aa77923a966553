"""Calls over every built-in row: the sample dialogues, and phones of fakes that know nothing of the rows."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from providers.json_http.provider_rows import BUILT_IN, find_rows, load_row
from providers.json_http.ussd_sample import SampleStep, load_sample
from tests.fakes.json_providers import FORMS, JsonPhone, json_settings
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.privacy import capture_all_logs

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = {name: row for name, path in find_rows("").items() if (row := load_row(path)).ussd is not None}
COUNTRIES = ["GH", "NG", "KE", "TZ", "BD"]
CODES = ["*123#", *(code for row in ROWS.values() for code in load_sample(row).dialogue.service_codes)]
SUGGESTION = ("1", "4", "2", "2", "4", "1")
"""Choose English; suggest something in general, rate it, send it without words."""
_numbers = count(1)
_without_number = re.compile(r"\d{4} \d{4} \d{4}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A gateway that serves every built-in row."""
    settings = build_settings(
        tmp_path_factory.mktemp("gateway"),
        COUNTRIES__ALLOWED=json.dumps(COUNTRIES),
        USSD__SERVICE_CODES=json.dumps(CODES),
        **json_settings(*ROWS),
    )
    async with run_gateway(settings) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as http:
        yield http


def new_msisdn() -> str:
    """The number of another citizen."""
    return f"+25472{next(_numbers):07}"


async def test_every_row_with_ussd_has_a_fake():
    assert set(FORMS) == set(ROWS)


async def post_sample(http: ClientSession, url: str, name: str, request: str) -> str:
    """The body of the response to a request of a sample, sent as the row of the sample says."""
    row = ROWS[name].ussd
    if row["format"] == "query":
        sending = http.get(f"{url}/ussd/{name}?{request}")
    else:
        content_type = {"json": "application/json", "form": "application/x-www-form-urlencoded"}[row["format"]]
        sending = http.post(f"{url}/ussd/{name}", data=request.encode(), headers={"Content-Type": content_type})
    async with sending as response:
        assert response.status == 200, await response.text()
        return await response.text()


@pytest.mark.parametrize("name", ROWS)
async def test_a_sample_dialogue_is_answered_over_http_as_it_says(name: str, http: ClientSession, url: str) -> None:
    """Its screens are those of our menus when it was written: what is shown now is what another provider's phone shows."""
    other = Phone(http, url, new_msisdn())
    for step in load_sample(ROWS[name]).dialogue.step:
        screen = await press_on_other_phone(other, step)
        body = await post_sample(http, url, name, step.request)
        expected = step.reply.replace(spell(step.screen, name), spell(screen, name))
        assert hide_numbers(body) == hide_numbers(expected)
        assert other.ended == step.ends or step.event == "ended"


async def press_on_other_phone(phone: Phone, step: SampleStep) -> str:
    if step.event == "dials":
        return await phone.dial()
    return await phone.enter(step.text.rpartition("*")[2]) if step.event == "types" else ""


def spell(screen: str, name: str) -> str:
    """A screen as it stands in a reply: a JSON string, or text."""
    is_json = FORMS[name].content_type == "application/json"
    return json.dumps(screen, ensure_ascii=False)[1:-1] if is_json else screen


def hide_numbers(body: str) -> str:
    """The body without the number of the suggestion, which is drawn at random."""
    return _without_number.sub("", body)


@pytest.mark.parametrize("name", FORMS)
async def test_a_phone_sees_what_one_of_another_provider_sees(name: str, http: ClientSession, url: str) -> None:
    phone, other = JsonPhone(http, url, name, new_msisdn()), Phone(http, url, new_msisdn())
    assert await phone.dial() == await other.dial()
    for key in SUGGESTION:
        assert hide_numbers(await phone.enter(key)) == hide_numbers(await other.enter(key))
    assert phone.ended
    assert "Ekdial" in await phone.dial()


@pytest.mark.parametrize("name", FORMS)
async def test_a_repeated_dial_shows_the_same_screen(name: str, http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, name, new_msisdn())
    screen = await phone.dial()
    assert await phone.repeat() == screen
    assert await phone.enter("1") != screen


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.identifies_requests])
async def test_a_repeated_request_shows_the_same_screen_and_moves_nothing(
    name: str, http: ClientSession, url: str
) -> None:
    phone = JsonPhone(http, url, name, new_msisdn())
    await phone.dial()
    screen = await phone.enter("1", "4")
    assert await phone.repeat() == screen
    assert "What is it about" in await phone.enter("2")


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if not form.identifies_requests])
async def test_the_same_key_twice_is_two_inputs_where_requests_have_no_id(
    name: str, http: ClientSession, url: str
) -> None:
    phone = JsonPhone(http, url, name, new_msisdn())
    await phone.dial()
    home = await phone.enter("1")
    await phone.enter("4", "2")
    assert await phone.enter("0", "0") == home


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.hang_up])
async def test_a_caller_who_hangs_up_is_counted_and_can_dial_again(name: str, http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, name, new_msisdn())
    await phone.dial()
    await phone.enter("1")
    with capture_all_logs() as logged:
        await phone.hang_up()
    assert "ussd_session_ended" in logged.getvalue()
    assert phone.msisdn[1:] not in logged.getvalue()
    assert "1 Find a service" in await phone.dial()


async def test_a_number_of_a_country_that_is_not_served_is_told_so(http: ClientSession, url: str) -> None:
    for name in FORMS:
        phone = JsonPhone(http, url, name, "+447400123456")
        await phone.dial()
        assert phone.ended


async def test_the_folder_of_built_in_rows_holds_rows_and_samples_only():
    assert {path.name for path in BUILT_IN.iterdir()} >= {f"{name}.ussd.toml" for name in ROWS}
    assert all(path.suffix == ".toml" for path in BUILT_IN.iterdir())


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.sends == "json"])
async def test_two_equal_requests_at_once_have_one_effect(name: str, http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, name, new_msisdn())
    await phone.dial()
    *before, last = SUGGESTION
    await phone.enter(*before)
    press = phone.plan(last)
    screens = await asyncio.gather(phone.send(press), phone.send(press))
    assert screens[0] == screens[1]
    assert _without_number.search(screens[0])


async def test_a_late_request_of_hubtel_moves_nothing(http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, "hubtel", new_msisdn())
    await phone.dial()
    screen = await phone.enter("1", "4", "2")
    assert await phone.repeat(1) == screen
    assert "How was it?" in await phone.enter("2")


@pytest.mark.parametrize("name", ["hubtel", "arkesel", "nalo", "mobilesasa", "advanta"])
async def test_digits_dialled_past_our_code_lead_where_they_lead_elsewhere(
    name: str, http: ClientSession, url: str
) -> None:
    phone, other = JsonPhone(http, url, name, new_msisdn()), Phone(http, url, new_msisdn())
    for one in (phone, other):
        await one.dial()
        await one.enter("1")
    assert await phone.dial("*123*4*2#") == await other.dial("*123*4*2#")
    assert "What is it about" in await phone.dial("*123*4*2#")
