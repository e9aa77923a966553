"""Play events one after the other; those that need the same gateways share them, so that no restart helps a recovery."""

import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from subprocess import SubprocessError
from typing import Final

from asyncpg import PostgresError

from chaos.callers import Tally
from chaos.checks import (
    Findings,
    count_effects,
    count_logs,
    count_messages,
    count_requests,
    describe_samples,
    find_normal,
    read_baseline,
)
from chaos.event import Event
from chaos.stage import CallerPlan, Callers, Recording, Stage, build_stage
from chaos.stores import Postgres, Redis

ERROR_LENGTH: Final = 200
WARM_UP: Final = 3.0  # seconds of load before the event
CAPACITY_SECONDS: Final = 5.0
CAPACITY_PROCESSES: Final = 2
CROWD_PROCESSES: Final = 3
CAPACITY_CALLERS: Final = 25  # of each process
WATCHED: Final = 6.0  # seconds of load after it


def play_events(
    events: Mapping[str, Event], *, redis: Redis, postgres: Postgres, recording: Recording, rate: float, seconds: float
) -> Generator[tuple[str, Findings]]:
    """Play each event for `seconds`, or for its own time where that is 0, and yield its name and what was found."""
    with ExitStack() as stack:
        stage: Stage | None = None
        needs: object = None
        for name, event in events.items():
            try:
                if stage is None or needs != event.needs:
                    stack.close()
                    stage, needs = (
                        stack.enter_context(build_stage(redis=redis, postgres=postgres, event=event)),
                        event.needs,
                    )
                found = play_event(event, stage, recording, rate=rate, seconds=seconds or event.seconds)
            except (RuntimeError, OSError, SubprocessError, PostgresError) as error:
                found = Findings(event.title, error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH])
                stage = None  # the next event gets other gateways
                redis.repair()
                postgres.repair()
            yield name, found


@contextmanager
def run_callers(plan: CallerPlan, stage: Stage, recording: Recording) -> Iterator[Callers]:
    """Callers for the block, who have not called before on this stage."""
    callers = Callers(plan=plan, stage=stage, recording=recording)
    callers.start()
    try:
        yield callers
    finally:
        callers.kill()


def act(event: Event, stage: Stage, seconds: float, crowd: CallerPlan, recording: Recording) -> tuple[float, Tally]:
    """Do the harm; return when it ended and what a crowd saw that came with it."""
    if not crowd.rate:
        event.act(stage, seconds)
        return time.monotonic(), Tally()
    stage.notes.append(f"capacity {stage.capacity:.0f} requests/s")
    with run_callers(crowd, stage, recording) as callers:
        event.act(stage, seconds)
        return time.monotonic(), callers.stop()


def measure_capacity(stage: Stage, recording: Recording) -> None:
    """Let many callers press keys without a pause, and keep what the gateways answer a second."""
    plan = CallerPlan(rate=10_000, processes=CAPACITY_PROCESSES, think_time=0, max_open=CAPACITY_CALLERS)
    with run_callers(plan, stage, recording) as callers:
        time.sleep(CAPACITY_SECONDS + WARM_UP)
        stopped_at = time.monotonic()
        tally = callers.stop()
    begin = stopped_at - CAPACITY_SECONDS
    stage.capacity = (
        sum(begin <= at < stopped_at and verdict == "ok" for at, _, verdict in tally.requests) / CAPACITY_SECONDS
    )


def play_event(event: Event, stage: Stage, recording: Recording, *, rate: float, seconds: float) -> Findings:
    """Do harm for so many seconds while callers call, and check everything afterwards."""
    if event.times_capacity and not stage.capacity:
        measure_capacity(stage, recording)
    plan = CallerPlan(rate=rate * event.rate, delivery=event.delivery, hides_language=event.hides_language)
    crowd = CallerPlan(
        rate=stage.capacity * event.times_capacity, processes=CROWD_PROCESSES, drain=0, delivery=event.delivery
    )
    with run_callers(plan, stage, recording) as callers:
        return watch(event, stage, callers, seconds=seconds, crowd=crowd, recording=recording)


def watch(
    event: Event, stage: Stage, callers: Callers, *, seconds: float, crowd: CallerPlan, recording: Recording
) -> Findings:
    """Do the harm, and check everything afterwards."""
    findings, baseline = Findings(event.title), read_baseline(stage)
    stage.notes.clear()
    time.sleep(WARM_UP)
    findings.memory_before = sum(gateway.resident_megabytes() for gateway in stage.gateways)
    ended_at, crowd_tally = act(event, stage, seconds, crowd, recording)
    time.sleep(WATCHED)
    stopped_at = time.monotonic()
    tally = callers.stop()
    findings.normal_after = find_normal(tally, ended_at, stopped_at)
    tally.add(crowd_tally)
    count_requests(findings, tally)
    count_messages(findings, tally, stage, baseline, count_effects(findings, tally, stage))
    findings.memory_after = sum(gateway.resident_megabytes() for gateway in stage.gateways)
    count_logs(findings, stage, baseline)
    findings.load_average = os.getloadavg()[0]
    findings.notes += stage.notes
    if tally.failures:
        failures = (f"{reason} {count}" for reason, count in sorted(tally.failures.items()))
        findings.notes.append(f"failed at one gateway: {', '.join(failures)}")
    findings.notes += [f"{count} x {line}" for line, count in describe_samples(tally.samples).most_common(6)]
    return findings
