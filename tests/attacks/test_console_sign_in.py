"""Attacks on the sign-in of the console, by the pages themselves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import update

from core.types import utc_now
from db.tables import staff, staff_sessions
from services.staff.codes import compute_code, generate_code_secret
from tests.support.console import StaffBrowser, StaffRoom, open_staff_room
from tests.support.phone import build_settings, read_metrics, run_gateway

SIGN_IN = "/console/sign-in"
CODE = "/console/sign-in/code"
REASON = {"reason": "ticket 4711"}


@dataclass
class Victim:
    """A member with an app, and what that person knows."""

    login: str
    password: str
    secret: str
    recovery_codes: list[str]


@pytest.fixture
async def room(tmp_path: Path):
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


def new_browser(room: StaffRoom) -> StaffBrowser:
    return StaffBrowser(room.http, room.url)


def hidden(browser: StaffBrowser) -> Mapping[str, str]:
    """The hidden fields of the first form with a ticket or a secret."""
    return {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', browser.html)
    }


async def enrol(room: StaffRoom, role="admin", login="asha") -> Victim:
    """A member who enrols an app on the page, ten minutes ago, so that its code of now is unused."""
    await room.add(role, login=login)
    browser = await room.open_browser(role, login=login)
    await browser.open("/console/account/code")
    secret = hidden(browser)["secret"]
    await browser.post("/console/account/code", {"secret": secret, "code": compute_code(secret, utc_now())})
    assert "The app is enrolled" in browser.text
    async with room.database.transaction() as transaction:
        await transaction.execute(update(staff).where(staff.c.login == login).values(code_step=0))
    return Victim(login, room.added[login][1], secret, re.findall(r"<code>([-a-z0-9]{19})</code>", browser.html))


async def type_password(room: StaffRoom, one: Victim, password: str = "") -> StaffBrowser:
    return await new_browser(room).sign_in(one.login, password or one.password)


async def type_code(browser: StaffBrowser, code: str) -> StaffBrowser:
    return await browser.post(CODE, {**hidden(browser), "code": code})


async def test_a_member_signs_in_with_password_and_code(room):
    asha = await enrol(room)
    browser = await type_password(room, asha)
    assert (browser.token, browser.status) == ("", 200), "no sign-in before the code"
    await type_code(browser, compute_code(asha.secret, utc_now()))
    assert "Asha" in browser.text
    assert len(asha.recovery_codes) == 10


async def test_a_code_cannot_be_replayed(room):
    asha = await enrol(room)
    code = compute_code(asha.secret, utc_now())
    await type_code(await type_password(room, asha), code)
    thief = await type_code(await type_password(room, asha), code)
    assert (thief.token, thief.status) == ("", 401)
    assert "was used before" in thief.text


async def test_a_recovery_code_works_once(room):
    asha = await enrol(room)
    assert (await type_code(await type_password(room, asha), asha.recovery_codes[0])).token
    thief = await type_code(await type_password(room, asha), asha.recovery_codes[0])
    assert (thief.token, thief.status) == ("", 401)


async def test_the_second_page_alone_opens_nothing(room):
    asha = await enrol(room)
    code = compute_code(asha.secret, utc_now())
    for ticket in ("", "1.99999999999." + "0" * 32):
        browser = await new_browser(room).post(CODE, {"ticket": ticket, "code": code})
        assert (browser.token, browser.status) == ("", 401)
        assert "took too long" in browser.text
    await browser.open("/console/account")
    assert browser.path.startswith(SIGN_IN)


async def test_passwords_cannot_be_guessed(room):
    await room.add("admin")
    answers = set()
    for number in range(8):
        browser = await new_browser(room).sign_in("asha", f"guess {number}")
        answers.add((browser.status, browser.token, browser.text))
    assert len(answers) == 1, "an attacker does not learn when the login is locked"
    assert not (await new_browser(room).sign_in("asha", room.added["asha"][1])).token, "locked"


async def test_codes_cannot_be_guessed_by_whoever_knows_the_password(room):
    asha = await enrol(room)
    for _ in range(5):
        await type_code(await type_password(room, asha), "000000")
    browser = await type_password(room, asha)
    assert "wrong" in browser.text
    assert "ticket" not in hidden(browser)


async def test_the_page_does_not_say_who_has_an_account(room):
    await room.add("admin")
    await room.add("auditor")
    await (await room.open_browser("admin")).post(f"/console/staff/{room.added['anita'][0]}/disable", REASON)
    answers = set()
    for login in ("asha", "anita", "nobody"):
        browser = await new_browser(room).sign_in(login, "not the password")
        answers.add((browser.status, browser.html.replace(login, "LOGIN")))
    assert len(answers) == 1


async def test_one_address_cannot_try_one_password_for_every_login(room):
    await room.add("admin")
    for number in range(30):
        assert (await new_browser(room).sign_in(f"user{number}", "Summer2026!")).status == 401
    browser = await new_browser(room).sign_in("asha", room.added["asha"][1])
    assert (browser.status, browser.token) == (429, "")
    assert "too many wrong tries from your network" in browser.text
    metrics = await read_metrics(room.http, room.url)
    assert 'ekdial_console_sign_ins_total{outcome="limited"} 1.0' in metrics
    assert 'ekdial_console_sign_ins_total{outcome="wrong"} 30.0' in metrics


async def test_a_planted_token_is_not_taken_over(room):
    asha = await enrol(room)
    browser = new_browser(room)
    browser.token = "planted-by-somebody-else"
    await browser.sign_in(asha.login, asha.password)
    await type_code(browser, compute_code(asha.secret, utc_now()))
    assert browser.token not in {"", "planted-by-somebody-else"}
    thief = new_browser(room)
    thief.token = "planted-by-somebody-else"
    await thief.open("/console/account")
    assert thief.path.startswith(SIGN_IN)


async def test_the_cookie_is_for_this_host_and_no_script(room):
    await room.add("admin")
    browser = await new_browser(room).post(SIGN_IN, {"login": "asha", "password": room.added["asha"][1]})
    async with room.http.post(
        room.url + SIGN_IN,
        data={"login": "asha", "password": room.added["asha"][1]},
        headers={"Origin": room.url},
        allow_redirects=False,
    ) as response:
        cookie = response.headers["Set-Cookie"]
    assert browser.token
    assert cookie.startswith("__Host-console=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ("disable", {}),
        ("role", {"role": "auditor"}),
        ("password", {}),
        ("code", {}),
        ("sign-out", {}),
    ],
)
async def test_a_sign_in_does_not_outlive_a_change_by_an_administrator(room, change, fields):
    omar = await enrol(room, "helpdesk", "omar")
    browser = await type_code(await type_password(room, omar), compute_code(omar.secret, utc_now()))
    assert "Omar" in browser.text
    admin = await room.open_browser("admin")
    await admin.post(f"/console/staff/{room.added['omar'][0]}/{change}", {**REASON, **fields})
    assert admin.status == 200, admin.text
    await browser.open("/console/account")
    assert browser.path.startswith(SIGN_IN)


async def test_a_new_password_ends_the_sign_in_of_a_thief(room):
    await room.add("admin")
    owner, thief = await room.open_browser("admin"), await room.open_browser("admin")
    new = "tea with four old crows"
    former = owner.token
    await owner.post("/console/account/password", {"old": room.added["asha"][1], "new": new, "again": new})
    assert "The password is changed" in owner.text
    assert owner.token != former
    await thief.open("/console/account")
    assert thief.path.startswith(SIGN_IN)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/console/",
        "//evil.example",
        "/console//evil.example",
        "/console/\\evil.example",
        "/console/\t/evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/other",
        "",
    ],
)
async def test_the_sign_in_leads_to_the_console_alone(room, path):
    await room.add("admin")
    fields = {"login": "asha", "password": room.added["asha"][1], "next": path}
    browser = await new_browser(room).open_once("POST", SIGN_IN, fields)
    assert (browser.status, browser.headers["Location"]) == (303, "/console")


async def test_a_stale_sign_in_proves_itself_before_it_changes_who_may_sign_in(room):
    asha = await enrol(room)
    await room.add("helpdesk")
    thief = await room.open_browser("admin", login="asha")
    await make_old(room)
    path = f"/console/staff/{room.added['hasan'][0]}/disable"
    await thief.post(path, REASON)
    assert (thief.status, "Prove that it is you" in thief.text) == (403, True)
    await thief.post(path, {**REASON, "proof": asha.password})
    assert (thief.status, "That is not right" in thief.text) == (403, True)
    await thief.post(path, {**REASON, "proof": compute_code(asha.secret, utc_now())})
    assert "disabled and signed out" in thief.text


async def test_a_stale_sign_in_cannot_enrol_another_phone(room):
    await room.add("admin")
    thief = await room.open_browser("admin")
    await make_old(room)
    secret = generate_code_secret()
    await thief.post("/console/account/code", {"secret": secret, "code": compute_code(secret, utc_now())})
    assert (thief.status, "Prove that it is you" in thief.text) == (403, True)


async def test_proof_cannot_be_guessed(room):
    asha = await enrol(room)
    await room.add("helpdesk")
    thief = await room.open_browser("admin", login="asha")
    await make_old(room)
    path = f"/console/staff/{room.added['hasan'][0]}/disable"
    for _ in range(5):
        await thief.post(path, {**REASON, "proof": "000000"})
    assert "too many wrong tries" in thief.text
    await thief.post(path, {**REASON, "proof": compute_code(asha.secret, utc_now())})
    assert (thief.status, "too many wrong tries" in thief.text) == (403, True)


async def test_a_first_password_opens_the_page_that_replaces_it_and_no_other(room):
    admin = await room.open_browser("admin")
    await admin.post("/console/staff/add", {"login": "rina", "name": "Rina", "role": "auditor", **REASON})
    password = re.search(r'class="secret"[^>]*>([^<]+)<', admin.html)[1]
    rina = await new_browser(room).sign_in("rina", password)
    assert "Choose your own before you go on" in rina.text
    await rina.open("/console/settings")
    assert rina.path == "/console/account/password"
    new = "tea with four old crows"
    await rina.post("/console/account/password", {"old": password, "new": new, "again": new})
    await rina.open("/console/settings")
    assert rina.path == "/console/settings"


async def test_where_everybody_needs_an_app_nothing_opens_before_it_is_enrolled(tmp_path):
    settings = build_settings(tmp_path, CONSOLE__TWO_STEP="true")
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        await room.add("auditor")
        browser = await new_browser(room).sign_in("anita", room.added["anita"][1])
        for path in ("/console/settings", "/console/staff", "/console/account"):
            await browser.open(path)
            assert browser.path == "/console/account/code"
        secret = hidden(browser)["secret"]
        await browser.post("/console/account/code", {"secret": secret, "code": compute_code(secret, utc_now())})
        await browser.open("/console/settings")
        assert browser.path == "/console/settings"


async def test_nobody_disables_or_demotes_themselves_or_the_last_administrator(room):
    admin = await room.open_browser("admin")
    path = f"/console/staff/{room.added['asha'][0]}"
    for change, fields in (("disable", {}), ("role", {"role": "auditor"}), ("password", {}), ("code", {})):
        await admin.post(f"{path}/{change}", {**REASON, **fields})
        assert (admin.status, "cannot do this to yourself" in admin.text) == (422, True)


async def test_one_member_does_not_end_the_sign_in_of_another(room):
    admin, auditor = await room.open_browser("admin"), await room.open_browser("auditor")
    ids = (await room.database.fetch(staff_sessions.select())).all()
    for row in ids:
        await auditor.post(f"/console/account/sign-ins/{row.id}/end")
    await admin.open("/console/account")
    assert admin.path == "/console/account"


async def make_old(room: StaffRoom) -> None:
    """Let the last proof of every sign-in be older than ten minutes."""
    async with room.database.transaction() as transaction:
        await transaction.execute(update(staff_sessions).values(proved_at=utc_now() - timedelta(minutes=11)))
