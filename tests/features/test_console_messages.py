"""Messages in the console: lists by state, what only a person settles, refused texts, and no text of a message."""

import pytest
from sqlalchemy import select

from core.types import utc_now
from db.tables import audit, messages
from tests.support.browser import launch_chromium
from tests.support.console import StaffBrowser
from tests.support.console_pages import Scene
from tests.support.console_pages import messages as sample
from tests.support.keyboard import Keyboard
from web.console.messages.routes import PAGE_ROWS

REASON = {"reason": "the portal says so"}


@pytest.fixture
async def admin(scene: Scene) -> StaffBrowser:
    return await scene.room.open_browser("admin")


@pytest.fixture
async def ids(scene: Scene) -> dict[str, str]:
    return dict(await sample.seed(scene))


async def read_status(scene: Scene, message: str) -> str:
    query = select(messages.c.status).where(messages.c.id == int(message))
    return str((await scene.room.database.fetch(query)).scalar_one())


async def read_acts(scene: Scene) -> list[tuple[str, str, dict[str, str]]]:
    rows = await scene.room.database.fetch(select(audit).where(audit.c.subject_kind.in_(("message", "template"))))
    return [(row.act, row.subject, row.details) for row in rows]


@pytest.mark.parametrize("resolution", ["sent", "failed", "again"])
async def test_an_unknown_message_is_settled_with_a_reason(
    scene: Scene, admin: StaffBrowser, ids: dict[str, str], resolution: str
) -> None:
    message = ids["unknown_message"]
    await admin.open("/console/messages")
    assert f"/console/messages/{message}" in admin.links
    async with scene.room.database.transaction() as transaction:
        await transaction.execute(messages.update().values(not_after=utc_now().replace(year=2999)))
    await admin.post(f"/console/messages/{message}/settle", {**REASON, "resolution": resolution})
    assert 'class="done"' in admin.html
    assert await read_status(scene, message) == {"again": "queued"}.get(resolution, resolution)
    details = {"reason": "the portal says so", "resolution": resolution}
    assert await read_acts(scene) == [("message_settled", message, details)]
    await admin.post(f"/console/messages/{message}/settle", {**REASON, "resolution": "sent"})
    assert admin.status == 422
    assert "The result of this message is known by now." in admin.text


async def test_what_is_missing_is_said_and_nothing_changes(
    scene: Scene, admin: StaffBrowser, ids: dict[str, str]
) -> None:
    message = ids["unknown_message"]
    await admin.post(f"/console/messages/{message}/settle", REASON)
    assert "Choose what became of the message." in admin.text
    await admin.post(f"/console/messages/{message}/settle", {"resolution": "sent", "reason": " "})
    assert "Write a reason" in admin.text
    assert await read_status(scene, message) == "unknown"


async def test_a_list_goes_on_with_older_ones_and_has_each_once(scene: Scene, admin: StaffBrowser) -> None:
    await sample.add_failed(scene, PAGE_ROWS + 2)
    await admin.open("/console/messages?state=failed")
    first = [one for one in admin.links if one.removeprefix("/console/messages/").isdigit()]
    (older,) = [one for one in admin.links if "before=" in one]
    await admin.open(older)
    second = [one for one in admin.links if one.removeprefix("/console/messages/").isdigit()]
    assert len(first) == PAGE_ROWS
    assert len(second) == 2
    assert not set(first) & set(second)
    assert not [one for one in admin.links if "before=" in one]


async def test_a_refused_text_is_released_once(scene: Scene, admin: StaffBrowser, ids: dict[str, str]) -> None:
    assert ids
    await admin.open("/console/messages?state=held")
    assert "received.hi" in admin.text
    await admin.post("/console/messages/release", {**REASON, "text": "received.hi"})
    assert "The messages of this text are sent now." in admin.text
    assert await read_acts(scene) == [("template_released", "received.hi", {"reason": "the portal says so"})]
    await admin.post("/console/messages/release", {**REASON, "text": "received.hi"})
    assert "No messages of this text wait because it is refused." in admin.text


async def test_a_message_leads_to_its_citizen_and_the_look_is_on_the_record(scene: Scene, ids: dict[str, str]) -> None:
    hasan = await scene.room.open_browser("helpdesk")
    await hasan.open(f"/console/messages/{ids['unknown_message']}")
    assert "a text" not in hasan.text
    assert sample.RECIPIENT[4:] not in hasan.html
    assert "/settle" not in " ".join(hasan.form_actions), "the helpdesk settles nothing"
    await hasan.post(f"/console/messages/{ids['unknown_message']}/citizen")
    assert hasan.path.startswith("/console/citizens/")
    assert sample.RECIPIENT[4:] not in hasan.path
    looks = await scene.room.database.fetch(select(audit.c.act, audit.c.subject).where(audit.c.actor == "hasan"))
    assert ("account_viewed", "…031") in [tuple(row) for row in looks]


async def test_there_is_no_message_that_there_is_not(admin: StaffBrowser) -> None:
    for message in ("0", "4711", "x", "9" * 30):
        await admin.open(f"/console/messages/{message}")
        assert admin.status == 404
        await admin.post(f"/console/messages/{message}/citizen")
        assert admin.status == 404


async def test_the_texts_to_register_are_a_file(admin: StaffBrowser) -> None:
    await admin.open("/console/messages?state=held")
    assert "/console/messages/texts.csv" in admin.links
    await admin.open("/console/messages/texts.csv")
    assert admin.headers["Content-Disposition"] == 'attachment; filename="texts.csv"'
    assert admin.html.lstrip("\ufeff").startswith("name,headers,category,text,")


async def test_an_unknown_message_is_settled_by_keyboard_alone(scene: Scene, ids: dict[str, str]) -> None:
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await scene.room.sign_in_chromium(context, "admin")
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/citizens")
        keyboard = Keyboard(page)
        await keyboard.follow("Messages", "link")
        await keyboard.follow(f"Message {ids['unknown_message']}", "link")
        await keyboard.reach("Settle it")
        await keyboard.press("Enter")
        await keyboard.reach("It has arrived", "radio")
        await keyboard.press("Space")
        await keyboard.fill("Reason", REASON["reason"])
        await keyboard.follow("Settle it", "button")
        assert "It is recorded that the message has arrived." in await page.inner_text("main")
    assert await read_status(scene, ids["unknown_message"]) == "sent"
