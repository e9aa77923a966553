"""`server.py citizen` in this process, beside a gateway that runs."""

import argparse
import asyncio
import io
from contextlib import redirect_stdout

from cli.citizen import add_arguments, run_citizen
from config.settings import Settings


async def citizen_command(settings: Settings, *arguments: str) -> str:
    """The output of the command.

    Raises:
        CommandError: it failed.
    """
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(arguments)
    with redirect_stdout(io.StringIO()) as said:
        await asyncio.to_thread(run_citizen, settings, args)  # it has an event loop of its own
    return said.getvalue()
