"""Ekdial, the one program. `python server.py` serves; `python server.py --help` lists the other commands."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from socket import socket
from typing import Final

from aiohttp import web

from app.admin import add_admin_server
from app.runner import build_long_running_app, build_runner
from app.settings import load_settings
from cli import (
    audit,
    check,
    citizen,
    departments,
    dial,
    graph,
    keys,
    messages,
    migrate,
    operator,
    payments,
    serve,
    smpp,
    staff,
)
from cli.command import Command, common_parser
from config.settings import Settings
from core.errors import CommandError
from core.logging import LogFormat, configure_logging, report_problems

CONFIG_FILE: Final = Path(__file__).parent / "config.toml"
EXIT_ERROR: Final = 2
"""Exit status of a command that failed because of a setting, a file or an argument that somebody must correct."""
EXIT_INTERRUPTED: Final = 130
"""Exit status after Ctrl+C, as shells have it."""
EXIT_APP_LOAD_ERROR: Final = 4
"""Exit status with which gunicorn does not start the worker again."""

COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command(serve.run_serve, "run the gateway (the default)"),
    "check": Command(check.run_check, "validate settings, menus, catalogue and translations", check.add_arguments),
    "dial": Command(dial.run_dial, "open a phone in the terminal", dial.add_arguments),
    "migrate": Command(migrate.run_migrate, "bring the database's tables up to date"),
    "keys": Command(
        keys.run_keys, "API keys of departments, fresh secrets, change of the master secret", keys.add_arguments
    ),
    "operator": Command(
        operator.run_operator, "operators who act for citizens at village centres", operator.add_arguments
    ),
    "staff": Command(staff.run_staff, "who may sign in to the console, and what they may do", staff.add_arguments),
    "citizen": Command(
        citizen.run_citizen, "help a citizen: lost phones, numbers of somebody else", citizen.add_arguments
    ),
    "audit": Command(audit.run_audit, "export who did what to which record", audit.add_arguments),
    "departments": Command(
        departments.run_departments,
        "departments' own systems: health, waiting and rejected deliveries",
        departments.add_arguments,
    ),
    "messages": Command(
        messages.run_messages, "messages with an unknown result: list and settle", messages.add_arguments
    ),
    "payments": Command(payments.run_payments, "payments: report, refunds, open cases", payments.add_arguments),
    "smpp": Command(smpp.run_smpp, "hold the binds at operators' SMSCs: SMS and USSD over SMPP", smpp.add_arguments),
    "graph": Command(graph.run_graph, "draw the menu tree as SVG", graph.add_arguments),
}

SERVERS: Final = frozenset({"serve", "smpp"})
"""Commands whose stderr is read by machines where `server.log_format` says so; people read that of the others."""
_TEXT: Final[LogFormat] = "console"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; the problems of a failed command go to stderr, one line each."""
    args, log_format = _build_parser().parse_args(arguments), _TEXT
    try:
        settings = load_settings(args.config) if args.needs_settings else Settings()
        if (args.command or "serve") in SERVERS:
            log_format = settings.server.log_format
        configure_logging(settings.server.log_level, settings.server.log_format)
        return COMMANDS[args.command or "serve"].run(settings, args)
    except CommandError as error:
        report_problems(str(error), log_format)
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


async def worker(admin_listener: socket | None = None) -> web.AppRunner:
    """Return what gunicorn loads as `server:worker`; `app.gunicorn_worker` gives it the admin server's socket.

    Raises:
        SystemExit: The gateway cannot start; stderr has one line for each problem, and gunicorn does not try again.
    """
    log_format = _TEXT
    try:
        settings = load_settings(CONFIG_FILE)
        log_format = settings.server.log_format
        configure_logging(settings.server.log_level, settings.server.log_format)
        app = await build_long_running_app(settings, shares_metrics=admin_listener is not None)
        if admin_listener is not None:
            add_admin_server(app, admin_listener, is_shared=True)
        return build_runner(app, drains=True)
    except CommandError as error:
        report_problems(str(error), log_format)
        raise SystemExit(EXIT_APP_LOAD_ERROR) from None


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="server.py", description="Every public service, from any phone, on one number.", parents=[common_parser()]
    )
    parser.set_defaults(config=CONFIG_FILE, needs_settings=True)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        command.add_arguments(
            commands.add_parser(name, help=command.help, description=command.description, parents=[common_parser()])
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
