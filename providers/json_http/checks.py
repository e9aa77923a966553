"""Check every row, in use or not, and prove it by the sample that stands beside it: for `server.py check`."""

from collections.abc import Sequence
from pathlib import Path

from config.settings import Settings
from core.errors import Problem, ValidationFailedError
from providers.json_http.provider_rows import find_rows, load_row
from providers.json_http.settings import JsonSettings
from providers.json_http.sms import read_sms
from providers.json_http.sms_proof import find_sms_problems
from providers.json_http.ussd_sample import find_sample_problems


def find_row_problems(settings: Settings) -> Sequence[Problem]:
    """The problems of the built-in rows and of those in the folder of one's own, with their files and lines."""
    files = find_rows(settings.provider_section(JsonSettings).folder).values()
    return sorted(problem for path in files for problem in check_row(path))


def check_row(path: Path) -> Sequence[Problem]:
    """The problems of the row in a file, and of its samples."""
    try:
        row = load_row(path)
        return [*find_sample_problems(row), *(find_sms_problems(row, read_sms(row)) if row.sms is not None else ())]
    except ValidationFailedError as error:
        return error.problems
