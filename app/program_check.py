"""Run `server.py check` while the gateway runs: in a process of its own, with low priority, because it takes seconds."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from core.timeouts import Timeout
from web.console.catalogue.routes import CheckReport

PROGRAM: Final = Path(__file__).parents[1] / "server.py"
NICENESS: Final = 10
CHECK_TIMEOUT: Final = 120.0  # seconds


class ProgramCheck:
    """Runs the check, one at a time: who asks meanwhile waits for the turn."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """`environment` is that of the process by default."""
        self._command = command
        self._environment = environment
        self._turn = asyncio.Lock()

    async def run(self) -> CheckReport:
        """What the check says of the files as they are now.

        Raises:
            TimeoutError: it did not end in CHECK_TIMEOUT seconds.
        """
        async with self._turn, Timeout(CHECK_TIMEOUT):
            return await self._run()

    async def _run(self) -> CheckReport:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
        )
        if os.name == "posix":
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return CheckReport(is_valid=process.returncode == 0, lines=tuple(output.decode(errors="replace").splitlines()))


def build_check_command(config: Path) -> Sequence[str]:
    """The command that checks the settings in a file, and what they name."""
    return (sys.executable, str(PROGRAM), "check", "--config", str(config.absolute()))
