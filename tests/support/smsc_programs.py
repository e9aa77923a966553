"""SMSCs that other people wrote, as programs: of the Python package `smpp34`, of the npm package `smpp`, and Kannel's.

Where one cannot be had the test is skipped, and the line in the report says what to install.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NPM_PACKAGE = "smpp@0.5.1"
MODULES_VARIABLE = "EKDIAL_TEST_NODE_MODULES"  # a folder node_modules that has the package
KANNEL = Path("/usr/lib/kannel/test/drive_smpp")
DEADLINE = 30.0  # seconds


class SmscProgram:
    """A running SMSC: `tell` it what to do, and `hear` what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._heard: list[dict] = []
        self.port = 0

    async def tell(self, **what: object) -> None:
        """Tell it to do something, and return when it has begun."""
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self.hear("told")

    async def hear(self, event: str) -> dict:
        """The next event of this name; earlier ones of other names are kept."""
        for place, said in enumerate(self._heard):
            if said["event"] == event:
                return self._heard.pop(place)
        async with asyncio.timeout(DEADLINE):
            while said := json.loads(await self._process.stdout.readline()):
                if said["event"] == event:
                    return said
                self._heard.append(said)
        raise AssertionError(event)


@asynccontextmanager
async def run_smsc_program(*command: str, **environment: str) -> AsyncIterator[SmscProgram]:
    """Run one of the programs until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}
    )
    program = SmscProgram(process)
    try:
        program.port = (await program.hear("listening"))["port"]
        yield program
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), DEADLINE)
        except TimeoutError:
            process.kill()
            await process.wait()


def run_smpp34_smsc():
    """The SMSC of the Python package."""
    return run_smsc_program(sys.executable, str(ROOT / "tests/fakes/smpp34_smsc.py"))


def run_npm_smsc():
    """The SMSC of the npm package; the test is skipped where it cannot be had."""
    return run_smsc_program("node", str(ROOT / "tests/fakes/npm_smsc.js"), NODE_PATH=str(find_node_modules()))


def find_node_modules() -> Path:
    """The folder with the npm package, installed once into a cache; the test is skipped without it."""
    if given := os.environ.get(MODULES_VARIABLE):
        return Path(given)
    modules = _install_npm_package()
    if modules is None:
        pytest.skip(f"SMPP against npm's {NPM_PACKAGE}: install node and npm, or name a folder in {MODULES_VARIABLE}")
    return modules


@lru_cache(maxsize=1)
def _install_npm_package() -> Path | None:
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ekdial-tests" / NPM_PACKAGE
    modules = cache / "node_modules"
    if (modules / "smpp").is_dir():
        return modules
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, NPM_PACKAGE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - the words are above
            shutil.copytree(folder, f"{folder}.done")
            Path(f"{folder}.done").rename(cache)  # at once: another process may look
        except (OSError, subprocess.SubprocessError):
            shutil.rmtree(f"{folder}.done", ignore_errors=True)
    return modules if (modules / "smpp").is_dir() else None


def find_kannel() -> tuple[str, ...]:
    """The command that runs a program where Kannel's SMSC listens on no other interface; the test is skipped without."""
    if not KANNEL.exists():
        pytest.skip("SMPP against Kannel: apt-get install kannel-extras")
    isolated = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    test = [*isolated, "true"]
    if not shutil.which("ip") or subprocess.run(test, capture_output=True, check=False).returncode:  # noqa: S603 - as above
        pytest.skip("SMPP against Kannel: run as root with unshare and ip, as its SMSC listens on every interface")
    return isolated
