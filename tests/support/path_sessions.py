"""USSD sessions without a server: handlers as of several processes over one store that fails when a test says so."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from app.localization import build_calendar
from app.menu import build_menu
from app.resources import Resources, open_resources
from menus.rendering.localization import build_screen_locales
from menus.rendering.paging import ScreenBudget
from menus.rendering.renderer import Renderer
from sessions.path_turns import UssdReply, UssdRequest, UssdSessionHandler
from sessions.session import Session, decode_session
from sessions.store import BeginResult, SessionStore, StoredSession, StoreUnavailableError
from tests.support.phone import build_settings
from tests.support.startup_cache import equal_inputs_read_once


class FaultyStore:
    """A session store whose loads or saves fail while `fails_to` names them, and that a test can empty."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self.fails_to: frozenset[str] = frozenset()
        self.is_young = False

    def _fail(self, what: str) -> None:
        if what in self.fails_to:
            raise StoreUnavailableError

    async def load(self, caller: str) -> StoredSession | None:
        self._fail("load")
        return await self._store.load(caller)

    async def begin(self, caller: str, session_id: str, ttl: int) -> BeginResult:
        self._fail("load")
        begun = await self._store.begin(caller, session_id, ttl)
        return BeginResult(begun.stored, "new") if self.is_young else begun

    async def save(self, caller: str, data: bytes, *, expected_version: int, ttl: int) -> bool:
        self._fail("save")
        return await self._store.save(caller, data, expected_version=expected_version, ttl=ttl)

    async def forget(self, caller: str) -> None:
        await self._store.forget(caller)

    async def was_emptied_within(self, _: int, __: str) -> bool:
        return self.is_young

    async def record_gap(self) -> None:
        self.is_young = True

    async def ping(self) -> None:
        await self._store.ping()


class Gateways:
    """Handlers of several processes over one database and one store."""

    def __init__(self, resources: Resources, handlers: Sequence[UssdSessionHandler], store: FaultyStore) -> None:
        self.resources = resources
        self.handlers = handlers
        self.store = store
        self._numbers = count(1)

    def new_call(self, *, echoes: bool = True) -> "Call":
        """A call of another caller."""
        number = next(self._numbers)
        return Call(self, f"+88017{number:08}", f"session-{number}", echoes=echoes)

    async def find_session(self, caller: str) -> Session | None:
        """The stored session of a caller."""
        stored = await self.resources.store.sessions.load(caller)
        return decode_session(stored.data) if stored else None


@asynccontextmanager
async def open_gateways(tmp_path: Path, *, processes: int = 2, **environment: str) -> AsyncIterator[Gateways]:
    """Handlers of this number of processes, with the menus and services of a gateway."""
    settings = build_settings(tmp_path, **environment)
    async with open_resources(settings) as resources:
        store = FaultyStore(resources.store.sessions)

        def build_handler() -> UssdSessionHandler:
            with equal_inputs_read_once():
                checked = build_menu(settings, resources)
            options: dict[str, Any] = {"sessions": store, "menu": checked.menu}
            return UssdSessionHandler(
                **options,
                renderer=Renderer(checked.menu, build_screen_locales(checked.locales)),
                find_language=checked.services.caller_activity.find_language_choice,
                is_supported_number=lambda _: True,
                remember_offer=checked.services.accounts.languages.remember_offer,
                today=build_calendar(settings),
            )

        yield Gateways(resources, [build_handler() for _ in range(processes)], store)


class Call:
    """A call of a phone, whose provider echoes metadata or not. Key presses are sent by `press`, again by `send`."""

    def __init__(self, gateways: Gateways, caller: str, session_id: str, *, echoes: bool) -> None:
        self.gateways = gateways
        self.caller = caller
        self.session_id = session_id
        self.echoes = echoes
        self.requests: list[UssdRequest] = []
        self.metadata = ""
        self.path = ""

    async def press(self, key: str = "", *, process: int = 0) -> UssdReply:
        """Dial without a key, then press keys; the reply of a process."""
        self.path = f"{self.path}*{key}" if self.path else key
        request = self.build_request()
        self.requests.append(request)
        reply = await self.send(request, process=process)
        self.metadata = str(reply.hop_metadata or "")
        return reply

    def build_request(self) -> UssdRequest:
        """The request for everything typed so far."""
        return UssdRequest(
            session_id=self.session_id,
            caller=self.caller,
            path=self.path,
            channel="ussd",
            budget=ScreenBudget(),
            caller_number_verified=True,
            echoed_metadata=self.metadata if self.echoes else "",
        )

    async def send(self, request: UssdRequest, *, process: int = 0) -> UssdReply:
        """The reply to a request."""
        return await self.gateways.handlers[process].handle(request)


def comparable(reply: UssdReply) -> str:
    """A screen without the numbers that differ from call to call."""
    return re.sub(r"\d{4} \d{4} \d{4}", "NUMBER", reply.reply.text)
