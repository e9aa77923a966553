"""The catalogue in the console, and what a check of its files says."""

import sys

import pytest

from app.program_check import ProgramCheck, build_check_command
from tests.support.console import open_staff_room
from tests.support.phone import build_settings, run_gateway
from tests.support.program import ROOT, build_environment


@pytest.fixture
async def staff_room(tmp_path):
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


async def test_everybody_reads_what_citizens_are_offered(staff_room):
    browser = await staff_room.open_browser("helpdesk")
    await browser.open("/console/catalogue")
    assert "Services on USSD" in browser.text
    await browser.open("/console/catalogue/services?text=birth")
    assert "Birth certificate" in browser.text
    (link,) = [one for one in browser.links if one.endswith("/birth_certificate")]
    await browser.open(link)
    assert "Promised time" in browser.text
    assert "জন্ম" in browser.text, "its names in every language"
    assert "Question" in browser.text


@pytest.mark.parametrize("query", ["text=101", "sector=identity", "department=dncc", "channel=sms"])
async def test_a_filter_finds_fewer(staff_room, query):
    browser = await staff_room.open_browser("auditor")
    await browser.open("/console/catalogue/services")
    every = browser.html.count("/console/catalogue/services/")
    await browser.open(f"/console/catalogue/services?{query}")
    assert 0 < browser.html.count("/console/catalogue/services/") < every


async def test_a_service_that_is_not_there_is_not_found(staff_room):
    browser = await staff_room.open_browser("admin")
    await browser.open("/console/catalogue/services/nothing")
    assert browser.status == 404
    await browser.open("/console/catalogue/services?text=nothing+of+the+kind")
    assert "No service matches this" in browser.text


async def test_the_button_says_what_the_check_says(tmp_path, monkeypatch):
    script = "import sys; print('43 services: no problems'); print('<b>a note</b>', file=sys.stderr); sys.exit({})"
    command = [sys.executable, "-c", script.format(0)]
    monkeypatch.setattr("app.console_pages.catalogue_page.build_check_command", lambda _: command)
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        browser = await room.open_browser("officer")
        await browser.open("/console/catalogue")
        assert "/console/catalogue/check" in browser.form_actions
        await browser.post("/console/catalogue/check")
        assert "A gateway would start with these files" in browser.text
        assert "43 services: no problems" in browser.text
        assert "<b>a note" not in browser.html
        command[-1] = script.format(2)
        await browser.post("/console/catalogue/check")
        assert "A gateway would not start with these files" in browser.text


async def test_the_check_is_that_of_the_program_and_names_the_line(tmp_path):
    broken = tmp_path / "config.toml"
    broken.write_text('[server]\nlog_level = "loud"\n')
    report = await ProgramCheck(build_check_command(broken), build_environment(tmp_path)).run()
    assert not report.is_valid
    assert any("log_level" in line and ":2" in line for line in report.lines), report.lines


async def test_a_check_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr("app.program_check.CHECK_TIMEOUT", 0.2)
    with pytest.raises(TimeoutError):
        await ProgramCheck([sys.executable, "-c", "import time; time.sleep(60)"]).run()


async def test_settings_say_where_each_was_written(tmp_path):
    settings = build_settings(tmp_path, SERVER__KEEP_ALIVE="99")
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        browser = await room.open_browser("auditor")
        await browser.open("/console/settings")
    line = next(
        number
        for number, text in enumerate((ROOT / "config.toml").read_text().splitlines(), start=1)
        if text.startswith("drain_seconds")
    )
    assert f"drain_seconds 5.0 config.toml:{line}" in browser.text
    assert "keep_alive 99 changed EKDIAL_SERVER__KEEP_ALIVE" in browser.text
    assert "a secret for tests" not in browser.html
    assert "secret ••• changed EKDIAL_KEYS__SECRET" in browser.text
