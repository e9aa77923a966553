"""The description of a command of `server.py`, and the arguments that all commands take."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from config.settings import Settings


def add_no_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: for a command without arguments of its own."""


class Command(NamedTuple):
    """One command: the function that runs it and returns the exit status, its line in the help, and its arguments."""

    run: Callable[[Settings, argparse.Namespace], int]
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None] = add_no_arguments

    @property
    def description(self) -> str:
        """The first paragraph of the docstring of `run`, for the help of this command."""
        return (self.run.__doc__ or "").partition("\n\n")[0]


def common_parser() -> argparse.ArgumentParser:
    """Return a parent parser with `--config`, which can stand before and after the name of the command."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(  # no default: that of an inner parser would overwrite the value of the outer one
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="settings file (default: config.toml)"
    )
    return parser
