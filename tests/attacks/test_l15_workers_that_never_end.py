"""L15: a worker ends after a number of requests, not all at once, and what it writes is for its user only."""

import runpy

import pytest

from app.runner import PRIVATE_UMASK
from tests.support.phone import ROOT
from tests.support.privacy import capture_all_logs
from tests.support.program import build_environment


def test_l15_workers_of_gunicorn_end_one_after_the_other(tmp_path, monkeypatch):
    for name, value in build_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    with capture_all_logs():  # the file configures the log
        config = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert config["max_requests"] > 0
    assert 0 < config["max_requests_jitter"] < config["max_requests"]


@pytest.mark.parametrize("others", [0o007, 0o070])
def test_l15_what_a_server_process_writes_is_for_its_user_only(others):
    """`test_the_metrics_are_those_of_all_workers` looks at the umask of running workers."""
    assert PRIVATE_UMASK & others == others
