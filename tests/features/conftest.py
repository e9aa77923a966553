"""A running gateway with embedded backends, and phones that use it.

One conversation of each file runs over every network. `pytest tests/features --network=tap` runs all of them over one.
"""

import inspect
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import ClientSession

from tests.support.console_pages import Scene, open_scene
from tests.support.networks import KAIOS, NETWORKS, SELECTED
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sent_texts import check_listed, recorded_texts
from tests.support.sms_phone import SmsPhone, open_sms_phone


@pytest.fixture(autouse=True)
def sent_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every SMS of a conversation is in the list of texts to register, as what it is sent."""
    with recorded_texts(monkeypatch) as sent:
        yield
    check_listed(sent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the first conversation of each file that needs a phone and nothing else over every network."""
    is_default = metafunc.config.getoption("--network") == NETWORKS[0]
    if is_default and metafunc.function is _find_first_conversation(metafunc.module):
        is_of_calls = any(metafunc.definition.iter_markers("calls_only"))
        networks = [one for one in NETWORKS if one != KAIOS] if is_of_calls else NETWORKS
        metafunc.parametrize("network", networks, indirect=True)


def _find_first_conversation(module: ModuleType) -> object:
    """None where the phones of the file have a gateway of their own."""
    if hasattr(module, "phone") or hasattr(module, "gateway"):
        return None
    tests = [test for name, test in vars(module).items() if name.startswith("test_") and _needs_phone_alone(test)]
    return tests[0] if tests else None


def _needs_phone_alone(test: object) -> bool:
    return (
        inspect.iscoroutinefunction(test)
        and list(inspect.signature(test).parameters) == ["phone"]
        and all(mark.name == "calls_only" for mark in getattr(test, "pytestmark", ()))
    )


@pytest.fixture(autouse=True)
def network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of the phones of a test that runs over several; else that of the run."""
    if hasattr(request, "param"):
        monkeypatch.setattr(SELECTED, "name", request.param)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a running gateway."""
    async with run_gateway(build_settings(tmp_path)) as url:
        yield url


@pytest.fixture
async def phone(gateway: str) -> AsyncIterator[Phone]:
    """A phone without earlier calls, on a network that shows Latin letters only."""
    async with ClientSession() as http:
        yield Phone(http, gateway)


@pytest.fixture
async def sms_phone(gateway: str) -> AsyncIterator[SmsPhone]:
    """The same number, which sends SMS."""
    async with open_sms_phone(gateway) as sms_phone:
        yield sms_phone


@pytest.fixture
async def phone_on_every_backend(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[Phone]:
    """A phone at a gateway on each pair of backends in turn."""
    from db.migrate import upgrade

    await upgrade(database_url)
    settings = build_settings(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url)
    async with run_gateway(settings) as url, ClientSession() as http:
        yield Phone(http, url)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A running gateway with its staff."""
    async with open_scene(tmp_path) as scene:
        yield scene
