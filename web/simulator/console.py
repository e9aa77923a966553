"""The terminal of a simulated phone: sources of input, and what is printed."""

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from core.gsm7 import count_septets, count_utf16_units
from web.simulator.call import UssdResponse
from web.simulator.terminal_inbox import DIGIT_COUNTS, ReceivedSms, TerminalInbox, WalletPrompt

STDIN_FD = 0  # the file descriptor of standard input


class HangUpError(Exception):
    """There is no further input; the message says why."""


class InputSource(Protocol):
    """A source of input: a script or a person."""

    async def next_input(self) -> str:
        """The next input.

        Raises:
            HangUpError: there is none.
        """

    async def next_input_or_none(self) -> str | None:
        """The next input; None if there is none."""

    def unused_count(self) -> int:
        """The number of inputs that are left."""


@dataclass(slots=True)
class Printer:
    """Prints the screens and the SMS of one phone on a network of `phone.json`."""

    out: TextIO
    network: Mapping[str, Any]
    _is_prompting: bool = False

    def print_screen(self, response: UssdResponse) -> None:
        """Print a screen and the size it takes."""
        sent = f"{response.kind} {response.text}"
        cost = count_septets(sent)
        used, kind, name = (
            (count_utf16_units(sent), "units", "UTF-16 units") if cost is None else (cost, "septets", "septets")
        )
        self._print_framed(
            self.network["name"], response.text, f"{response.kind}, {used} of {self.network[kind]} {name}"
        )

    def print_sms(self, sms: ReceivedSms) -> None:
        """Print an SMS as it arrives; a waiting prompt is printed again below it."""
        if self._is_prompting:
            self.print_line("")
        self._print_framed(f"SMS from {sms.sender}", sms.text, f"{sms.sent_at:%H:%M:%S} UTC")
        if self._is_prompting:
            self.show_prompt()

    def print_wallet_prompt(self, wallet_prompt: WalletPrompt) -> None:
        """Print a payment request and how to answer it."""
        text = f"Pay {wallet_prompt.amount} to {wallet_prompt.payee}?\nAccount {wallet_prompt.description}\nEnter your wallet PIN, or 0 to decline"
        self._print_framed("Wallet", text, "the operator's own screen")

    def show_prompt(self) -> None:
        """Prompt for a line."""
        self._is_prompting = True
        self.out.write("> ")
        self.out.flush()

    def end_prompt(self) -> None:
        """Note that the prompt is answered."""
        self._is_prompting = False

    def print_line(self, line: str) -> None:
        """Print one line of the phone itself."""
        self.out.write(f"{line}\n")
        self.out.flush()

    def _print_framed(self, title: str, text: str, footer: str) -> None:
        """Print a frame without a right edge: letters of some scripts differ in width."""
        inside = "\n".join(f"│ {line}" for line in text.split("\n"))
        self.print_line(f"╭─ {title}\n{inside}\n╰─ {footer}")


class ScriptedInput:
    """Types prepared keys; `{code}` and the like are filled in from SMS."""

    def __init__(self, keys: Sequence[str], inbox: TerminalInbox, printer: Printer) -> None:
        self._keys = list(keys)
        self._inbox = inbox
        self._printer = printer

    async def next_input(self) -> str:
        """The next key.

        Raises:
            HangUpError: the keys are used up, or no SMS holds the number that a key stands for.
        """
        if not self._keys:
            raise HangUpError("The keys are used up, and the screen asks for more.")
        key = self._keys.pop(0)
        wanted = key.removeprefix("{").removesuffix("}")
        text = await self._number_from_sms(wanted) if key == f"{{{wanted}}}" and wanted in DIGIT_COUNTS else key
        self._printer.print_line(f"> {text}")
        return text

    async def next_input_or_none(self) -> str | None:
        """The next key; None if all are used."""
        return await self.next_input() if self._keys else None

    def unused_count(self) -> int:
        """The number of keys that are left."""
        return len(self._keys)

    async def _number_from_sms(self, kind: str) -> str:
        number = await self._inbox.wait_for_number(kind)
        if number is None:
            raise HangUpError(f"No SMS with a number for {{{kind}}} has come.")
        return number


class TerminalInput:
    """A person who types lines at the terminal. The end of the input (Ctrl-D) hangs up."""

    def __init__(self, printer: Printer, fd: int = STDIN_FD) -> None:
        self._printer = printer
        self._fd = fd
        self._buffer = b""

    async def next_input(self) -> str:
        """The next line.

        Raises:
            HangUpError: the input has ended.
        """
        self._printer.show_prompt()
        try:
            while b"\n" not in self._buffer:
                self._buffer += await self._read_chunk()
        finally:
            self._printer.end_prompt()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace").strip()

    async def next_input_or_none(self) -> str | None:
        """The next line; None at the end of the input."""
        with suppress(HangUpError):
            return await self.next_input()
        return None

    async def _read_chunk(self) -> bytes:
        more = await _read_from_thread(self._fd)
        if not more:
            raise HangUpError("You hung up.")
        return more

    def unused_count(self) -> int:
        """Zero: a person has no prepared inputs."""
        return 0


async def _read_from_thread(fd: int) -> bytes:
    """Read standard input in a daemon thread, which Ctrl-C need not wait for."""
    loop = asyncio.get_running_loop()
    line_read: asyncio.Future[bytes] = loop.create_future()

    def set_line(line: bytes) -> None:
        if not line_read.done():
            line_read.set_result(line)

    def read_blocking() -> None:
        line = os.read(fd, 4096)
        with suppress(RuntimeError):  # the loop has ended in the meantime
            loop.call_soon_threadsafe(set_line, line)

    threading.Thread(target=read_blocking, daemon=True).start()
    return await line_read
