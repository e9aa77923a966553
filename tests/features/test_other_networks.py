"""A journey of each file of this folder, over hSenid TAP and over SMPP. `pytest tests/features --network=tap` runs them all."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import ClientSession

from tests.support.networks import NETWORKS, SELECTED, SMPP, TAP
from tests.support.phone import Phone, build_settings, run_gateway

Journey = Callable[[Phone], Awaitable[None]]


def list_journeys() -> Iterator[Journey]:
    """The first conversation of each file that needs a phone and nothing else."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        if file.name != Path(__file__).name:
            yield from list(_list_of_module(import_module(f"tests.features.{file.stem}")))[:1]


def _list_of_module(module: ModuleType) -> Iterator[Journey]:
    if hasattr(module, "phone") or hasattr(module, "gateway"):
        return  # its phones have a gateway of their own
    for name, test in inspect.getmembers(module, inspect.iscoroutinefunction):
        marks = {mark.name for mark in getattr(test, "pytestmark", ())}
        if name.startswith("test_") and list(inspect.signature(test).parameters) == ["phone"] and not marks:
            yield test


JOURNEYS = list(list_journeys())


@pytest.fixture(params=[TAP, SMPP])
async def phone_elsewhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Phone]:
    """A phone on another network than Africa's Talking."""
    monkeypatch.setattr(SELECTED, "name", request.param)
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        yield Phone(http, url)


@pytest.mark.africastalking_wire("--network runs each of these over that network")
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__module__.rpartition(".test_")[2])
async def test_a_journey_is_the_same_on_another_network(phone_elsewhere: Phone, journey: Journey) -> None:
    await journey(phone_elsewhere)


def test_most_files_have_a_journey_here() -> None:
    assert len(JOURNEYS) >= 15
    assert len(NETWORKS) == 3
