"""The dependency audit: findings fail the check, data that cannot be had is skipped in one line, all else is an error.

The outputs are those of pip-audit 2.10.1.
"""

import json
import subprocess

import pytest

from scripts import audit_dependencies
from scripts.audit_dependencies import COMMAND, AuditRun, main, run_pip_audit

SKIPPED = "Dependency audit SKIPPED: {}; nothing was checked. Run it where there is a network."
UNKNOWN = {"name": "yarl", "skip_reason": "Dependency not found on the index and could not be audited: yarl (1.25.1)"}
CLEAN = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
VULNERABLE = {
    "name": "requests",
    "version": "2.30.0",
    "vulns": [
        {"id": "PYSEC-2023-74", "fix_versions": ["2.31.0"], "aliases": ["CVE-2023-32681"], "description": "…"},
        {"id": "PYSEC-2026-1", "fix_versions": [], "aliases": [], "description": "…"},
    ],
}
TRACEBACK = "Traceback (most recent call last):\n  File …\n"


def audit(*packages, errors=""):
    return AuditRun(json.dumps({"dependencies": packages, "fixes": []}), errors)


@pytest.mark.parametrize(
    ("run", "status", "line"),
    [
        (audit(CLEAN), 0, "No vulnerability is known in 1 packages."),
        (
            audit(UNKNOWN, UNKNOWN, errors="No known vulnerabilities found"),
            0,
            SKIPPED.format("none of the 2 packages is known to its data"),
        ),
        (
            audit(CLEAN, UNKNOWN),
            0,
            "Dependency audit INCOMPLETE: nothing is published about 1 of 2 packages: yarl.",
        ),
        (
            AuditRun("", f"{TRACEBACK}requests.exceptions.ProxyError: HTTPSConnectionPool(host='…', port=443): …"),
            0,
            SKIPPED.format("its data cannot be had"),
        ),
        (
            AuditRun("", f"{TRACEBACK}pip_audit._service.interface.ConnectionError: Could not connect to the feed"),
            0,
            SKIPPED.format("its data cannot be had"),
        ),
        (
            AuditRun("", "", is_late=True),
            0,
            SKIPPED.format("the data did not come within 90 seconds"),
        ),
        (
            AuditRun("", "/usr/bin/python: No module named pip_audit\n"),
            2,
            "pip-audit does not run: /usr/bin/python: No module named pip_audit; run make requirements, or see its --help",
        ),
        (AuditRun("", ""), 2, "pip-audit does not run: it printed nothing; run make requirements, or see its --help"),
    ],
)
def test_one_line_says_what_was_found_or_why_nothing_was_checked(capsys, run, status, line):
    assert main(lambda: run) == status
    assert capsys.readouterr().out == f"{line}\n"


def test_a_finding_fails_the_check_with_its_fix_also_where_other_packages_are_unknown(capsys):
    assert main(lambda: audit(CLEAN, VULNERABLE, UNKNOWN)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "requests 2.30.0: PYSEC-2023-74, CVE-2023-32681; take 2.31.0",
        "requests 2.30.0: PYSEC-2026-1; there is no version without it yet",
    ]


def test_every_pinned_package_is_audited_and_no_index_is_named(monkeypatch):
    commands = []

    def run(command, **options):
        commands.append(command)
        assert options["timeout"] == audit_dependencies.AUDIT_TIMEOUT
        return subprocess.CompletedProcess(command, 0, '{"dependencies": []}', "")

    monkeypatch.setattr(audit_dependencies.subprocess, "run", run)
    assert run_pip_audit() == AuditRun('{"dependencies": []}', "")
    assert commands == [COMMAND]
    assert not any("://" in word or "index" in word for word in COMMAND)
    pinned = audit_dependencies.PINNED.read_text(encoding="utf-8")
    runtime = (audit_dependencies.ROOT / "requirements.txt").read_text(encoding="utf-8")
    versions = {line.split(" ")[0] for line in runtime.splitlines() if "==" in line}
    assert {one for one in versions if one not in pinned} == set()


def test_an_audit_that_takes_too_long_is_stopped(monkeypatch):
    def run(command, **_):
        raise subprocess.TimeoutExpired(command, 90)

    monkeypatch.setattr(audit_dependencies.subprocess, "run", run)
    assert run_pip_audit().is_late
