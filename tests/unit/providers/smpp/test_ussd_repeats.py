"""What a bind makes of key presses that are repeated, late, refused or cut off, with menus that answer when they are told to."""

import asyncio
from dataclasses import replace

import pytest

from menus.rendering.paging import ScreenBudget
from providers.smpp.calls import Calls
from providers.smpp.dialects import DIALECTS
from providers.smpp.pdus import Deliver, Submit
from providers.smpp.session import AnswerLostError, LinkDownError, LinkSuspendedError, SubmitResult
from providers.smpp.text import TextRules
from providers.smpp.ussd import INVALID_PARAMETER, ScreenNotShownError, SmppUssd
from sessions.path_turns import UssdReply
from sessions.session import Reply
from sessions.store import StoredSession, StoreUnavailableError
from ussd.provider import ShortCodeConfig, UssdEndEvent, UssdInput

OP, INFO = 0x0501, 0x1383
ROK, REFUSED, RTHROTTLED = 0, 0x45, 0x58
DIAL, ANSWER, ABORT = 1, 18, 0x81


class Store:
    """A session store in memory, which can be down."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredSession] = {}
        self.is_down = False

    async def load(self, caller: str) -> StoredSession | None:
        self._check()
        return self.rows.get(caller)

    async def save(self, caller: str, data: bytes, *, expected_version: int, ttl: int) -> bool:
        self._check()
        row = self.rows.get(caller)
        if (row.version if row else 0) != expected_version:
            return False
        self.rows[caller] = StoredSession(expected_version + 1, data)
        return True

    async def forget(self, caller: str) -> None:
        self._check()
        self.rows.pop(caller, None)

    def _check(self) -> None:
        if self.is_down:
            raise StoreUnavailableError


class Menus:
    """Takes requests, and sends a reply to each when `answer` is called."""

    def __init__(self) -> None:
        self.requests: list[UssdInput] = []
        self.ended: list[UssdEndEvent] = []
        self.errors: list[type[Exception]] = []
        self._waiting: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start_push(self, sender: SmppUssd, request: UssdInput, started: float) -> asyncio.Task[None]:
        self.requests.append(request)
        self._waiting.append(asyncio.Event())
        self._tasks.append(asyncio.create_task(self._push(sender, request, len(self.requests))))
        return self._tasks[-1]

    async def record_end(self, event: UssdEndEvent) -> None:
        self.ended.append(event)

    async def answer(self, number: int = 0) -> None:
        """Send the screen of this request, counted from 1; 0: of the newest."""
        self._waiting[number - 1].set()
        await asyncio.wait({self._tasks[number - 1]})

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The id of each request within its session, and what was typed."""
        return [(request.message_id, request.text) for request in self.requests]

    async def _push(self, sender: SmppUssd, request: UssdInput, number: int) -> None:
        await self._waiting[number - 1].wait()
        try:
            await sender.push_reply(request, UssdReply(Reply(f"screen {number}", ends=request.text == "9"), "answered"))
        except Exception as error:  # noqa: BLE001 - as the handler does
            self.errors.append(type(error))


class Bind:
    """USSD over a bind in one dialect, and what was submitted on it."""

    def __init__(self, dialect: str = "mica", *, store: Store | None = None, **changes: bool) -> None:
        self.menus, self.submitted = Menus(), list[Submit]()
        self.store = store or Store()
        self.results: list[SubmitResult | Exception] = []
        self.ussd = SmppUssd(
            bind="robi",
            dialect=replace(DIALECTS[dialect], **changes),
            rules=TextRules(),
            country_code="",
            network="47002",
            config=ShortCodeConfig(("*384*70001#", "*123#"), ScreenBudget(), {}),
            calls=Calls(bind="robi", store=self.store, ttl=600),
            handler=self.menus,
            submit=self._submit,
        )

    async def press(self, op: int, text: str = "", *, info: str = "", source: str = "8801711000001") -> int:
        tlvs = {OP: bytes([op]), 0x0204: b"\0\7"} | ({INFO: bytes.fromhex(info)} if info else {})
        return await self.ussd.on_deliver(Deliver(source, "123", text.encode(), tlvs=tlvs))

    async def dial(self) -> None:
        assert await self.press(DIAL, "*123#") == ROK
        await self.menus.answer()

    @property
    def screens(self) -> list[str]:
        return [submit.text.decode() for submit in self.submitted]

    async def _submit(self, submit: Submit) -> SubmitResult:
        self.submitted.append(submit)
        result = self.results.pop(0) if self.results else SubmitResult(ROK, "1")
        if isinstance(result, Exception):
            raise result
        return result


async def test_a_key_press_is_acknowledged_before_its_screen_is_there() -> None:
    bind = Bind()
    assert await bind.press(DIAL, "*123#") == ROK
    assert bind.screens == []
    await bind.menus.answer()
    assert bind.screens == ["screen 1"]


async def test_a_dialect_that_wants_the_screen_first_gets_it_first() -> None:
    bind = Bind(answers_first=True)
    pressing = asyncio.create_task(bind.press(DIAL, "*123#"))
    await asyncio.sleep(0)
    assert not pressing.done()
    await bind.menus.answer()
    assert (await pressing, bind.screens) == (ROK, ["screen 1"])


async def test_a_repeat_while_the_screen_is_on_its_way_is_acknowledged_and_dropped() -> None:
    bind = Bind()
    await bind.dial()
    assert [await bind.press(ANSWER, "1"), await bind.press(ANSWER, "1")] == [ROK, ROK]
    await bind.menus.answer()
    assert bind.menus.keys == [("0", ""), ("1", "1")]


async def test_a_repeated_dial_whose_screen_was_refused_is_the_same_request_once_more() -> None:
    bind = Bind()
    bind.results = [SubmitResult(REFUSED, "")]
    await bind.dial()
    await bind.press(DIAL, "*123#")
    await bind.menus.answer()
    assert bind.menus.errors == [ScreenNotShownError]
    assert bind.menus.requests[0] == bind.menus.requests[1]


@pytest.mark.parametrize("deadline", [8.0, 0.0], ids=["refused", "down"])
async def test_an_answer_whose_screen_was_not_sent_is_the_same_request_once_more(
    monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    monkeypatch.setattr("providers.smpp.ussd.PUSH_DEADLINE", deadline)
    bind = Bind()
    await bind.dial()
    bind.results = [LinkSuspendedError() if deadline else LinkDownError()]
    for _ in range(2):
        await bind.press(ANSWER, "1")
        await bind.menus.answer()
    await bind.press(ANSWER, "2")
    assert bind.menus.keys == [("0", ""), ("1", "1"), ("1", "1"), ("2", "2")]


async def test_a_bind_that_comes_back_gets_the_screen() -> None:
    bind = Bind()
    bind.results = [LinkDownError(), LinkDownError(), SubmitResult(RTHROTTLED, ""), LinkDownError()]
    await bind.dial()
    assert (set(bind.screens), bind.menus.errors) == ({"screen 1"}, [])
    assert bind.results == []


async def test_who_answers_a_screen_has_seen_it_though_the_smsc_never_said_so() -> None:
    bind = Bind()
    bind.results = [AnswerLostError()]
    await bind.dial()
    await bind.press(ANSWER, "1")
    assert bind.menus.keys == [("0", ""), ("1", "1")]


async def test_the_same_key_twice_is_two_answers_where_a_screen_was_between() -> None:
    bind = Bind()
    await bind.dial()
    for _ in range(2):
        await bind.press(ANSWER, "1")
        await bind.menus.answer()
    assert bind.menus.keys == [("0", ""), ("1", "1"), ("2", "1")]


async def test_an_smsc_that_counts_is_believed_and_one_that_does_not_is_not() -> None:
    counting, fixed = Bind("standard"), Bind("standard")
    for bind, infos in ((counting, ("0500", "0502", "0502", "0504")), (fixed, ("0500", "0500", "0500", "0500"))):
        await bind.press(DIAL, "*123#", info=infos[0])
        await bind.menus.answer()
        for info in infos[1:]:
            await bind.press(ANSWER, "1", info=info)
            await bind.menus.answer()
    assert [key for key, _ in counting.menus.keys] == ["0", "1", "2"]
    assert [key for key, _ in fixed.menus.keys] == ["0", "1", "2", "3"]


async def test_a_busy_smsc_gets_the_screen_again() -> None:
    bind = Bind()
    bind.results = [SubmitResult(RTHROTTLED, ""), SubmitResult(RTHROTTLED, "")]
    await bind.dial()
    assert (bind.screens, bind.menus.errors) == (["screen 1"] * 3, [])


async def test_an_abort_ends_the_session_and_its_screen_is_not_sent() -> None:
    bind = Bind()
    await bind.dial()
    await bind.press(ANSWER, "1")
    assert await bind.press(ABORT) == ROK
    await bind.menus.answer()
    assert bind.screens == ["screen 1"]
    assert [(event.status, event.hop_count) for event in bind.menus.ended] == [("Incomplete", 1)]
    assert bind.menus.ended[0].session_id == bind.menus.requests[0].session_id
    assert bind.store.rows == {}


async def test_the_last_screen_ends_the_session() -> None:
    bind = Bind()
    await bind.dial()
    await bind.press(ANSWER, "9")
    await bind.menus.answer()
    assert bind.submitted[-1].tlvs[OP] == b"\x11"
    assert [(event.status, event.hop_count) for event in bind.menus.ended] == [("Success", 2)]
    assert bind.store.rows == {}


async def test_who_dials_again_gets_a_new_session_and_no_screen_of_the_old_one() -> None:
    bind = Bind("huawei")
    await bind.dial()
    await bind.press(ANSWER, "1")
    await bind.press(DIAL, "*123#")
    await bind.menus.answer(3)
    await bind.menus.answer(2)
    assert bind.screens == ["screen 1", "screen 3"]
    sessions = [request.session_id for request in bind.menus.requests]
    assert sessions[0] == sessions[1] != sessions[2]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_process_that_takes_over_goes_on_with_the_session(dialect: str) -> None:
    first = Bind(dialect)
    await first.press(DIAL, "*123#", info="0500")
    await first.menus.answer()
    second = Bind(dialect, store=first.store)
    await second.press(ANSWER, "1", info="0502" if dialect == "standard" else "0500")
    assert second.menus.keys == [("1", "1")]
    assert second.menus.requests[0].session_id == first.menus.requests[0].session_id
    assert not second.menus.requests[0].starts_session
    assert (second.menus.requests[0].used_code, second.menus.requests[0].network) == ("*123#", "47002")


async def test_a_session_that_nobody_knows_is_no_new_one() -> None:
    bind = Bind()
    await bind.press(ANSWER, "1")
    await bind.menus.answer()
    await bind.press(ANSWER, "2")
    assert [request.starts_session for request in bind.menus.requests] == [False, False]
    assert bind.menus.requests[0].session_id == bind.menus.requests[1].session_id


async def test_a_call_goes_on_while_the_store_is_down() -> None:
    bind = Bind()
    bind.store.is_down = True
    await bind.dial()
    await bind.press(ANSWER, "1")
    await bind.menus.answer()
    assert bind.menus.keys == [("0", ""), ("1", "1")]
    bind.store.is_down = False
    await bind.press(ANSWER, "2")
    await bind.menus.answer()
    assert len(bind.store.rows) == 1


@pytest.mark.parametrize(
    ("op", "source"), [(77, "8801711000001"), (DIAL, "EKDIAL"), (DIAL, "")], ids=["operation", "name", "nobody"]
)
async def test_what_is_no_key_press_of_a_number_is_refused(op: int, source: str) -> None:
    bind = Bind()
    assert await bind.press(op, "*123#", source=source) == INVALID_PARAMETER
    assert bind.menus.requests == []


async def test_a_confirmed_notification_is_acknowledged() -> None:
    bind = Bind()
    assert (await bind.press(19), bind.menus.requests) == (ROK, [])
