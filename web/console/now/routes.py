"""What happens now: requests, calls, queues, providers, departments, alarms. The page is live by server-sent events."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from core.alarms import ActiveAlarm
from web.console.now.board import NowBoard, Snapshot
from web.console.now.stream import NowStream
from web.console.rendering import format_duration, format_number
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute

PATH: Final = "/console/now"
STREAM_PATH: Final = "/console/now/stream"
NameDepartment = Callable[[str, str], str]
"""The name of the department with a code in a language."""


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm as it is written: what it is, and what to do."""

    text: str
    advice: str
    is_critical: bool


class NowPage:
    """Shows what happens now."""

    def __init__(
        self, board: NowBoard, name_department: NameDepartment, is_session_open: Callable[[int], Awaitable[bool]]
    ) -> None:
        self._board = board
        self._name_department = name_department
        parts = {"figures": self._render_figures, "alarms": self._render_alarms}
        self.stream = NowStream(board, parts, is_session_open)

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show, "now.view"),
            ConsoleRoute("GET", STREAM_PATH, self.stream.stream, "now.view"),
        )
        return ConsolePage("now", PATH, "now.view", routes)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """The whole page, which is right at this moment also where no script runs."""
        snapshot = await self._board.look()
        return request.render("now/now.html", stream_path=STREAM_PATH, **self._build_facts(request, snapshot))

    def _render_figures(self, request: ConsoleRequest, snapshot: Snapshot) -> str:
        return request.render("now/figures.html", **self._build_facts(request, snapshot)).text or ""

    def _render_alarms(self, request: ConsoleRequest, snapshot: Snapshot) -> str:
        return request.render("now/alarms.html", **self._build_facts(request, snapshot)).text or ""

    def _build_facts(self, request: ConsoleRequest, snapshot: Snapshot) -> Mapping[str, Any]:
        language = request.member.language
        names = {one.code: self._name_department(one.code, language) for one in snapshot.departments}
        return {"now_shown": snapshot, "names": names, "alarms": self._write_alarms(request, snapshot.alarms)}

    def _write_alarms(self, request: ConsoleRequest, active: Sequence[ActiveAlarm]) -> Sequence[AlarmLine]:
        return [self._write_alarm(request, one) for one in active]

    def _write_alarm(self, request: ConsoleRequest, active: ActiveAlarm) -> AlarmLine:
        translate, name, subject = request.translate, active.alarm.name, active.subject
        language = request.member.language
        if active.alarm.by == "department":
            subject = self._name_department(subject, language)
        age = format_duration(active.value, language)
        count = format_number(active.value, language)
        return AlarmLine(
            text=translate(f"now.alarm.{name}", subject=subject, age=age, count=count),
            advice=translate(f"now.advice.{name}"),
            is_critical=active.alarm.severity == "critical",
        )
