"""Of what goes to departments and comes from them, nothing personal is in logs or metrics, whatever goes wrong."""

import json
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.fakes.department_server import DepartmentServer, hangs_up, problem, saying
from tests.journeys.steps import ANSWERS, PIN, applies, registers
from tests.phone import Phone, running, settings_for
from tests.test_privacy import everything_said
from tests.texting import until

NUMBER = "+8801798765432"
NAME = "Shahanara Parvin"
NOTE = "Come with Ayesha on Sunday"


async def test_logs_and_metrics_hold_nothing_personal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.departments.courier.FIRST_WAIT", 0.01)

    async def quotes(_):
        return problem(422, f"{NAME}, {NUMBER} is not known here")

    async with DepartmentServer() as server:
        server.then("submit", hangs_up, saying(503), saying(401), saying(201, b"{"), quotes)
        connected = server.settings(ask_again=0.02)
        settings = settings_for(tmp_path, SERVER__LOG_LEVEL="debug", DEPARTMENTS__DNCC=connected)
        with everything_said() as said:
            async with running(settings) as url, ClientSession() as http:
                phone = Phone(http, url, NUMBER)
                await registers(phone, name=NAME)
                tracking = await applies(phone)
                await until(lambda: _tried(http, url))
                events = f"{url}/departments/dncc/events"
                moved = await server.moves(http, events, tracking, "ready", message="msg_private", en=NOTE)
                assert moved == (200, {"done": "now"})
                await server.tells(http, events, "msg_2", {"type": "application.moved", "tracking_number": NAME})
                await server.tells(http, events, "msg_3", json.dumps({"note": NOTE}).encode(), **{"webhook-id": "x"})
                async with http.get(f"{url}/metrics") as answer:
                    metrics = await answer.text()
    logs = said.getvalue()
    assert "a department's system does not let us in" in logs
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
        assert one not in metrics, f"{one} in the metrics"


async def _tried(http: ClientSession, url: str) -> bool:
    async with http.get(f"{url}/metrics") as answer:
        return 'end="Refused"} 1.0' in await answer.text() or 'end="Taken"} 1.0' in await answer.text()
