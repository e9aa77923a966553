"""`server.py payments` in this process, beside a gateway that runs."""

import argparse
import asyncio
import io
import re
from contextlib import redirect_stdout
from typing import NamedTuple

from cli.payments import add_arguments, run_payments
from config.settings import Settings

_LOG_LINE = re.compile(r"^\d{4}-\d{2}-\d{2} [\d:]{8} \[.*\n", re.MULTILINE)  # of a gateway in this process


class CommandResult(NamedTuple):
    """What a command printed, and its exit status."""

    output: str
    status: int


async def payments_command(settings: Settings, *arguments: str) -> CommandResult:
    """Run the command.

    Raises:
        CommandError: it failed.
    """
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(arguments)
    with redirect_stdout(io.StringIO()) as said:
        status = await asyncio.to_thread(run_payments, settings, args)  # it has an event loop of its own
    return CommandResult(_LOG_LINE.sub("", said.getvalue()), status)
