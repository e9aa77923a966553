"""One contract for the USSD of every provider: each case is tried on each adapter with its fake."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.citizen_steps import ANSWERS, PIN, open_birth_certificate, register, submit_application
from tests.support.privacy import capture_all_logs
from tests.support.ussd_drivers import (
    USSD_DRIVERS,
    DrivenPhone,
    Fields,
    Site,
    UssdDriver,
    list_ussd_providers,
    open_site,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = "Ekdial: sorkari seba\n1 English"
WEIRD: tuple[object, ...] = (None, "", [], {}, -1, 10**30, "x" * 5000, "\x00", "\ud800", {"a": [1]}, True)
BODIES = (b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"a=b", b"%", b"{" * 3000, b'{"a":' * 500, b"x" * 40_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with open_site(tmp_path_factory.mktemp("ussd")) as site:
        yield site


@pytest.fixture(params=USSD_DRIVERS, ids=lambda driver: driver.name)
def driver(request: pytest.FixtureRequest) -> UssdDriver:
    driver: UssdDriver = request.param
    return driver


@pytest.fixture
def phone(driver: UssdDriver, site: Site) -> DrivenPhone:
    """A phone with a number that never called."""
    return driver.open(site)


async def test_every_provider_has_a_driver() -> None:
    assert list_ussd_providers() <= {name for driver in USSD_DRIVERS for name in (driver.provider, driver.name)}


async def test_who_dials_and_goes_on_reads_the_same_screens_everywhere(phone: DrivenPhone) -> None:
    assert (await phone.dial()).startswith(FIRST)
    assert (await phone.enter("1")).startswith("Ekdial\n1 Find a service")
    assert (await phone.enter("1")).startswith("Find a service")
    assert (await phone.enter("0")).startswith("Ekdial\n1 Find a service")
    assert not phone.ended


async def test_a_citizen_registers_and_applies(phone: DrivenPhone) -> None:
    assert (await register(phone)).startswith("My account")
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS)
    assert (await submit_application(phone)).startswith("Received. Tracking number")


async def test_a_repeated_request_gets_the_same_screen_and_does_nothing_again(
    driver: UssdDriver, phone: DrivenPhone
) -> None:
    first = await phone.dial()
    assert await phone.repeat() == first
    if not driver.identifies_requests:
        return
    await register(phone)
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS)
    await phone.enter("1")
    asked = [await phone.repeat() for _ in range(2)]
    receipt = await phone.enter(PIN)
    assert asked[0] == asked[1] != receipt
    for _ in range(3):  # of a call that may be over: a pushed screen is refused then
        assert await phone.post(phone.read_request()) == 200
    applications = await _list_applications(phone)
    assert applications.count("Birth certificate") == 1


async def _list_applications(phone: DrivenPhone) -> str:
    screen = await phone.dial()
    if "Start again" in screen:
        await phone.enter("2")
    return await phone.enter("2", "1", PIN)


LATE_DRIVERS = [driver for driver in USSD_DRIVERS if driver.identifies_requests and driver.can_be_late]


@pytest.mark.parametrize("driver", LATE_DRIVERS, ids=lambda driver: driver.name, indirect=True)
async def test_a_late_request_changes_nothing(phone: DrivenPhone) -> None:
    await phone.dial()
    await phone.enter("1")
    newest = await phone.enter("1")
    for position in (0, 1):
        assert await phone.repeat(position) == newest
    assert await phone.enter("0") != newest


@pytest.mark.parametrize("is_reported", [True, False], ids=["reported", "silent"])
async def test_a_dropped_call_is_offered_to_the_next_one(phone: DrivenPhone, *, is_reported: bool) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    question = await phone.enter(*ANSWERS[:2])
    if is_reported:
        await phone.hang_up()
    phone.ended = False
    assert await phone.dial() == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
    assert (await phone.enter("1")).startswith("Type your PIN")
    assert await phone.enter(PIN) == question


async def test_a_store_that_was_emptied_costs_one_screen_at_most(
    driver: UssdDriver, phone: DrivenPhone, site: Site
) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    asked = await phone.enter(*ANSWERS[:2])
    await site.empty_store()
    if not driver.sends_path:
        assert await phone.enter(ANSWERS[2]) == asked
    following = await phone.enter(ANSWERS[2])
    assert following.startswith("4/5")
    await site.empty_store()
    if not driver.sends_path:
        assert await phone.enter(ANSWERS[3]) == following
    assert (await phone.enter(*ANSWERS[3:], "1", PIN)).startswith("Received. Tracking number")
    assert (await _list_applications(phone)).count("Birth certificate") == 1


async def test_every_page_of_a_long_text_fits_and_nothing_is_left_out(phone: DrivenPhone) -> None:
    """Each screen is measured where it arrives, in the unit of its network."""
    await phone.dial()
    await phone.enter("1")
    pages = [await phone.enter("7")]
    while "98 More" in pages[-1]:
        pages.append(await phone.enter("98"))
        assert len(pages) < 20
    assert pages[-1] not in pages[:-1]
    await phone.enter("00", "1", "1", "1")
    assert not phone.ended


async def test_bengali_is_shown_in_letters_that_the_network_carries(phone: DrivenPhone) -> None:
    await phone.dial()
    screen = await phone.enter("2")
    assert screen.isascii()
    assert screen.startswith("Ekdial\n1 Seba")


@pytest.mark.parametrize("value", WEIRD, ids=[str(number) for number in range(len(WEIRD))])
async def test_junk_in_any_field_is_refused_or_answered_and_never_fails(phone: DrivenPhone, value: object) -> None:
    await phone.dial()
    await phone.enter("1")
    request = phone.read_request()
    with capture_all_logs() as logs:
        for name in request:
            assert await phone.post(_change(request, name, value)) < 500, name
            assert await phone.post({key: one for key, one in request.items() if key != name}) < 500, name
    assert "ussd_request_failed" not in logs.getvalue()
    assert "Traceback" not in logs.getvalue()


def _change(request: Fields, name: str, value: object) -> Fields:
    return {**request, name: value}


async def test_junk_instead_of_fields_is_refused_and_the_next_call_is_answered(
    driver: UssdDriver, phone: DrivenPhone, site: Site
) -> None:
    with capture_all_logs() as logs:
        for body in BODIES:
            status = await phone.post_body(body)
            assert 400 <= status < 500, body[:20]
    assert "x" * 50 not in logs.getvalue()
    assert (await driver.open(site).dial()).startswith(FIRST)


async def test_no_line_of_a_log_has_the_number_or_anything_typed(driver: UssdDriver, site: Site) -> None:
    with capture_all_logs() as logs:
        phone = driver.open(site)
        await register(phone)
        await open_birth_certificate(phone)
        await phone.enter(*ANSWERS, "1", "9999")
        await phone.hang_up()
    for private in ("171900", PIN, "9999", "Rahim", "Amina", "Ayesha"):
        assert private not in logs.getvalue(), private
