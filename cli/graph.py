"""`server.py graph`: draw the menu tree as a picture."""

import argparse
import asyncio
import sys
from pathlib import Path

from config.settings import Settings
from core.errors import CommandError


def run_graph(settings: Settings, args: argparse.Namespace) -> int:
    """Write the menu tree as SVG, to standard output or to a file."""
    from app.bootstrap import build_checked_menu
    from menus.svg import render_svg

    checked = asyncio.run(build_checked_menu(settings))
    picture = render_svg(checked.menu, checked.locales["en"])
    if args.out is None:
        sys.stdout.write(picture)
    else:
        _write_file(args.out, picture)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `graph`."""
    parser.add_argument("--out", type=Path, help="the file to write (default: standard output)")


def _write_file(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; name a file that can be written") from None
