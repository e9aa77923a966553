"""The phone in a terminal, `server.py dial`: the same calls and SMS as the page's, typed by a person or from a script.

Exit status: 0 when the gateway ended the call and every key was used, answered every SMS, or rejected the ring; 1 when
it went otherwise (a screen asked for more keys than were given, keys were left over, no SMS with a `{code}` came, none
came in answer, the person hung up, nobody read along); 2 when the call could not be made or the gateway gave no answer;
130 after Ctrl-C, which presses the red key.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TextIO

from aiohttp import ClientError, ClientSession

from web.simulator.call import Call, Heard, beyond
from web.simulator.hands import Fingers, HangUpError, Person, Printer, Script
from web.simulator.line import Line, post
from web.simulator.received import ARRIVES_WITHIN, LENGTHS, Inbox, Received, inbox_of
from web.simulator.ringing import ring, rung
from web.simulator.texting import report, send
from web.simulator.wallets import ROUTE as WALLET

ENDED, OTHERWISE, NOT_MADE, INTERRUPTED = 0, 1, 2, 130
AT_ONCE = 0.2  # seconds in which a wallet is asked after the SMS that says so
DECLINES = (None, "", "0")
NOT_TAKEN = "The wallet did not take that."
SAID = {
    "paid": "Paid.",
    "cancelled": "You declined: nothing was paid.",
    "wrong_pin": "That is not the wallet's PIN: nothing was paid.",
    "no_money": "There is not enough in the wallet: nothing was paid.",
    "gone": "Too late: nothing was paid.",
}
LINGERS = 2.0  # seconds without an SMS after a call until the phone is put away

_is_number = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


class CannotDialError(Exception):
    """The call cannot be made; the text is one plain line that says why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone in hand: what the gateway says of itself, whose SIM card is in it, and its inbox."""

    http: ClientSession
    gateway: Mapping[str, Any]
    line: Line
    printer: Printer
    inbox: Inbox

    def fingers(self, keys: Sequence[str] | None) -> Fingers:
        """Whoever types: a script, or a person where there is none."""
        return Person(self.printer) if keys is None else Script(keys, self.inbox, self.printer)


@dataclass(frozen=True, slots=True)
class Sim:
    """Which SIM card is put in, on which network, and where; None is the simulator's first."""

    url: str
    number: str | None = None
    network: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `dial`."""
    parser.add_argument(
        "what",
        nargs="*",
        metavar="sms TEXT | ring [NUMBER]",
        help="write an SMS to the gateway, and further ones as it answers; or ring one of its missed-call numbers, its"
        " first where none is named (default: dial the short code)",
    )
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
        help='the answers, or the further SMS, separated by commas; one with a comma in it stands in "quotes"; {code},'
        " {pin} and {tracking} are taken from the newest SMS that has one (default: you type them)",
    )


def run(args: argparse.Namespace, gateway: AbstractAsyncContextManager[str]) -> int:
    """Call the gateway whose address the context gives, on standard output; what is wrong is one line on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Bengali shows question marks
    try:
        return asyncio.run(_done(args, gateway))
    except (CannotDialError, ClientError) as problem:
        sys.stderr.write(f"{problem}\n")
        return NOT_MADE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read along, `head` perhaps, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # that nothing is flushed into the broken pipe
        return OTHERWISE


async def _done(args: argparse.Namespace, gateway: AbstractAsyncContextManager[str]) -> int:
    async with gateway as url:
        sim = Sim(url, args.number, args.network)
        match args.what:
            case []:
                return await dial(sim, args.code, args.keys, out=sys.stdout)
            case ["sms", *words] if words:
                return await text(sim, " ".join(words), args.keys, out=sys.stdout)
            case ["ring", *to] if len(to) <= 1:
                return await ring_up(sim, to[0] if to else None, out=sys.stdout)
    said = " ".join(args.what)
    raise CannotDialError(f"{said} is nothing this phone can do; write: sms TEXT, or: ring, or: ring NUMBER.")


def parse_keys(text: str) -> list[str]:
    """`1,2,"House 5, Road 2",{pin}` → four answers; argparse.ArgumentTypeError for an unknown `{name}`."""
    keys = next(csv.reader([text], skipinitialspace=True), [])
    unknown = [key for key in keys if re.fullmatch(r"\{.*\}", key) and key[1:-1] not in LENGTHS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in LENGTHS)
        raise argparse.ArgumentTypeError(f"{unknown[0]} is not known; there are {known}")
    return keys


async def dial(
    sim: Sim, service_code: str | None, keys: Sequence[str] | None, *, out: TextIO, lingers: float = LINGERS
) -> int:
    """Dial `service_code` (which may go deeper than the gateway's own) and answer with `keys`, or as a person types.

    None is the gateway's own code. Prints every screen and every SMS; the result is an exit status. Raises
    CannotDialError when nothing answers at the address, or there is no simulator, or no such network.
    """
    async with _in_hand(sim, out) as phone:
        rest = _beyond(service_code or phone.line.service_code, phone.line)
        fingers = phone.fingers(keys)
        status = await _talk(Call(phone.http, phone.line), rest, phone, fingers, lingers)
        await phone.inbox.quiet(lingers)
    return status


async def text(sim: Sim, first: str, keys: Sequence[str] | None, *, out: TextIO, lingers: float = LINGERS) -> int:
    """Write `first` to the gateway, and when an SMS has come in answer the next of `keys`, or what a person types.

    Prints every SMS; the result is an exit status. Raises CannotDialError as `dial` does.
    """
    async with _in_hand(sim, out) as phone:
        phone.printer.say(f"> {first}")
        status = await _written(phone, first, phone.fingers(keys))
        await phone.inbox.quiet(lingers)
    return status


async def ring_up(sim: Sim, to: str | None, *, out: TextIO, lingers: float = LINGERS) -> int:
    """Ring `to`, the first of the gateway's missed-call numbers where it is None, and print what comes of it.

    The result is an exit status. Raises CannotDialError as `dial` does, and for a number that is none of them.
    """
    async with _in_hand(sim, out) as phone:
        number = _ringable(phone.gateway, to)
        phone.printer.say(f"Calling {number}")
        status = await _rung(phone, number)
        await phone.inbox.quiet(lingers)
    return status


async def _talk(call: Call, rest: str, phone: Phone, fingers: Fingers, lingers: float) -> int:
    printer = phone.printer
    try:
        heard = await _held(call, rest, fingers, printer)
    except HangUpError as why:
        printer.say(str(why))
        return OTHERWISE
    if heard.kind == "failed":
        printer.say(f"The gateway gave no answer: {heard.text}.")
        return NOT_MADE
    printer.screen(heard)
    await _pay(phone, fingers, ARRIVES_WITHIN if fingers.left() else lingers)
    if fingers.left():
        printer.say(f"The call ended with keys left over: {fingers.left()}.")
    return OTHERWISE if fingers.left() else ENDED


async def _pay(phone: Phone, fingers: Fingers, seconds: float) -> None:
    """Answer what the wallet is asked for within so many seconds: the next key is its PIN, `0` or nothing is a no."""
    while (asked := await phone.inbox.asked(seconds)) is not None:
        phone.printer.wallet(asked)
        typed = await fingers.more()
        said = {"request": asked.id} if typed in DECLINES else {"request": asked.id, "pin": str(typed)}
        reply = await post(phone.http, WALLET, said)
        phone.printer.say(SAID.get(reply.body and json.loads(reply.body).get("said", ""), NOT_TAKEN))


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


async def _written(phone: Phone, first: str, fingers: Fingers) -> int:
    """Write one SMS after the other, each when the one before was answered."""
    typed: str | None = first
    try:
        while typed is not None:
            if status := await _answered(phone, typed):
                return status
            await _pay(phone, fingers, AT_ONCE)
            typed = await fingers.more()
    except HangUpError as why:
        phone.printer.say(str(why))
        return OTHERWISE
    return ENDED


async def _answered(phone: Phone, typed: str) -> int:
    """Write one SMS and wait for another; an exit status, 0 when one came."""
    before = len(phone.inbox.messages)
    reply = await send(phone.http, phone.line, typed)
    if reply.status != HTTPStatus.OK:
        phone.printer.say(f"The gateway did not take the SMS: {reply.failure}.")
        return NOT_MADE
    if await phone.inbox.beyond(before):
        return ENDED
    phone.printer.say("No SMS has come in answer.")
    return OTHERWISE


async def _rung(phone: Phone, number: str) -> int:
    heard = await ring(phone.http, phone.line, number)
    if heard.rejected:
        phone.printer.say("Rejected: you pay nothing.")
        return ENDED
    phone.printer.say(f"The gateway did not reject this call: {heard.why}.")
    return OTHERWISE if heard.answered else NOT_MADE


@asynccontextmanager
async def _in_hand(sim: Sim, out: TextIO) -> AsyncIterator[Phone]:
    """The phone with this SIM card in it; each SMS is printed and reported as delivered when it comes."""
    async with _session(sim.url) as http:
        gateway = await _gateway(http, sim.url)
        network = _network(gateway, sim.network or gateway["networks"][0]["code"])
        line = Line.of(gateway, _number(sim.number or gateway["numbers"][0]), network)
        printer = Printer(out, network)
        async with (
            _reporting(http, line) as reported,
            inbox_of(http, line.number, _both(printer.sms, reported)) as inbox,
        ):
            yield Phone(http, gateway, line, printer, inbox)


def _both(printed: Callable[[Received], None], reported: Callable[[Received], None]) -> Callable[[Received], None]:
    def arrive(sms: Received) -> None:
        printed(sms)
        reported(sms)

    return arrive


@asynccontextmanager
async def _reporting(http: ClientSession, line: Line) -> AsyncIterator[Callable[[Received], None]]:
    """Something that tells the gateway of an SMS that came, which nobody waits for but the end."""
    under_way: set[asyncio.Task[object]] = set()

    def tell(sms: Received) -> None:
        task: asyncio.Task[object] = asyncio.create_task(report(http, line, sms.id))
        under_way.add(task)

    try:
        yield tell
    finally:
        await asyncio.gather(*under_way)


def _session(base_url: str) -> ClientSession:
    try:
        return ClientSession(base_url)
    except ValueError:
        raise CannotDialError(f"{base_url} is no address; write it like http://127.0.0.1:8080.") from None


async def _gateway(http: ClientSession, base_url: str) -> Mapping[str, Any]:
    try:
        async with http.get("/simulator/phone.json") as response:
            if response.ok:
                return dict(await response.json())
    except ClientError:
        raise CannotDialError(f"No gateway answers at {base_url}; start one with: python server.py") from None
    raise CannotDialError(
        f"The gateway at {base_url} has no simulator; in its config.toml set simulator.enabled = true."
    )


def _number(number: str) -> str:
    if not _is_number(number):
        raise CannotDialError(f"{number} is no number to call from; write it like +8801700000001.")
    return number


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


def _ringable(gateway: Mapping[str, Any], to: str | None) -> str:
    numbers = [called["number"] for called in gateway["missedCalls"]]
    if not numbers:
        raise CannotDialError("This gateway has no number to ring; in its config.toml fill missed_calls.numbers.")
    number = rung(to, numbers) if to else numbers[0]
    if number is None:
        raise CannotDialError(f"{to} is no missed-call number of this gateway's; there are {', '.join(numbers)}.")
    return number
