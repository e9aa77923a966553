"""What a target of the fuzzing is, how its failures become cases, and how a case is made small."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, thread_time
from typing import Any, Protocol, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy

CASES = Path(__file__).parents[1] / "failure" / "cases"
MAX_FAILURES = 10  # of one target in one run; each is of another kind
MAX_SHRINK_TRIES = 400
HYPOTHESIS_BATCH = 200  # examples between two looks at the clock

Sequenced = TypeVar("Sequenced", str, bytes, list[Any])


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed: the input as JSON, and why."""

    input: Any
    reason: str

    @property
    def kind(self) -> str:
        """The reason without what differs between two failures of one kind."""
        return re.sub(r"'.*|\".*|\d+", "", self.reason)[:80]


@dataclass(kw_only=True)
class TargetResult:
    """How many examples ran, how many different states they showed, and what failed.

    `slowest` is the CPU time of the slowest example in seconds; `notes` are lines for the report.
    """

    examples: int = 0
    seen: int = 0
    slowest: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_failure(self, failure: Failure) -> None:
        """Keep one failure of each kind."""
        if failure.kind not in {known.kind for known in self.failures}:
            self.failures.append(failure)


@dataclass(frozen=True, slots=True)
class ExampleLimit:
    """How many examples are wanted: so many, or as many as there is time for."""

    count: int = 10**12
    until: float = float("inf")

    def __call__(self, done: int) -> bool:
        """Whether one more is wanted after so many."""
        return done < self.count and monotonic() < self.until


class Target(Protocol):
    """A part of the program that gets foreign input."""

    async def run(self, seed: str, wanted: ExampleLimit) -> TargetResult:
        """Try examples while `wanted` says so."""

    async def replay(self, value: Any) -> None:
        """Try the input of a case; raises what fails."""


def wanted_for(seconds: float) -> ExampleLimit:
    """As many as there is time for in so many seconds."""
    return ExampleLimit(until=monotonic() + seconds)


def describe(error: BaseException) -> str:
    """An error on one line."""
    return f"{type(error).__name__}: {error}".replace("\n", "\\n")[:600]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTarget:
    """A reader of text or bytes: how its inputs are made, and the check of each.

    `check` returns what kind of result an input had, so that the different ones are counted. `max_seconds` is the CPU
    time that one input may take.
    """

    make: Callable[[Random], str | bytes]
    check: Callable[[Any], Awaitable[object]]
    max_seconds: float = 0.25

    async def run(self, seed: str, wanted: ExampleLimit) -> TargetResult:
        """Try examples while `wanted` says so; the same seed makes the same inputs."""
        result, states = TargetResult(), set()
        while wanted(result.examples) and len(result.failures) < MAX_FAILURES:
            made = self.make(Random(f"{seed}/{result.examples}"))
            began = thread_time()
            try:
                states.add(await self.check(made))
            except Exception as error:  # noqa: BLE001 - whatever fails is a finding
                result.add_failure(await self._shrink(made, error))
            took = thread_time() - began
            result.slowest = max(result.slowest, took)
            if took > self.max_seconds and not result.failures:
                result.add_failure(Failure(encode(made), f"it took {took:.2f} s"))
            result.examples += 1
        result.seen = len(states)
        return result

    async def replay(self, value: Any) -> None:
        """Try the input of a case; raises what fails."""
        await self.check(decode(value))

    async def _shrink(self, made: Any, error: Exception) -> Failure:
        first = Failure(encode(made), describe(error))

        async def fails(smaller: Any) -> bool:
            try:
                await self.check(smaller)
            except Exception as again:  # noqa: BLE001 - whatever fails is a finding
                return Failure("", describe(again)).kind == first.kind
            return False

        return Failure(encode(await shrink(made, fails)), first.reason)


async def shrink(sequence: Sequenced, fails: Callable[[Sequenced], Awaitable[bool]]) -> Sequenced:
    """The shortest sequence found that still fails: pieces are left out, ever smaller ones."""
    tries, size = 0, max(1, len(sequence) // 2)
    while size and tries < MAX_SHRINK_TRIES:
        at, found = 0, False
        while at < len(sequence) and tries < MAX_SHRINK_TRIES:
            smaller, tries = sequence[:at] + sequence[at + size :], tries + 1
            if await fails(smaller):
                sequence, found = smaller, True
            else:
                at += size
        if not found or size > len(sequence):
            size //= 2
    return sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureTarget:
    """A reader of structured input, which Hypothesis makes and makes small. Its values are JSON."""

    strategy: Callable[[], SearchStrategy[Any]]
    check: Callable[[Any], object]

    async def run(self, seed: str, wanted: ExampleLimit) -> TargetResult:
        """Try examples while `wanted` says so."""
        result, states, batch = TargetResult(), set(), 0
        while wanted(result.examples) and len(result.failures) < MAX_FAILURES:
            size = min(HYPOTHESIS_BATCH, wanted.count - result.examples)
            self._run_batch(f"{seed}/{batch}", size, result, states)
            batch += 1
        result.seen = len(states)
        return result

    async def replay(self, value: Any) -> None:
        """Try the input of a case; raises what fails."""
        self.check(value)

    def _run_batch(self, seed: str, size: int, result: TargetResult, states: set[object]) -> None:
        newest: Any = None

        @hypothesis.seed(int(hashlib.sha256(seed.encode()).hexdigest()[:12], 16))
        @hypothesis.settings(
            max_examples=size,
            database=None,
            derandomize=False,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @hypothesis.given(self.strategy())
        def try_one(value: Any) -> None:
            nonlocal newest
            newest = value
            result.examples += 1
            began = thread_time()
            states.add(self.check(value))
            result.slowest = max(result.slowest, thread_time() - began)

        try:
            try_one()
        except Exception as error:  # noqa: BLE001 - whatever fails is a finding
            result.add_failure(Failure(newest, describe(error)))


def encode(made: Any) -> Any:
    """An input as JSON: text as it is, bytes as Latin-1 in a list."""
    return [made.decode("latin-1")] if isinstance(made, bytes) else made


def decode(value: Any) -> Any:
    """The input of a case."""
    return value[0].encode("latin-1") if isinstance(value, list) else value


def write_case(target: str, failure: Failure, folder: Path = CASES) -> Path:
    """Write a failure as a case of the suite; the path of the file."""
    case = {"target": target, "reason": failure.reason, "input": failure.input}
    text = json.dumps(case, indent=1, ensure_ascii=True, sort_keys=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{target}_{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def read_cases(folder: Path = CASES) -> Sequence[tuple[str, str, Any]]:
    """Every case: its name, its target and its input."""
    cases = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]
    return [(name, case["target"], case["input"]) for name, case in cases]
