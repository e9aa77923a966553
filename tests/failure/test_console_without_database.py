"""The console while the database is down: whoever asks gets a page that says so, and works again afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from db.database import Database
from tests.support.console import StaffBrowser
from tests.support.console_pages import SAMPLES, Scene, fill, open_scene, seed_all


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path) as scene:
        yield scene


def refuse(*_: Any, **__: Any) -> NoReturn:
    raise OperationalError("SELECT", {}, OSError("connection refused"))


async def test_every_page_says_that_the_database_is_down(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    names = await seed_all(scene)
    browser = await scene.room.open_browser("admin")
    stranger = StaffBrowser(scene.room.http, scene.url)
    with monkeypatch.context() as outage:
        outage.setattr(Database, "fetch", refuse)
        outage.setattr(Database, "transaction", refuse)
        for action, samples in SAMPLES.items():
            sample = fill(samples[0], names)
            await browser.open_once(sample.method, sample.path, sample.fields)
            assert (browser.status, browser.headers.get("Retry-After")) == (503, "10"), action
            assert "The database may be down" in browser.text, action
            assert browser.headers["Cache-Control"] == "no-store", action
        await browser.request("GET", "/console/now", None, {"Accept-Language": "bn"})
        assert "ডেটাবেস" in browser.text
        await stranger.sign_in("asha", "a password that is long")
        assert (stranger.status, stranger.token) == (503, "")
    await browser.open("/console/account")
    assert browser.status == 200
