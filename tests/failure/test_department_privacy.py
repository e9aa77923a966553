"""Of what goes to departments and comes from them, nothing personal is in logs or metrics, whatever goes wrong."""

import json
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core.retry import Backoff
from tests.fakes.department_server import DepartmentServer, drop_connection, problem_response, respond
from tests.support.citizen_steps import ANSWERS, PIN, apply_for_birth_certificate, register
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs, remove_measurements
from tests.support.sms_phone import wait_until

NUMBER = "+8801798765432"
NAME = "Shahanara Parvin"
NOTE = "Come with Ayesha on Sunday"


async def test_logs_and_metrics_hold_nothing_personal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.departments.delivery_worker.BACKOFF", Backoff(0.01))

    async def quotes(_):
        return problem_response(422, f"{NAME}, {NUMBER} is not known here")

    async with DepartmentServer() as server:
        server.respond_with("submit", drop_connection, respond(503), respond(401), respond(201, b"{"), quotes)
        connected = server.connector_settings(health_check_interval=0.02)
        settings = build_settings(tmp_path, SERVER__LOG_LEVEL="debug", DEPARTMENTS__DNCC=connected)
        with capture_all_logs() as said:
            async with run_gateway(settings) as url, ClientSession() as http:
                phone = Phone(http, url, NUMBER)
                await register(phone, name=NAME)
                tracking = await apply_for_birth_certificate(phone)
                await wait_until(lambda: _wait_for_attempt(http, url))
                events = f"{url}/departments/dncc/events"
                moved = await server.move_application(
                    http, events, tracking, "ready", message_id="msg_private", en=NOTE
                )
                assert moved == (200, {"done": "now"})
                await server.send_webhook(http, events, "msg_2", {"type": "application.moved", "tracking_number": NAME})
                await server.send_webhook(
                    http, events, "msg_3", json.dumps({"note": NOTE}).encode(), **{"webhook-id": "x"}
                )
                async with http.get(f"{admin_url(url)}/metrics") as answer:
                    metrics = await answer.text()
    logs = said.getvalue()
    assert "department_denies_access" in logs
    for one in (
        NUMBER,
        NUMBER[4:],
        NAME,
        NOTE,
        PIN,
        tracking,
        server.token,
        server.secret[6:],
        *ANSWERS[:1],
        *ANSWERS[3:],
    ):
        assert one not in logs, f"{one} in the logs"
        assert one not in remove_measurements(metrics), f"{one} in the metrics"


async def _wait_for_attempt(http: ClientSession, url: str) -> bool:
    async with http.get(f"{admin_url(url)}/metrics") as answer:
        return 'outcome="rejected"} 1.0' in await answer.text() or 'outcome="accepted"} 1.0' in await answer.text()
