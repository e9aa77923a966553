"""Feed random input to everything that reads foreign input, and walk the menus at random.

    python -m tests.fuzz [--minutes 10 | --examples 1000000] [--seed N] [target …]

Each run has a new seed unless one is given. It prints a line for each target and writes each failure as a small case into
`tests/failure/cases`, which the suite replays. The exit status is 1 after a failure.
"""

import argparse
import asyncio
import logging
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import structlog

from tests.fuzz.registry import TARGETS
from tests.fuzz.targets import CASES, ExampleLimit, TargetResult, wanted_for, write_case

ROW = "{:<12} {:>11} {:>9} {:>9} {:>9} {:>9}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 after a failure."""
    args = _parse_arguments(arguments)
    targets = args.targets or list(TARGETS)
    sys.stdout.write(
        f"seed {args.seed}\n{ROW.format('target', 'examples', 'seen', 'seconds', 'slowest', 'failures')}\n"
    )
    failures = 0
    for name in targets:
        began = monotonic()
        wanted = ExampleLimit(args.examples) if args.examples else wanted_for(args.minutes * 60 / len(targets))
        with silence_logs():
            result = asyncio.run(TARGETS[name]().run(f"{args.seed}/{name}", wanted))
        _print_result(name, result, monotonic() - began, args.cases)
        failures += len(result.failures)
    return 1 if failures else 0


@contextmanager
def silence_logs() -> Iterator[None]:
    """Drop what the program logs about the inputs: it would stand between the lines of the report."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.reset_defaults()


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Try what nobody would write.")
    parser.add_argument("targets", nargs="*", metavar="target", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together (default: 10)")
    parser.add_argument("--examples", type=int, default=0, help="of each target, however long they take")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the inputs (default: a new one)")
    parser.add_argument("--cases", type=Path, default=CASES, help="folder for cases of failures (default: the suite's)")
    args = parser.parse_args(arguments)
    if unknown := set(args.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    return args


def _print_result(name: str, result: TargetResult, seconds: float, folder: Path) -> None:
    slowest = f"{result.slowest * 1000:.0f} ms"
    row = ROW.format(name, f"{result.examples:,}", f"{result.seen:,}", f"{seconds:.0f}", slowest, len(result.failures))
    sys.stdout.write(f"{row}\n")
    sys.stdout.writelines(f"    {note}\n" for note in result.notes)
    for failure in result.failures:
        sys.stdout.write(f"    {write_case(name, failure, folder)}: {failure.reason}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
