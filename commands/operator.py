"""`server.py operator`: enrols who acts for citizens at village centres, suspends them, and tells what they did."""

import argparse
import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import phonenumbers

from commands.arguments import count, day, since, words
from commands.verb import common
from faults import CannotRun
from settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assembly.enrolment import Enrolment

LONGEST_NAME: Final = 60


def operator(settings: Settings, given: argparse.Namespace) -> int:
    """Operators who act for citizens at village centres: add, list, suspend, resume, reset-pin, report."""
    return asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> int:
    from assembly.enrolment import enrolment

    async with enrolment(settings) as office:
        await DOES[given.do](office, given)
    return 0


async def _add(office: "Enrolment", given: argparse.Namespace) -> None:
    from services.operators import Newcomer, NumberEnrolled

    number = _e164(given.number, office.served)
    office.known_centre(given.centre)
    limits = (given.consents_a_day, given.applications_a_day)
    language = await office.language_of(number)
    try:
        operator, pin = await office.operators.add(Newcomer(number, given.name, given.centre, language, *limits))
    except NumberEnrolled as there:
        raise CannotRun(str(there)) from None
    print(f"Operator {operator} is enrolled; the PIN goes to their number by SMS")
    _in_the_sandbox(office, pin)


async def _list(office: "Enrolment", _: argparse.Namespace) -> None:
    for one in await office.operators.listed():
        state = ["suspended"] if one.suspended else [] if one.pin_chosen else ["has not signed in yet"]
        print(one.id, one.number, one.centre, f"{one.created:%Y-%m-%d}", *([one.name] if one.name else []), *state)


async def _suspend(office: "Enrolment", given: argparse.Namespace) -> None:
    if not await office.operators.suspend(given.id):
        raise CannotRun(f"There is no operator {given.id} who is not suspended; operator list shows them")


async def _resume(office: "Enrolment", given: argparse.Namespace) -> None:
    if not await office.operators.resume(given.id):
        raise CannotRun(f"There is no operator {given.id} who is suspended; operator list shows them")


async def _reset_pin(office: "Enrolment", given: argparse.Namespace) -> None:
    known = {one.id: one for one in await office.operators.listed()}
    if given.id not in known:
        raise CannotRun(f"There is no operator {given.id}; operator list shows them")
    pin = await office.operators.reset_pin(given.id, await office.language_of(known[given.id].number))
    print("Another PIN goes to their number by SMS")
    _in_the_sandbox(office, pin or "")


async def _report(office: "Enrolment", given: argparse.Namespace) -> None:
    from services.conduct import COUNTED

    lines = await office.conduct.since(since(given.since, office.zone))
    rows: list[tuple[str, ...]] = [("operator", "centre", *COUNTED, "")]
    for line in lines:
        counts = (f"{line.counts[what]}{'!' * (what in line.unusual)}" for what in COUNTED)
        notes = ["suspended"] * line.suspended + ["limit reached"] * line.limited
        rows.append((str(line.operator), line.centre, *counts, ", ".join(notes)))
    for row in _aligned(rows):
        print(row)
    print("! is far above what most operators have")


DOES: "Mapping[str, Callable[[Enrolment, argparse.Namespace], Awaitable[None]]]" = {
    "add": _add,
    "list": _list,
    "suspend": _suspend,
    "resume": _resume,
    "reset-pin": _reset_pin,
    "report": _report,
}


def options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    verbs = parser.add_subparsers(dest="do", metavar="VERB", title="verbs", required=True)
    add = verbs.add_parser("add", help="enrol an operator; the PIN goes out by SMS", parents=[common()])
    add.add_argument("--number", required=True, help="whose phone they call from, such as +8801700000001")
    add.add_argument("--centre", required=True, help="the code of the centre they sit at")
    add.add_argument("--name", type=words(LONGEST_NAME), default="", help="what citizens are told they are called")
    add.add_argument("--consents-a-day", type=count, metavar="N", help="another limit than that of the settings")
    add.add_argument("--applications-a-day", type=count, metavar="N", help="another limit than that of the settings")
    verbs.add_parser("list", help="every operator who was ever enrolled", parents=[common()])
    for name, told in _ABOUT_ONE.items():
        verbs.add_parser(name, help=told, parents=[common()]).add_argument(
            "id", type=count, help="the operator's number"
        )
    report = verbs.add_parser("report", help="what each did, and what is unusual", parents=[common()])
    report.add_argument(
        "--since", type=day, metavar="DAY", help="the first day, such as 2026-11-21 (default: 30 days ago)"
    )


_ABOUT_ONE: Final[Mapping[str, str]] = {
    "suspend": "cut one off from now on",
    "resume": "let a suspended one sign in again",
    "reset-pin": "send one another PIN by SMS",
}


def _e164(written: str, served: "Callable[[str], bool]") -> str:
    try:
        parsed = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        raise CannotRun(f"{written!r} is no phone number; write it with a plus and its country, such as +8801700000001")
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not served(number):
        raise CannotRun(f"{number} is of a country that is not served; countries.allowed says which are")
    return number


def _in_the_sandbox(office: "Enrolment", pin: str) -> None:
    """Where no SMS leaves the machine, the PIN is told here; anywhere else nobody but the operator sees it."""
    if office.sandbox:
        print(f"This is the sandbox, so here it is: {pin}")


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
