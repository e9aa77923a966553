"""`server.py citizen` and `server.py payments` in this process, beside a gateway that runs."""

import argparse
import asyncio
import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from types import ModuleType
from typing import NamedTuple, TypeAlias

from cli import citizen, payments
from config.settings import Settings

_LOG_LINE = re.compile(r"^\d{4}-\d{2}-\d{2} [\d:]{8} \[.*\n", re.MULTILINE)  # of a gateway in this process


Command: TypeAlias = Callable[[Settings, argparse.Namespace], int]


class CommandResult(NamedTuple):
    """What a command printed, and its exit status."""

    output: str
    status: int


async def citizen_command(settings: Settings, *arguments: str) -> str:
    """The output of the command.

    Raises:
        CommandError: it failed.
    """
    return (await _run(citizen, citizen.run_citizen, settings, arguments)).output


async def payments_command(settings: Settings, *arguments: str) -> CommandResult:
    """Run the command.

    Raises:
        CommandError: it failed.
    """
    return await _run(payments, payments.run_payments, settings, arguments)


async def _run(group: ModuleType, run: Command, settings: Settings, arguments: tuple[str, ...]) -> CommandResult:
    parser = argparse.ArgumentParser()
    group.add_arguments(parser)
    args = parser.parse_args(arguments)
    with redirect_stdout(io.StringIO()) as said:
        status = await asyncio.to_thread(run, settings, args)  # it has an event loop of its own
    return CommandResult(_LOG_LINE.sub("", said.getvalue()), status)
