"""What stands between a terminal and the phone in it: who types, and what is printed for them."""

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from screens.alphabet import septets, units
from web.simulator.call import Heard
from web.simulator.received import LENGTHS, Inbox, Prompt, Received

KEYBOARD = 0  # the file descriptor of standard input


class HangUpError(Exception):
    """Whoever types has no answer; the text says why."""


class Fingers(Protocol):
    """Whoever types."""

    async def type(self) -> str:
        """The next answer; HangUpError when there is none."""

    async def more(self) -> str | None:
        """The next answer where there need not be one; None when there is none."""

    def left(self) -> int:
        """How many answers are still unused."""


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

    def wallet(self, asked: Prompt) -> None:
        """What the wallet is asked for, and how to answer."""
        text = f"Pay {asked.amount} to {asked.payee}?\nAccount {asked.about}\nEnter your wallet PIN, or 0 to decline"
        self._framed("Wallet", text, "the operator's own screen")

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

    async def more(self) -> str | None:
        """The next key; None when all were typed."""
        return await self.type() if self._keys else None

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

    async def more(self) -> str | None:
        """The next line; None at the end of the input."""
        with suppress(HangUpError):
            return await self.type()
        return None

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
