"""Compare the pinned packages with published vulnerabilities, by pip-audit. Usage: python scripts/audit_dependencies.py.

The data comes from the network. Exit status 0: no vulnerability is known, or the data cannot be had, which one line says.
1: a pinned package has a known vulnerability. 2: pip-audit does not run.
"""

import json
import re
import subprocess  # nosec B404 # it runs one command that this file writes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PINNED: Final = ROOT / "requirements-dev.txt"  # contains every package of requirements.txt, in the same version
REQUEST_TIMEOUT: Final = 5  # seconds for one request of pip-audit
AUDIT_TIMEOUT: Final = 90  # seconds for all of it
COMMAND: Final = (
    *(sys.executable, "-m", "pip_audit", "--requirement", str(PINNED), "--require-hashes", "--disable-pip"),
    *("--format", "json", "--progress-spinner", "off", "--timeout", str(REQUEST_TIMEOUT)),
)
# The last line of pip-audit when a server does not answer, or answers with an error.
_NETWORK_ERROR: Final = re.compile(
    r"\w*(Connection|Connect|Proxy|SSL|HTTP|Timeout|MaxRetry|Service)Error\b|Could not connect"
)
SKIPPED: Final = "Dependency audit SKIPPED: {}; nothing was checked. Run it where there is a network."
INCOMPLETE: Final = "Dependency audit INCOMPLETE: nothing is published about {} of {} packages: {}."


class AuditRun(NamedTuple):
    """What pip-audit printed. `is_late`: it was stopped because it took longer than AUDIT_TIMEOUT."""

    output: str
    errors: str
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A known vulnerability of a pinned package, and the versions without it."""

    package: str
    version: str
    vulnerability: str
    fixed_in: Sequence[str]

    def __str__(self) -> str:
        fix = f"take {' or '.join(self.fixed_in)}" if self.fixed_in else "there is no version without it yet"
        return f"{self.package} {self.version}: {self.vulnerability}; {fix}"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, and the names of the packages that could be looked up and of those that could not."""

    findings: Sequence[Finding]
    audited: Sequence[str]
    unaudited: Sequence[str]


def main(run: Callable[[], AuditRun] | None = None) -> int:
    """Print the result of one audit and return the exit status."""
    audit = (run or run_pip_audit)()
    if audit.is_late:
        return _report(SKIPPED.format(f"the data did not come within {AUDIT_TIMEOUT} seconds"), 0)
    report = parse_report(audit.output)
    if report is None:
        *_, reason = audit.errors.strip().splitlines() or ["it printed nothing"]
        if _NETWORK_ERROR.search(reason):
            return _report(SKIPPED.format("its data cannot be had"), 0)
        return _report(f"pip-audit does not run: {reason}; run make requirements, or see its --help", 2)
    return _report_result(report)


def _report_result(report: Report) -> int:
    if report.findings:
        return _report("\n".join(map(str, report.findings)), 1)
    if not report.audited:  # a proxy that answers "not found" to everything looks like packages that nobody knows
        return _report(SKIPPED.format(f"none of the {len(report.unaudited)} packages is known to its data"), 0)
    if report.unaudited:
        count, total = len(report.unaudited), len(report.unaudited) + len(report.audited)
        return _report(INCOMPLETE.format(count, total, ", ".join(report.unaudited)), 0)
    return _report(f"No vulnerability is known in {len(report.audited)} packages.", 0)


def run_pip_audit() -> AuditRun:
    """Run pip-audit over the pinned packages."""
    try:
        ended = subprocess.run(  # noqa: S603  # nosec B603 # no shell, and no part of the command comes from outside
            COMMAND, capture_output=True, text=True, check=False, timeout=AUDIT_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return AuditRun("", "", is_late=True)
    return AuditRun(ended.stdout, ended.stderr)


def parse_report(output: str) -> Report | None:
    """Return the report in the JSON of pip-audit; None where there is none."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, LookupError, TypeError):
        return None
    findings = [
        Finding(one["name"], one["version"], _describe(found), found.get("fix_versions", ()))
        for one in packages
        for found in one.get("vulns", ())
    ]
    unaudited = [one["name"] for one in packages if "skip_reason" in one]
    return Report(findings, [one["name"] for one in packages if "skip_reason" not in one], unaudited)


def _describe(vulnerability: dict[str, Any]) -> str:
    return ", ".join((vulnerability["id"], *vulnerability.get("aliases", ())))


def _report(text: str, status: int) -> int:
    sys.stdout.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
