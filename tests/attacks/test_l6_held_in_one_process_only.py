"""L6: a caller who guesses numbers, and is held by one process, asks another one."""

import pytest

from core.reference_numbers import generate_tracking_number
from tests.support.tracked_cases import STRANGER, CaseSet, sweep_prefix


@pytest.fixture
async def cases(services, redis) -> CaseSet:
    cases = CaseSet(services, redis)
    await cases.create()
    return cases


async def test_l6_a_caller_who_is_held_by_one_process_is_held_by_all(cases) -> None:
    one, other = cases.start_process(), cases.start_process()
    for _ in range(12):
        await one.find(generate_tracking_number(), STRANGER)
    assert (await other.find(cases.application, STRANGER)).kind == "held"


async def test_l6_a_prefix_that_is_held_by_one_process_is_held_by_all(cases) -> None:
    one, other = cases.start_process(), cases.start_process()
    await sweep_prefix(one, cases.application)
    assert (await other.find(cases.application, STRANGER)).kind == "held"
