"""What callers were told against what the tables and the SMS API hold. The code under test has no part in it."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chaos.callers import LATE, Tally
from chaos.stage import Stage
from chaos.stores import Postgres

EFFECTS: Final[Mapping[str, str]] = {
    "accounts": "''",
    "applications": "tracking_number",
    "complaints": "complaint_number",
    "feedback": "feedback_number",
}
"""The tables with one row for a caller's intention, and the column with its number."""
RECEIPTS: Final = frozenset({"applications", "complaints"})  # effects that an SMS confirms
OUTBOX_TIMEOUT: Final = 20.0  # seconds in which waiting messages are sent after an event
NORMAL: Final = 1.0  # seconds without trouble


@dataclass
class Findings:
    """One row of the report."""

    event: str
    requests: int = 0
    wrong: int = 0
    refused: int = 0
    late: int = 0  # over LATE seconds
    lost: int = 0  # no gateway answered within the provider's time-out
    slowest: float = 0.0
    p99: float = 0.0
    told: int = 0
    recorded: int = 0
    twice: int = 0
    missing: int = 0  # told and not recorded
    untold: int = 0  # recorded and not told, because the conversation was given up or ran out of time
    sms_sent: int = 0
    sms_twice: int = 0
    sms_lost: int = 0
    sms_unknown: int = 0
    sms_waiting: int = 0
    normal_after: float | None = None  # seconds after the end of the event; None: not in the time that was watched
    unfinished: int = 0  # conversations
    errors: int = 0  # lines of the gateways' logs at the level error
    tracebacks: int = 0
    memory_before: float = 0.0  # MB, of all gateways
    memory_after: float = 0.0
    resets: int = 0  # requests that a gateway dropped; the provider went to the other one
    load_average: float = 0.0  # of the machine, over the last minute
    error: str = ""  # why the event could not be played to its end
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Baseline:
    """Where an event begins in what grows with every event: the SMS, the logs, the outbox."""

    messages: int
    log_lengths: tuple[int, ...]
    last_message_id: int


def read_baseline(stage: Stage) -> Baseline:
    """The state before an event."""
    [[last]] = stage.postgres.read("SELECT coalesce(max(id), 0) FROM messages", database=stage.database)
    return Baseline(len(stage.sms_api.accepted), tuple(len(it.read_log()) for it in stage.gateways), last)


def count_requests(findings: Findings, tally: Tally) -> None:
    """Count verdicts and waits."""
    verdicts = Counter(verdict for _, _, verdict in tally.requests)
    waits = sorted(seconds for _, seconds, _ in tally.requests)
    findings.requests = len(waits)
    findings.wrong, findings.refused, findings.lost = verdicts["wrong"], verdicts["refused"], verdicts["lost"]
    findings.late = sum(seconds > LATE for _, seconds, verdict in tally.requests if verdict not in {"lost", "cut off"})
    findings.slowest = waits[-1] if waits else 0.0
    findings.p99 = waits[math.ceil(len(waits) * 0.99) - 1] if waits else 0.0
    findings.resets = sum(tally.failures.values())
    findings.unfinished = sum(it.ended_as not in {"done", "wrong"} for it in tally.conversations)


def find_normal(tally: Tally, ended_at: float, stopped_at: float) -> float | None:
    """Seconds from `ended_at` to a full second in which every request was answered rightly and in time; None if there is none."""
    troubles = [
        at
        for at, seconds, verdict in tally.requests
        if verdict not in {"ok", "cut off"} or (seconds > LATE and verdict == "ok")
    ]
    begin = ended_at
    for at in sorted(at for at in troubles if at >= ended_at):
        if at - begin >= NORMAL:
            break
        begin = at
    return max(0.0, begin - ended_at) if begin + NORMAL <= stopped_at else None


def count_effects(findings: Findings, tally: Tally, stage: Stage) -> dict[str, set[tuple[str, str]]]:
    """Compare what callers were told with the tables; return (MSISDN, number) of the rows of each table."""
    rows = {table: read_effects(stage.postgres, stage.database, table) for table in EFFECTS}
    callers = {it.msisdn: it for it in tally.conversations}
    for table, numbers in rows.items():
        by_caller: defaultdict[str, list[str]] = defaultdict(list)
        for msisdn, number in numbers:
            if msisdn in callers and callers[msisdn].effect == table:
                by_caller[msisdn].append(number)
        findings.recorded += sum(map(len, by_caller.values()))
        twice = Counter(callers[msisdn].dials for msisdn, recorded in by_caller.items() if len(recorded) > 1)
        findings.twice += sum(len(recorded) - 1 for recorded in by_caller.values())
        findings.notes += [f"twice: {table}, by {n} callers who dialled {dials} times" for dials, n in twice.items()]
        for caller in callers.values():
            if caller.effect != table:
                continue
            recorded = by_caller.get(caller.msisdn, [])
            findings.told += bool(caller.told)
            findings.missing += bool(caller.told) and (
                caller.told not in recorded if caller.told != "yes" else not recorded
            )
            findings.untold += bool(recorded) and not caller.told
    return rows


def count_messages(
    findings: Findings, tally: Tally, stage: Stage, baseline: Baseline, rows: Mapping[str, set[tuple[str, str]]]
) -> None:
    """Wait until the outbox is empty, then compare the SMS that the API accepted with the rows that promise one."""
    wait_for_outbox(stage)
    statuses = read_message_statuses(stage, baseline.last_message_id)
    findings.sms_unknown = statuses["unknown"]
    findings.sms_waiting = statuses["queued"] + statuses["sending"]
    sent = Counter((sms.to, sms.text) for sms in stage.sms_api.accepted[baseline.messages :])
    findings.sms_sent = sum(sent.values())
    findings.sms_twice = sum(count - 1 for count in sent.values())
    callers = {it.msisdn for it in tally.conversations}
    texts: defaultdict[str, str] = defaultdict(str)
    for msisdn, text in sent:
        texts[msisdn] += f" {text}".replace(" ", "")
    promised = [(msisdn, number) for table in RECEIPTS for msisdn, number in rows[table] if msisdn in callers]
    findings.sms_lost = sum(number not in texts[msisdn] for msisdn, number in promised)


def wait_for_outbox(stage: Stage) -> None:
    """Return when no message waits, or after OUTBOX_TIMEOUT seconds."""
    until = time.monotonic() + OUTBOX_TIMEOUT
    while time.monotonic() < until:
        statuses = read_message_statuses(stage)
        if not statuses["queued"] + statuses["sending"]:
            return
        time.sleep(0.5)


def read_effects(postgres: Postgres, database: str, table: str) -> set[tuple[str, str]]:
    """The MSISDN and the number of every row."""
    rows = postgres.read(f"SELECT msisdn, {EFFECTS[table]}, id FROM {table}", database=database)  # noqa: S608 - our own names
    return {(msisdn, number or str(key)) for msisdn, number, key in rows}


def read_message_statuses(stage: Stage, after: int = 0) -> Counter[str]:
    """The number of SMS by status, of those with a higher id than `after`."""
    query = f"SELECT status, count(*) FROM messages WHERE medium = 'sms' AND id > {after} GROUP BY status"  # noqa: S608
    return Counter(dict(stage.postgres.read(query, database=stage.database)))


def count_logs(findings: Findings, stage: Stage, baseline: Baseline) -> None:
    """Count the lines at the level error, and tracebacks."""
    counted: Counter[str] = Counter()
    for gateway, start in zip(stage.gateways, baseline.log_lengths, strict=True):
        counted += gateway.count_log_lines(start)
    findings.tracebacks = counted.pop("traceback", 0)
    errors = {line: count for line, count in counted.items() if line.startswith(("error ", "critical "))}
    findings.errors = sum(errors.values())
    if errors:
        named = (f"{line.partition(' ')[2]} {count}" for line, count in sorted(errors.items()))
        findings.notes.append(f"errors logged: {', '.join(named)}")


def describe_samples(samples: Sequence[Mapping[str, object]]) -> Counter[str]:
    """Wrong screens by what was expected and what was shown, as one line each."""
    return Counter(
        f"{it['script']} key {it['position']} dial {it['dials']} path {it['path']} {'echo' if it['echoes'] else 'plain'}: {it['shown']!r}"[
            :220
        ]
        for it in samples
    )
