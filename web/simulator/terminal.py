"""The phone in a terminal, `server.py dial`: the same calls as the page's, typed by a person or from a script.

Exit status: 0 when the gateway ended the call and every key was used; 1 when it went otherwise (a screen asked for
more keys than were given, keys were left over, no SMS with a `{code}` came, the person hung up); 2 when the call could
not be made or a hop got no answer; 130 after Ctrl-C, which presses the red key.
"""

import argparse
import asyncio
import csv
import io
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from aiohttp import ClientError, ClientSession

from screens.alphabet import septets, units
from web.simulator.call import Call, Heard, Line, beyond
from web.simulator.received import LENGTHS, Inbox, Received, inbox_of

ENDED, OTHERWISE, NOT_MADE, INTERRUPTED = 0, 1, 2, 130
LINGERS = 2.0  # seconds without an SMS after a call until the phone is put away
KEYBOARD = 0  # the file descriptor of standard input

_is_number = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


class CannotDialError(Exception):
    """The call cannot be made; the text is one plain line that says why, and what would be right."""


class HangUpError(Exception):
    """Whoever types has no answer; the text says why."""


class Fingers(Protocol):
    """Whoever types."""

    async def type(self) -> str:
        """The next answer; HangUpError when there is none."""

    def left(self) -> int:
        """How many answers are still unused."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `dial`."""
    parser.add_argument(
        "--url", help="the address of a gateway that runs (default: the configured one, else one for this call alone)"
    )
    parser.add_argument(
        "--number", help="the number that calls, such as +8801700000001 (default: the simulator's first)"
    )
    parser.add_argument(
        "--code", help="what is dialled, such as *123# or *123*2*123456789012# (default: the short code)"
    )
    parser.add_argument("--network", help="the code of the network (default: the simulator's first)")
    parser.add_argument(
        "--keys",
        type=parse_keys,
        help='the answers, separated by commas; one with a comma in it stands in "quotes"; {code}, {pin} and {tracking}'
        " are taken from the newest SMS that has one (default: you type them)",
    )


def run(args: argparse.Namespace, gateway: AbstractAsyncContextManager[str]) -> int:
    """Call the gateway whose address the context gives, on standard output; what is wrong is one line on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Bengali shows question marks
    try:
        return asyncio.run(_dialled(args, gateway))
    except (CannotDialError, ClientError) as problem:
        sys.stderr.write(f"{problem}\n")
        return NOT_MADE
    except KeyboardInterrupt:
        return INTERRUPTED


async def _dialled(args: argparse.Namespace, gateway: AbstractAsyncContextManager[str]) -> int:
    async with gateway as url:
        return await dial(url, args.number, args.code, args.keys, network=args.network, out=sys.stdout)


def parse_keys(text: str) -> list[str]:
    """`1,2,"House 5, Road 2",{pin}` → four answers; argparse.ArgumentTypeError for an unknown `{name}`."""
    keys = next(csv.reader([text], skipinitialspace=True), [])
    unknown = [key for key in keys if re.fullmatch(r"\{.*\}", key) and key[1:-1] not in LENGTHS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in LENGTHS)
        raise argparse.ArgumentTypeError(f"{unknown[0]} is not known; there are {known}")
    return keys


async def dial(
    base_url: str,
    number: str | None,
    service_code: str | None,
    keys: Sequence[str] | None,
    *,
    network: str | None,
    out: TextIO,
    lingers: float = LINGERS,
) -> int:
    """Dial `service_code` (which may go deeper than the gateway's own) and answer with `keys`, or as a person types.

    What is None is the simulator's first. Prints every screen and every SMS; the result is an exit status. Raises
    CannotDialError when nothing answers at `base_url`, or there is no simulator, or no such network.
    """
    async with _session(base_url) as http:
        phone = await _phone(http, base_url)
        line = _line(phone, number, network)
        rest = _beyond(service_code or line.service_code, line)
        printer = Printer(out, _network(phone, line.network))
        async with inbox_of(http, line.number, printer.sms) as inbox:
            fingers = Person(printer) if keys is None else Script(keys, inbox, printer)
            status = await _talk(Call(http, line), rest, fingers, printer)
            await inbox.quiet(lingers)
    return status


@dataclass(slots=True)
class Printer:
    """Prints the screens and the SMS of one call on a network of `phone.json`."""

    out: TextIO
    network: Mapping[str, Any]
    _prompting: bool = False

    def screen(self, heard: Heard) -> None:
        """A screen, with the room it takes."""
        sent = f"{heard.kind} {heard.text}"
        cost = septets(sent)
        used, kind, name = (units(sent), "units", "UTF-16 units") if cost is None else (cost, "septets", "septets")
        self._framed(self.network["name"], heard.text, f"{heard.kind}, {used} of {self.network[kind]} {name}")

    def sms(self, sms: Received) -> None:
        """An SMS, as it arrives: below a prompt that still waits, which then stands below it again."""
        if self._prompting:
            self.say("")
        self._framed(f"SMS from {sms.sender}", sms.text, f"{sms.at:%H:%M:%S} UTC")
        if self._prompting:
            self.prompt()

    def prompt(self) -> None:
        """Ask for a line."""
        self._prompting = True
        self.out.write("> ")
        self.out.flush()

    def answered(self) -> None:
        """The line that was asked for is there."""
        self._prompting = False

    def say(self, line: str) -> None:
        """One line of the phone's own."""
        self.out.write(f"{line}\n")
        self.out.flush()

    def _framed(self, title: str, text: str, foot: str) -> None:
        """A frame that is open to the right: not every script has letters of one width."""
        inside = "\n".join(f"│ {line}" for line in text.split("\n"))
        self.say(f"╭─ {title}\n{inside}\n╰─ {foot}")


async def _talk(call: Call, rest: str, fingers: Fingers, printer: Printer) -> int:
    try:
        heard = await _held(call, rest, fingers, printer)
    except HangUpError as why:
        printer.say(str(why))
        return OTHERWISE
    if heard.kind == "failed":
        printer.say(f"The gateway gave no answer: {heard.text}.")
        return NOT_MADE
    printer.screen(heard)
    if fingers.left():
        printer.say(f"The call ended with keys left over: {fingers.left()}.")
    return OTHERWISE if fingers.left() else ENDED


async def _held(call: Call, rest: str, fingers: Fingers, printer: Printer) -> Heard:
    """Talk until the call ends; whatever ends it, the gateway is told."""
    try:
        heard = await call.dial(rest)
        while heard.kind == "CON":
            printer.screen(heard)
            heard = await call.answer(await fingers.type())
        return heard
    finally:
        await call.hang_up()


class Script:
    """Types what was given beforehand, with the numbers out of SMS filled in."""

    def __init__(self, keys: Sequence[str], inbox: Inbox, printer: Printer) -> None:
        self._keys = list(keys)
        self._inbox = inbox
        self._printer = printer

    async def type(self) -> str:
        """The next key."""
        if not self._keys:
            raise HangUpError("The keys are used up, and the screen asks for more.")
        key = self._keys.pop(0)
        wanted = key.removeprefix("{").removesuffix("}")
        typed = await self._out_of_an_sms(wanted) if key == f"{{{wanted}}}" and wanted in LENGTHS else key
        self._printer.say(f"> {typed}")
        return typed

    def left(self) -> int:
        """How many keys were not typed."""
        return len(self._keys)

    async def _out_of_an_sms(self, kind: str) -> str:
        number = await self._inbox.number(kind)
        if number is None:
            raise HangUpError(f"No SMS with a number for {{{kind}}} has come.")
        return number


class Person:
    """Types lines at the terminal; the end of the input (Ctrl-D) hangs up."""

    def __init__(self, printer: Printer, keyboard: int = KEYBOARD) -> None:
        self._printer = printer
        self._keyboard = keyboard
        self._typed = b""

    async def type(self) -> str:
        """The next line."""
        self._printer.prompt()
        try:
            while b"\n" not in self._typed:
                self._typed += await self._more()
        finally:
            self._printer.answered()
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace").strip()

    async def _more(self) -> bytes:
        more = await _read(self._keyboard)
        if not more:
            raise HangUpError("You hung up.")
        return more

    def left(self) -> int:
        """A person who has more to say says it next time."""
        return 0


async def _read(keyboard: int) -> bytes:
    """What is typed next, read on a thread that nobody waits for: after Ctrl-C it would sit there until a line came."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[bytes] = loop.create_future()

    def arrive(line: bytes) -> None:
        if not typed.done():
            typed.set_result(line)

    def read() -> None:
        line = os.read(keyboard, 4096)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(arrive, line)

    threading.Thread(target=read, daemon=True).start()
    return await typed


def _session(base_url: str) -> ClientSession:
    try:
        return ClientSession(base_url)
    except ValueError:
        raise CannotDialError(f"{base_url} is no address; write it like http://127.0.0.1:8080.") from None


async def _phone(http: ClientSession, base_url: str) -> Mapping[str, Any]:
    try:
        async with http.get("/simulator/phone.json") as response:
            if response.ok:
                return dict(await response.json())
    except ClientError:
        raise CannotDialError(f"No gateway answers at {base_url}; start one with: python server.py") from None
    raise CannotDialError(
        f"The gateway at {base_url} has no simulator; in its config.toml set simulator.enabled = true."
    )


def _line(phone: Mapping[str, Any], number: str | None, network: str | None) -> Line:
    number = number or phone["numbers"][0]
    if not _is_number(number):
        raise CannotDialError(f"{number} is no number to call from; write it like +8801700000001.")
    code = _network(phone, network or phone["networks"][0]["code"])["code"]
    return Line(phone["callback"], phone["events"], number, code, phone["serviceCode"])


def _network(phone: Mapping[str, Any], code: str) -> Mapping[str, Any]:
    known = {network["code"]: network for network in phone["networks"]}
    if code not in known:
        raise CannotDialError(f"Network {code} is not known; there are {', '.join(known)}.")
    return dict(known[code])


def _beyond(dialled: str, line: Line) -> str:
    rest = beyond(dialled, line.service_code)
    if rest is None:
        raise CannotDialError(f"{dialled} does not lead to this gateway; its code is {line.service_code}.")
    return rest
