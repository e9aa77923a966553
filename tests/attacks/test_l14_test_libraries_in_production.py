"""L14: the provider's SDK requires a library that imitates HTTP in tests; a gateway must not load it."""

import subprocess
import sys

import pytest

from tests.support.phone import ROOT

LOADED = """
import sys
import app.bootstrap, app.runner, server
import providers.africastalking.sms
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The packages that a process has loaded which serves with Africa's Talking."""
    command = [sys.executable, "-c", LOADED]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603


@pytest.mark.slow
@pytest.mark.parametrize("package", ["responses", "pytest", "hypothesis", "tests"])
def test_l14_a_gateway_loads_no_library_of_tests(package: str, loaded: set[str]) -> None:
    assert "africastalking" in loaded
    assert package not in loaded
