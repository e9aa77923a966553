"""`python -m chaos`: play the events under load and print a row for each."""

import argparse
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from chaos.events import EVENTS, find_playable
from chaos.report import find_breaches, render_row, render_table, write_report
from chaos.run import play_events
from chaos.stage import ACCOUNTS_OF_CALLERS, record_template
from chaos.stores import run_stores

if TYPE_CHECKING:
    from chaos.checks import Findings

RATE = 150.0  # requests a second, modest for two cores that callers, stores and gateways share
MORE_CALLERS = 4  # sets of callers beside those of an event: for the capacity, and for the crowd
MINUTES = 14.0


def main() -> int:
    """Play what was asked for; 1 if an event did what no event may."""
    arguments = _parse_arguments()
    playable = find_playable()
    if arguments.list:
        for name, event in EVENTS.items():
            print(f"{name:24} {event.title}{'' if name in playable else ' (needs nginx)'}")
        return 0
    events = {name: event for name, event in playable.items() if name in (arguments.event or EVENTS)}
    findings: dict[str, Findings] = {}
    began = time.monotonic()
    with run_stores() as (redis, postgres), ExitStack() as stack:  # gateways end before the stores
        accounts = ACCOUNTS_OF_CALLERS * (len(events) + MORE_CALLERS)
        recording = record_template(redis=redis, postgres=postgres, accounts=accounts)
        rate, seconds = arguments.rate, arguments.seconds
        played = stack.enter_context(
            closing(
                play_events(events, redis=redis, postgres=postgres, recording=recording, rate=rate, seconds=seconds)
            )
        )
        for name, found in played:
            findings[name] = found
            print(f"{time.monotonic() - began:4.0f} s  {name}\n{render_row(found)}", flush=True)
            print("".join(f"    {note}\n" for note in found.notes), end="", flush=True)
            if arguments.write:
                write_report(EVENTS, findings, arguments.rate)
            if time.monotonic() - began > arguments.minutes * 60:
                print(f"{arguments.minutes:g} minutes are over: {len(events) - len(findings)} events are left out")
                break
    print(render_table(list(findings.values())))
    return 1 if any(breach for found in findings.values() for breach in find_breaches(found)) else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the events")
    parser.add_argument("--event", action="append", choices=list(EVENTS), help="play this event only; may be repeated")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="seconds that the harm lasts (default: each event's)"
    )
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second (default: %(default)s)")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="begin no event after so many (default: %(default)s)"
    )
    parser.add_argument("--write", action="store_true", help="write the rows into docs/reliability.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
