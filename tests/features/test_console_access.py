"""Who sees and does what in the console: every action is tried by every role, by its address and by the page."""

import re
from collections.abc import Iterator, Mapping

import pytest

from app.console import CONSOLE_PAGES
from app.menu import read_catalogue
from scripts.console_roles import build_table, read_table
from services.staff.models import ROLES
from tests.support.console import OFFICERS_DEPARTMENT, StaffBrowser
from tests.support.console_pages import HOSTILE, SAMPLES, Sample, Scene, fill, seed_all
from tests.support.phone import running_app
from web.console.access import ACTIONS, is_allowed


@pytest.fixture
async def staff_room(scene: Scene):
    return scene.room


def list_samples(names: Mapping[str, str], method: str = "") -> Iterator[tuple[str, Sample]]:
    """Every action with each of its requests."""
    for action, samples in SAMPLES.items():
        for sample in samples:
            if method in {"", sample.method}:
                yield action, fill(sample, names)


async def send(browser: StaffBrowser, sample: Sample) -> StaffBrowser:
    """Send the request of a sample, without following redirects."""
    return await browser.open_once(sample.method, sample.path, sample.fields)


async def test_nobody_sees_a_page_without_signing_in(scene):
    names = await seed_all(scene)
    for action, sample in list_samples(names):
        browser = StaffBrowser(scene.room.http, scene.url)
        await send(browser, sample)
        assert (browser.status, browser.headers["Location"].partition("?")[0]) == (303, "/console/sign-in"), action


async def test_a_member_signs_in_and_out(staff_room):
    login = await staff_room.add("auditor")
    browser = StaffBrowser(staff_room.http, staff_room.url)
    await browser.sign_in(login, "wrong password")
    assert browser.status == 401
    assert "The login or the password is wrong" in browser.text
    await browser.sign_in(login, staff_room.added[login][1])
    assert "Anita" in browser.text
    assert "/console/sign-out" in browser.form_actions
    former = browser.token
    await browser.post("/console/sign-out")
    assert browser.path == "/console/sign-in"
    browser.token = former
    await browser.open("/console/settings")
    assert browser.path.startswith("/console/sign-in")


def test_every_action_of_a_route_has_a_sample_and_every_sample_an_action():
    assert SAMPLES.keys() <= ACTIONS.keys()
    assert all(action.roles for action in ACTIONS.values())


def test_the_page_of_the_docs_has_the_table_of_roles():
    assert read_table() == build_table(), "write it again: python scripts/console_roles.py"


async def test_every_route_has_a_sample(scene):
    routes = {route.action for page in running_app(scene.url)[CONSOLE_PAGES] for route in page.routes}
    missing = routes - SAMPLES.keys()
    assert not missing, f"add a request for {sorted(missing)} to tests/support/console_pages/"


@pytest.mark.parametrize("role", ROLES)
async def test_an_address_answers_those_who_may_and_nobody_else(scene, role):
    names = await seed_all(scene)
    for action, sample in list_samples(names):
        browser = await send(await scene.room.open_browser(role), sample)
        if is_allowed(role, action):
            assert browser.status in {200, 303, 422}, (action, sample, browser.status, browser.text)
        else:
            assert browser.status == 403, (action, sample)
            assert "You may not do this" in browser.text


@pytest.mark.parametrize("role", ROLES)
async def test_a_page_offers_what_the_role_may_do_and_nothing_else(scene, role):
    names = await seed_all(scene)
    routes = [route for page in running_app(scene.url)[CONSOLE_PAGES] for route in page.routes]
    by_path = {(route.method, path_pattern(route.path)): route.action for route in routes}
    offered = set()
    for action, sample in list_samples(names, "GET"):
        if not is_allowed(role, action):
            continue
        browser = await send(await scene.room.open_browser(role), sample)
        for path in browser.form_actions:
            offered |= {
                found for (method, pattern), found in by_path.items() if method == "POST" and pattern.fullmatch(path)
            }
    assert all(is_allowed(role, action) for action in offered), offered
    posted = {action for action, sample in list_samples(names, "POST") if is_allowed(role, action)}
    assert posted <= offered, f"no page has a form for {sorted(posted - offered)}"


def path_pattern(path: str) -> re.Pattern[str]:
    """A pattern for the paths of a route."""
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))


async def test_a_form_of_another_site_changes_nothing(scene):
    names = await seed_all(scene)
    browser = await scene.room.open_browser("admin")
    token = browser.token
    for action, sample in list_samples(names, "POST"):
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "null"},
            {},
        ):
            await browser.request("POST", sample.path, sample.fields, headers)
            assert browser.status == 403, (action, headers)
            assert browser.token == token


async def test_no_page_can_be_framed_or_stored(scene):
    names = await seed_all(scene)
    browser = await scene.room.open_browser("admin")
    for action, sample in list_samples(names, "GET"):
        await send(browser, sample)
        policy = browser.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, action
        assert "unsafe" not in policy, action
        assert browser.headers["X-Frame-Options"] == "DENY", action
        assert browser.headers["Cache-Control"] == "no-store", action


async def test_what_people_typed_is_shown_as_text(scene):
    names = await seed_all(scene)
    browser = await scene.room.open_browser("admin")
    for action, sample in list_samples(names, "GET"):
        await send(browser, sample)
        for part in ("<script>window", "<img src=x"):
            assert part not in browser.html, action
        assert HOSTILE.replace("{{7*7}}", "49") not in browser.text, action


async def test_a_new_sign_in_has_a_new_token(scene):
    login = await scene.room.add("admin")
    browser = StaffBrowser(scene.room.http, scene.url, token="planted-by-somebody-else")
    await browser.sign_in(login, scene.room.added[login][1])
    first = browser.token
    assert first != "planted-by-somebody-else"
    await browser.sign_in(login, scene.room.added[login][1])
    second = browser.token
    assert second != first
    browser.token = first
    await browser.open("/console/settings")
    assert browser.path.startswith("/console/sign-in")


async def test_an_address_that_no_page_has_is_a_page_of_the_console(staff_room):
    browser = await staff_room.open_browser("officer")
    await browser.open("/console/no-such-page")
    assert browser.status == 404
    assert "Omar" in browser.text
    browser.token = ""
    await browser.open("/console/no-such-page")
    assert browser.path.startswith("/console/sign-in")


async def test_an_officer_sees_the_name_of_the_department(scene):
    browser = await scene.room.open_browser("officer", language="bn")
    await browser.open("/console/account")
    catalogue = read_catalogue(scene.settings.catalogue).catalogue
    name = catalogue.departments[OFFICERS_DEPARTMENT].names["bn"]
    assert browser.text.count(name) == 2, "beside the member's name, and in the account"
    assert OFFICERS_DEPARTMENT not in browser.text
