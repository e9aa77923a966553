"""How many variants of typed answers a run has tried: a property of a test's report, and the sum of all reports."""

from collections.abc import Iterable
from typing import Final

import pytest

COUNT_PROPERTY: Final = "typed_variants"


def count_variants(reports: Iterable[pytest.TestReport]) -> int:
    """The variants of all tests that have reported some."""
    return sum(int(str(dict(report.user_properties).get(COUNT_PROPERTY, 0))) for report in reports)
