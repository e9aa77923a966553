"""`server.py departments try`: a key, a sample application, and the three requests to begin with."""

import argparse
from typing import TYPE_CHECKING

from cli.arguments import build_act, check_department
from config.settings import Settings
from core.errors import CommandError

if TYPE_CHECKING:
    from app.department_trials import TrialCommands
    from services.departments.trials import Trial


async def try_department(settings: Settings, args: argparse.Namespace) -> int:
    """Make a trial and print what it made, on a gateway that only this machine can reach.

    Raises:
        CommandError: the gateway is public, or there is nothing that this department can be tried with.
    """
    _check_not_public(settings)
    from app.department_trials import open_trial_commands
    from services.catalogue.sample_answers import NoSampleAnswerError

    async with open_trial_commands(settings) as commands:
        check_department(args.department, commands.catalogue.departments)
        try:
            trial = await commands.trials.start(args.department, build_act(args))
        except NoSampleAnswerError as error:
            raise CommandError(
                f"No sample answers the field {error.field.name!r} of the form; "
                "make a key with keys add, and apply on the phone in the simulator"
            ) from None
        if trial is None:
            raise CommandError(_describe_phone_departments(commands, args.department))
        _print_trial(commands, args.department, trial)
    return 0


def _check_not_public(settings: Settings) -> None:
    """Check that no stranger can reach the gateway, and that no SMS leaves this machine.

    Raises:
        CommandError: names the settings to change.
    """
    if settings.is_public:
        raise CommandError(
            "departments try makes sample data, and this gateway is public; use it where server.host is 127.0.0.1, "
            "server.public_url is empty and sms.provider is sandbox, or make a key with keys add"
        )


def _describe_phone_departments(commands: "TrialCommands", department: str) -> str:
    others = [code for code in sorted(commands.catalogue.departments) if commands.trials.find_service(code)]
    return f"{department} has no service on a phone, so nothing can be applied for; these have: {', '.join(others)}"


def _print_trial(commands: "TrialCommands", department: str, trial: "Trial") -> None:
    from services.departments.trials import build_trial_requests

    service = commands.trials.find_service(department)
    print(
        f"Application {trial.tracking_number}: {service.names['en'] if service else ''}, applied for on {trial.msisdn}"
    )
    print(f"Key {trial.key}, valid until {trial.last_day}; keys list shows it as a trial, keys revoke ends it")
    print("The gateway must run: make run")
    for title, request in build_trial_requests(commands.url, trial).items():
        print(f"\n# {title}\n{request}")
    if commands.simulator_url:
        print(f"\nThe SMS to the citizen are at {commands.simulator_url}, on the phone {trial.msisdn}")
