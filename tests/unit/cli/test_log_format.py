"""`server.log_format = "json"`: every line of a run is one JSON object, of every process."""

import asyncio
import json
import signal

from aiohttp import ClientSession, FormData

from tests.support.phone import Phone
from tests.support.program import run_gunicorn, run_program, run_server


def read_events(output):
    """Every line of the output as an object; a line that is none fails the test."""
    events = [json.loads(line) for line in output.splitlines()]
    for event in events:
        assert list(event)[:3] == ["timestamp", "level", "event"], event
    return events


def names(output):
    return {event["event"] for event in read_events(output)}


async def test_every_line_of_serve_is_an_object(tmp_path):
    with run_server(tmp_path, SERVER__LOG_FORMAT="json", SERVER__LOG_LEVEL="debug") as gateway:
        await wait_for_event(gateway, "gateway_listens")
        (listens,) = [event for event in read_events(gateway.output) if event["event"] == "gateway_listens"]
        async with ClientSession() as http:
            await Phone(http, listens["url"]).dial()
            async with http.post(
                f"{listens['url']}/ussd/africastalking", data=FormData({"a": "line\nbreak"})
            ) as answer:
                assert answer.status == 400
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait_for_exit() == 0
        assert {"hop", "webhook_malformed"} <= names(gateway.output)


async def test_every_line_of_gunicorn_is_an_object(tmp_path):
    with run_gunicorn(tmp_path, SERVER__LOG_FORMAT="json") as master:
        async with ClientSession() as http:
            await Phone(http, master.url).dial()
        master.send_signal(signal.SIGTERM)
        assert master.wait_for_exit() == 0
        said = [event["message"] for event in read_events(master.output) if event["event"] == "server"]
        assert any("Booting worker" in line for line in said)


def test_a_server_that_does_not_start_says_why_as_objects(tmp_path):
    refused = run_program(
        tmp_path,
        "serve",
        SERVER__LOG_FORMAT="json",
        SERVER__PORT="0",
        DATABASE__URL="postgresql+asyncpg://x@127.0.0.1:1/x",
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    events = read_events(refused.stderr)
    assert [event["event"] for event in events] == ["not_started"]
    assert events[0]["problem"]


def test_what_people_run_answers_in_words(tmp_path):
    refused = run_program(
        tmp_path, "audit", "export", SERVER__LOG_FORMAT="json", DATABASE__URL="postgresql+asyncpg://x@127.0.0.1:1/x"
    )
    assert refused.returncode == 2
    assert not refused.stderr.startswith("{")


async def wait_for_event(gateway, event):
    """Return once the program has logged the event."""
    async with asyncio.timeout(60):
        while f'"event": "{event}"' not in gateway.output:  # noqa: ASYNC110 - another process's output
            await asyncio.sleep(0.02)


def test_binds_that_cannot_be_held_say_why_as_objects(tmp_path):
    refused = run_program(tmp_path, "smpp", "--bind", "nothing", SERVER__LOG_FORMAT="json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert [event["event"] for event in read_events(refused.stderr)] == ["not_started"]
