"""Check every row, in use or not, and prove it by the sample that stands beside it: for `server.py check`."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from config.settings import Settings
from core.errors import Problem, ValidationFailedError
from providers.json_http.provider_rows import find_rows, load_row
from providers.json_http.settings import JsonSettings
from providers.json_http.sms import find_setting_faults, read_sms
from providers.json_http.sms_proof import find_sms_problems
from providers.json_http.ussd_sample import find_sample_problems


def find_row_problems(settings: Settings) -> Sequence[Problem]:
    """The problems of the built-in rows and of those in the folder of one's own, and of the accounts that send SMS by them."""
    files = find_rows(settings.provider_section(JsonSettings).folder)
    problems = [problem for path in files.values() for problem in check_row(path)]
    accounts = [files[name] for name in settings.sms.providers if name in files]
    return sorted([*problems, *(problem for path in accounts for problem in _check_account(settings, path))])


def check_row(path: Path) -> Sequence[Problem]:
    """The problems of the row in a file, and of its samples."""
    try:
        row = load_row(path)
        return [*find_sample_problems(row), *(find_sms_problems(row, read_sms(row)) if row.sms is not None else ())]
    except ValidationFailedError as error:
        return error.problems


def _check_account(settings: Settings, path: Path) -> Iterator[Problem]:
    """Yield each setting of a row that keeps it from sending; a row with faults is reported as such."""
    with suppress(ValidationFailedError):
        row = load_row(path)
        values = settings.provider_section(JsonSettings).find_values(row)
        for setting, problem, fix in find_setting_faults(read_sms(row), values):
            yield settings.problem_at(("providers", JsonSettings.provider, row.name, setting), problem, fix)
