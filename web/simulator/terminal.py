"""The simulated phone in a terminal, `server.py dial`: sessions, SMS and missed calls, typed by a person or scripted.

Exit status: 0 if the gateway ended the session and every key was used, answered every SMS, or rejected the call. 1 if a
screen asked for more keys, keys were left over, an SMS with a `{code}` or a reply did not arrive, the person hung up, or
standard output was closed. 2 if the call could not be made or the gateway did not respond. 130 after Ctrl-C.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import re
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TextIO

from aiohttp import ClientError, ClientSession

from web.simulator.call import SimulatedCall, UssdResponse, parse_deep_dial
from web.simulator.console import HangUpError, InputSource, Printer, ScriptedInput, TerminalInput
from web.simulator.ringing import find_dialled_number, ring
from web.simulator.sim_card import SimCard, post_webhook
from web.simulator.terminal_inbox import ARRIVAL_TIMEOUT, DIGIT_COUNTS, ReceivedSms, TerminalInbox, open_inbox
from web.simulator.texting import report_delivery, send_sms
from web.simulator.wallets import WALLET_PATH as WALLET

EXIT_OK, EXIT_INCOMPLETE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 2, 130
WALLET_PROMPT_WAIT = 0.2  # seconds between an SMS and the payment request that it announces
DECLINE_INPUTS = (None, "", "0")
WALLET_ERROR_TEXT = "The wallet did not take that."
WALLET_RESULT_TEXTS = {
    "paid": "Paid.",
    "cancelled": "You declined: nothing was paid.",
    "wrong_pin": "That is not the wallet's PIN: nothing was paid.",
    "no_money": "There is not enough in the wallet: nothing was paid.",
    "gone": "Too late: nothing was paid.",
}
LINGER_SECONDS = 2.0  # seconds without an SMS until the command ends

_is_msisdn = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


class CannotDialError(Exception):
    """The call cannot be made; the message is one line with the problem and the fix."""


@dataclass(frozen=True, slots=True)
class TerminalPhone:
    """A phone with its SIM card and its inbox; `gateway_info` is the gateway's `phone.json`."""

    http: ClientSession
    gateway_info: Mapping[str, Any]
    sim_card: SimCard
    printer: Printer
    inbox: TerminalInbox

    def build_input(self, keys: Sequence[str] | None) -> InputSource:
        """The script of these keys; without keys a person at the terminal."""
        return TerminalInput(self.printer) if keys is None else ScriptedInput(keys, self.inbox, self.printer)


@dataclass(frozen=True, slots=True)
class SimOptions:
    """The gateway's address, the number and the network code; None is the simulator's first."""

    url: str
    msisdn: str | None = None
    network_code: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command `dial`."""
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
    """Run the command at the gateway whose address the context gives; the exit status. A problem is one line on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Bengali shows question marks
    try:
        return asyncio.run(_run_command(args, gateway))
    except (CannotDialError, ClientError) as problem:
        sys.stderr.write(f"{problem}\n")
        return EXIT_FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of standard output, for example `head`, has ended
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # so that nothing is flushed into the broken pipe
        return EXIT_INCOMPLETE


async def _run_command(args: argparse.Namespace, gateway: AbstractAsyncContextManager[str]) -> int:
    _cancel_on_ctrl_c()
    async with gateway as url:
        sim = SimOptions(url, args.number, args.network)
        match args.what:
            case []:
                return await dial(sim, args.code, args.keys, out=sys.stdout)
            case ["sms", *words] if words:
                return await exchange_sms(sim, " ".join(words), args.keys, out=sys.stdout)
            case ["ring", *to] if len(to) <= 1:
                return await ring_number(sim, to[0] if to else None, out=sys.stdout)
    command = " ".join(args.what)
    raise CannotDialError(f"{command} is not a command of this phone; write: sms TEXT, or: ring, or: ring NUMBER.")


def _cancel_on_ctrl_c() -> None:
    """Cancel this task on Ctrl-C.

    `asyncio.run` does so too, but misses a signal that arrives as its loop begins to wait; a handler of the loop wakes it.
    """
    task = asyncio.current_task()
    # Only the main thread has signals, and Windows has no such handlers.
    if task and threading.current_thread() is threading.main_thread():
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)


def parse_keys(text: str) -> list[str]:
    """`1,2,"House 5, Road 2",{pin}` → four keys.

    Raises:
        argparse.ArgumentTypeError: a `{name}` is unknown.
    """
    keys = next(csv.reader([text], skipinitialspace=True), [])
    unknown = [key for key in keys if re.fullmatch(r"\{.*\}", key) and key[1:-1] not in DIGIT_COUNTS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in DIGIT_COUNTS)
        raise argparse.ArgumentTypeError(f"{unknown[0]} is not known; there are {known}")
    return keys


async def dial(
    options: SimOptions,
    service_code: str | None,
    keys: Sequence[str] | None,
    *,
    out: TextIO,
    linger_seconds: float = LINGER_SECONDS,
) -> int:
    """Dial `service_code`, or the gateway's own code, and enter `keys`, or what a person types; the exit status.

    The code may be a deep dial. Every screen and every SMS is printed.

    Raises:
        CannotDialError: the gateway does not respond, has no simulator, or does not know the network or the code.
    """
    async with _open_phone(options, out) as phone:
        rest = _require_deep_path(service_code or phone.sim_card.service_code, phone.sim_card)
        fingers = phone.build_input(keys)
        status = await _run_call(SimulatedCall(phone.http, phone.sim_card), rest, phone, fingers, linger_seconds)
        await phone.inbox.wait_until_quiet(linger_seconds)
    return status


async def exchange_sms(
    options: SimOptions, first: str, keys: Sequence[str] | None, *, out: TextIO, linger_seconds: float = LINGER_SECONDS
) -> int:
    """Send `first` to the gateway, and after each reply the next of `keys`, or what a person types; the exit status.

    Every SMS is printed.

    Raises:
        CannotDialError: as `dial`.
    """
    async with _open_phone(options, out) as phone:
        phone.printer.print_line(f"> {first}")
        status = await _write_messages(phone, first, phone.build_input(keys))
        await phone.inbox.wait_until_quiet(linger_seconds)
    return status


async def ring_number(
    options: SimOptions, to: str | None, *, out: TextIO, linger_seconds: float = LINGER_SECONDS
) -> int:
    """Ring `to`, or the first missed-call number of the gateway, and print the result; the exit status.

    Raises:
        CannotDialError: as `dial`, and for another number.
    """
    async with _open_phone(options, out) as phone:
        number = _choose_missed_call_number(phone.gateway_info, to)
        phone.printer.print_line(f"Calling {number}")
        status = await _ring(phone, number)
        await phone.inbox.wait_until_quiet(linger_seconds)
    return status


async def _run_call(
    call: SimulatedCall, deep_path: str, phone: TerminalPhone, source: InputSource, linger_seconds: float
) -> int:
    printer = phone.printer
    try:
        response = await _exchange_screens(call, deep_path, source, printer)
    except HangUpError as why:
        printer.print_line(str(why))
        return EXIT_INCOMPLETE
    if response.kind == "failed":
        printer.print_line(f"The gateway gave no answer: {response.text}.")
        return EXIT_FAILED
    printer.print_screen(response)
    await _answer_wallet_prompts(phone, source, ARRIVAL_TIMEOUT if source.unused_count() else linger_seconds)
    if source.unused_count():
        printer.print_line(f"The call ended with keys left over: {source.unused_count()}.")
    return EXIT_INCOMPLETE if source.unused_count() else EXIT_OK


async def _answer_wallet_prompts(phone: TerminalPhone, source: InputSource, timeout: float) -> None:
    """Answer the payment requests of the next `timeout` seconds. The next key is the PIN; `0` or no key declines."""
    while (prompt := await phone.inbox.wait_for_prompt(timeout)) is not None:
        phone.printer.print_wallet_prompt(prompt)
        text = await source.next_input_or_none()
        answer = {"request": prompt.id} if text in DECLINE_INPUTS else {"request": prompt.id, "pin": str(text)}
        reply = await post_webhook(phone.http, WALLET, answer)
        phone.printer.print_line(
            WALLET_RESULT_TEXTS.get(reply.body and json.loads(reply.body).get("said", ""), WALLET_ERROR_TEXT)
        )


async def _exchange_screens(call: SimulatedCall, deep_path: str, source: InputSource, printer: Printer) -> UssdResponse:
    """Enter keys until the session ends; its last response. The gateway gets the end event in every case."""
    try:
        response = await call.dial(deep_path)
        while response.kind == "CON":
            printer.print_screen(response)
            response = await call.send_input(await source.next_input())
        return response
    finally:
        await call.end()


async def _write_messages(phone: TerminalPhone, first: str, source: InputSource) -> int:
    """Send one SMS after the other, each after the reply to the one before; the exit status."""
    text: str | None = first
    try:
        while text is not None:
            if status := await _send_and_wait(phone, text):
                return status
            await _answer_wallet_prompts(phone, source, WALLET_PROMPT_WAIT)
            text = await source.next_input_or_none()
    except HangUpError as why:
        phone.printer.print_line(str(why))
        return EXIT_INCOMPLETE
    return EXIT_OK


async def _send_and_wait(phone: TerminalPhone, text: str) -> int:
    """Send one SMS and wait for the reply; the exit status."""
    before = len(phone.inbox.messages)
    reply = await send_sms(phone.http, phone.sim_card, text)
    if reply.status != HTTPStatus.OK:
        phone.printer.print_line(f"The gateway did not take the SMS: {reply.failure}.")
        return EXIT_FAILED
    if await phone.inbox.wait_for_more_than(before):
        return EXIT_OK
    phone.printer.print_line("No SMS has come in answer.")
    return EXIT_INCOMPLETE


async def _ring(phone: TerminalPhone, msisdn: str) -> int:
    result = await ring(phone.http, phone.sim_card, msisdn)
    if result.was_rejected:
        phone.printer.print_line("Rejected: you pay nothing.")
        if result.no_sms:
            phone.printer.print_line(result.no_sms)
        return EXIT_OK
    phone.printer.print_line(f"The gateway did not reject this call: {result.failure}.")
    return EXIT_INCOMPLETE if result.was_answered else EXIT_FAILED


@asynccontextmanager
async def _open_phone(options: SimOptions, out: TextIO) -> AsyncIterator[TerminalPhone]:
    """A phone with this SIM card, which prints each SMS and reports its delivery."""
    async with _open_session(options.url) as http:
        gateway = await _fetch_gateway_info(http, options.url)
        network = _find_network(gateway, options.network_code or gateway["networks"][0]["code"])
        line = SimCard.from_phone_json(gateway, _validate_msisdn(options.msisdn or gateway["numbers"][0]), network)
        printer = Printer(out, network)
        async with (
            _open_delivery_reporter(http, line) as reported,
            open_inbox(http, line.msisdn, _call_both(printer.print_sms, reported)) as inbox,
        ):
            yield TerminalPhone(http, gateway, line, printer, inbox)


def _call_both(
    first: Callable[[ReceivedSms], None], second: Callable[[ReceivedSms], None]
) -> Callable[[ReceivedSms], None]:
    def arrive(sms: ReceivedSms) -> None:
        first(sms)
        second(sms)

    return arrive


@asynccontextmanager
async def _open_delivery_reporter(
    http: ClientSession, sim_card: SimCard
) -> AsyncIterator[Callable[[ReceivedSms], None]]:
    """A function that reports an SMS as delivered in a task; leaving the context waits for the tasks."""
    under_way: set[asyncio.Task[object]] = set()

    def report_sms(sms: ReceivedSms) -> None:
        task: asyncio.Task[object] = asyncio.create_task(report_delivery(http, sim_card, sms.id))
        under_way.add(task)

    try:
        yield report_sms
    finally:
        await asyncio.gather(*under_way)


def _open_session(base_url: str) -> ClientSession:
    try:
        return ClientSession(base_url)
    except ValueError:
        raise CannotDialError(f"{base_url} is not an address; write one such as http://127.0.0.1:8080.") from None


async def _fetch_gateway_info(http: ClientSession, base_url: str) -> Mapping[str, Any]:
    try:
        async with http.get("/simulator/phone.json") as response:
            if response.ok:
                return dict(await response.json())
    except ClientError:
        raise CannotDialError(f"No gateway answers at {base_url}; start one with: python server.py") from None
    raise CannotDialError(
        f"The gateway at {base_url} has no simulator; set simulator.enabled = true in its config.toml."
    )


def _validate_msisdn(msisdn: str) -> str:
    if not _is_msisdn(msisdn):
        raise CannotDialError(f"{msisdn} is not a number to call from; write one such as +8801700000001.")
    return msisdn


def _find_network(gateway_info: Mapping[str, Any], code: str) -> Mapping[str, Any]:
    known = {network["code"]: network for network in gateway_info["networks"]}
    if code not in known:
        raise CannotDialError(f"Network {code} is not known; there are {', '.join(known)}.")
    return dict(known[code])


def _require_deep_path(dial_string: str, sim_card: SimCard) -> str:
    rest = parse_deep_dial(dial_string, sim_card.service_code)
    if rest is None:
        raise CannotDialError(f"{dial_string} does not lead to this gateway; its code is {sim_card.service_code}.")
    return rest


def _choose_missed_call_number(gateway_info: Mapping[str, Any], to: str | None) -> str:
    numbers = [called["number"] for called in gateway_info["missedCalls"]]
    if not numbers:
        raise CannotDialError("This gateway has no missed-call number; set missed_calls.numbers in its config.toml.")
    number = find_dialled_number(to, numbers) if to else numbers[0]
    if number is None:
        raise CannotDialError(f"{to} is not a missed-call number of this gateway; there are {', '.join(numbers)}.")
    return number
