"""Callers: each plays one conversation, compares every screen, and dials again after trouble until it has what it wants."""

import asyncio
import random
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from chaos.carrier import Delivery, KeyPress, ScreenReply
from chaos.scripts import (
    DETOURS,
    LANGUAGE_SCREEN,
    NUMBER,
    PIN_QUESTION,
    RecordedScript,
    find_number,
    is_refusal,
    normalise_screen,
)

LATE: Final = 8.0  # seconds
REDIAL_WAIT: Final = (1.0, 2.5)  # seconds that a caller waits before dialling again
MAX_DIALS: Final = 25
MAX_SAMPLES: Final = 40


@dataclass
class ConversationResult:
    """What one caller was told. `told` is the number on the last screen, or `yes` where that screen has none."""

    msisdn: str
    script: str
    effect: str
    told: str = ""
    dials: int = 0
    ended_as: str = "open"  # done, wrong, gave_up, open


@dataclass
class Tally:
    """Everything that the callers of one process saw. A request is (seconds of the monotonic clock, seconds of wait, verdict)."""

    requests: list[tuple[float, float, str]] = field(default_factory=list)
    conversations: list[ConversationResult] = field(default_factory=list)
    samples: list[dict[str, object]] = field(default_factory=list)  # of wrong screens
    failures: dict[str, int] = field(default_factory=dict)  # of single gateways, by reason

    def add(self, other: "Tally") -> None:
        """Add what other callers saw."""
        self.requests += other.requests
        self.conversations += other.conversations
        self.samples += other.samples
        for reason, count in other.failures.items():
            self.failures[reason] = self.failures.get(reason, 0) + count

    def to_json(self) -> dict[str, object]:
        """The tally as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Tally":
        """The tally that `to_json` returned."""
        return cls(
            requests=[(at, seconds, verdict) for at, seconds, verdict in values["requests"]],
            conversations=[ConversationResult(**it) for it in values["conversations"]],
            samples=values["samples"],
            failures=values["failures"],
        )


class _TroubleError(Exception):
    """The call ended in a refusal or without an answer; the key press before it is still to be made."""


class _HungUpError(Exception):
    """The run is over; the caller presses no more keys."""


class _WrongScreenError(Exception):
    """The screen is none that the script has there."""


@dataclass
class Caller:
    """One caller with one intention."""

    msisdn: str
    script: RecordedScript
    number: str  # that a script types for NUMBER
    echoes_metadata: bool
    delivery: Delivery
    tally: Tally
    think_time: float  # mean seconds between two key presses
    hang_up: asyncio.Event
    hides_language: bool = False

    def __post_init__(self) -> None:
        self.result = ConversationResult(self.msisdn, self.script.name, self.script.effect)
        self.tally.conversations.append(self.result)
        self._position = 0  # keys of the script that are answered
        self._knows_language = self.script.caller == "registered"
        self._session_id = self._path = self._metadata = ""

    async def play(self) -> None:
        """Play the script to its end, over as many calls as it takes."""
        while self.result.dials < MAX_DIALS:
            try:
                await self._call()
            except _TroubleError:
                await asyncio.sleep(random.uniform(*REDIAL_WAIT))
                continue
            except _HungUpError:
                return
            except _WrongScreenError:
                self.result.ended_as = "wrong"
                return
            self.result.ended_as = "done"
            return
        self.result.ended_as = "gave_up"

    async def _call(self) -> None:
        self.result.dials += 1
        self._session_id, self._path, self._metadata = f"ATUid_{secrets.token_hex(16)}", "", ""
        screen = await self._follow_detours(await self._send(self._first_screens()))
        self._position = self._locate(screen, self._position)
        while self._position < len(self.script.keys):
            await self._think()
            screen = await self._press(self.script.keys[self._position], self._expected_next())
            screen = await self._follow_detours(screen)
            self._position = self._locate(screen, self._position + 1)

    async def _follow_detours(self, screen: str) -> str:
        """Answer what only a first call or a call after trouble asks; the first screen of the script that follows."""
        while screen in DETOURS and screen not in self.script.screens:
            self._knows_language = True
            await self._think()
            anywhere = {*self.script.screens, *DETOURS}  # where an earlier call ended
            expected = {self.script.screens[0]} if screen == LANGUAGE_SCREEN else anywhere
            screen = await self._press(DETOURS[screen], expected)
        return screen

    def _first_screens(self) -> set[str]:
        main_menu = self.script.screens[0]
        if self.result.dials == 1:
            known = {main_menu, LANGUAGE_SCREEN} if self.hides_language else {main_menu}
            return known if self._knows_language else {LANGUAGE_SCREEN}
        return {main_menu, *DETOURS}

    def _expected_next(self) -> set[str]:
        if self.result.dials == 1:
            return {self.script.screens[self._position + 1]}
        if self.script.screens[self._position] == PIN_QUESTION:  # whoever signs in again is where the call ended
            return {*self.script.screens, *DETOURS}
        return {self.script.screens[self._position + 1], *DETOURS}

    def _locate(self, screen: str, near: int) -> int:
        position = self.script.find_position(screen, near)
        if position is None:
            raise _WrongScreenError
        return position

    async def _press(self, key: str, expected: set[str]) -> str:
        if key == NUMBER:
            key = self.number
        self._path = f"{self._path}*{key}" if self._path else key
        return await self._send(expected)

    async def _send(self, expected: set[str]) -> str:
        """Send the path; the normalised screen, which is one of the expected ones.

        Raises:
            _HungUpError: the run is over.
            _TroubleError: the call is over.
            _WrongScreenError: it is not one of them.
        """
        if self.hang_up.is_set():
            raise _HungUpError
        sent_at = time.monotonic()
        metadata = self._metadata if self.echoes_metadata else ""
        reply = await self.delivery.deliver(KeyPress(self.msisdn, self._session_id, self._path, metadata))
        self._metadata = reply.metadata
        screen = normalise_screen(reply.body)
        verdict = _judge(reply, screen, expected)
        self.tally.requests.append((sent_at, reply.seconds, verdict))
        if verdict == "ok":
            self._note_effect(reply.body, screen)
            return screen
        if verdict == "wrong":
            self._keep_sample(reply, expected)
            raise _WrongScreenError
        raise _TroubleError

    def _note_effect(self, body: str, screen: str) -> None:
        if self.script.effect and screen in self.script.screens[-self.script.told_from :]:
            self.result.told = find_number(body) or "yes"

    def _keep_sample(self, reply: ScreenReply, expected: set[str]) -> None:
        if len(self.tally.samples) < MAX_SAMPLES:
            self.tally.samples.append(
                {
                    "at": time.monotonic(),
                    "script": self.script.name,
                    "position": self._position,
                    "dials": self.result.dials,
                    "echoes": self.echoes_metadata,
                    "path": self._path,
                    "expected": sorted(expected)[:3],
                    "shown": reply.body,
                }
            )

    async def _think(self) -> None:
        await asyncio.sleep(random.expovariate(1 / self.think_time) if self.think_time else 0)


def _judge(reply: ScreenReply, screen: str, expected: set[str]) -> str:
    if not reply.body:
        return "cut off" if reply.is_cut_off else "lost"
    if is_refusal(screen):
        return "refused"
    return "ok" if screen in expected else "wrong"


@dataclass(frozen=True)
class Load:
    """How many callers come: `rate` is requests a second of one process, in the long run."""

    rate: float
    think_time: float = 0.5
    echo_share: float = 0.5
    drain: float = 25.0  # seconds in which conversations under way may end
    max_open: int = 0  # conversations at a time; 0: any number
    hides_language: bool = False  # the first screen may ask a registered caller for the language


def draw_scripts(scripts: Sequence[RecordedScript]) -> Iterator[RecordedScript]:
    """Scripts without end, drawn by their weights."""
    weights = [script.weight for script in scripts]
    while True:
        yield random.choices(scripts, weights)[0]


def mean_requests(scripts: Sequence[RecordedScript]) -> float:
    """Requests of one conversation on average: its keys, the dialling, and the language of a new caller."""
    total = sum(script.weight for script in scripts)
    return sum((len(it.keys) + 1 + (it.caller == "new")) * it.weight for it in scripts) / total


async def run_callers(
    *,
    scripts: Sequence[RecordedScript],
    load: Load,
    delivery: Delivery,
    registered: Iterator[str],
    strangers: Iterator[str],
    tracking_numbers: Sequence[str],
    stopped: asyncio.Event,
) -> Tally:
    """Start conversations at the rate of `load` until `stopped`; return what was seen once they have ended."""
    tally, tasks, hang_up = Tally(), set[asyncio.Task[None]](), asyncio.Event()
    sessions_per_second = load.rate / mean_requests(scripts)
    next_start = time.monotonic()
    for script in draw_scripts(scripts):
        next_start += random.expovariate(sessions_per_second)
        await _wait(stopped, next_start - time.monotonic())
        while load.max_open and len(tasks) >= load.max_open:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            break
        msisdn = next(registered if script.caller == "registered" else strangers, "")
        if not msisdn:
            continue  # all registered callers have called
        caller = Caller(
            msisdn=msisdn,
            script=script,
            number=random.choice(tracking_numbers),
            echoes_metadata=random.random() < load.echo_share,
            delivery=delivery,
            tally=tally,
            think_time=load.think_time,
            hang_up=hang_up,
            hides_language=load.hides_language,
        )
        task = asyncio.create_task(caller.play())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=load.drain)
    hang_up.set()
    if tasks:
        await asyncio.wait(tasks)  # what is in flight is answered, or lost
    return tally


async def _wait(stopped: asyncio.Event, seconds: float) -> None:
    if seconds > 0:
        try:
            async with asyncio.timeout(seconds):
                await stopped.wait()
        except TimeoutError:
            return
