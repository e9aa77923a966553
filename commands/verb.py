"""What makes a verb of `server.py`, and what every verb takes."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from settings import Settings


def no_options(_: argparse.ArgumentParser) -> None:
    """A verb that needs nothing said."""


class Verb(NamedTuple):
    """One thing the program does: how, what it is called in the help, and what may be said to it."""

    run: Callable[[Settings, argparse.Namespace], int]
    help: str
    options: Callable[[argparse.ArgumentParser], None] = no_options


def common() -> argparse.ArgumentParser:
    """What every verb takes; nothing where nothing is said, for an outer verb may have been told already."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the settings (default: config.toml)"
    )
    return parser
