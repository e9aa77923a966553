"""L5: wrong tracking numbers, of the caller or of others, keep a holder from their own number."""

import pytest

from core.reference_numbers import generate_tracking_number
from core.verified_caller import unverified_caller
from tests.support.services import KARIM, RAHIMA
from tests.support.tracked_cases import STRANGER, CaseSet, sweep_prefix


@pytest.fixture
async def cases(services, redis) -> CaseSet:
    cases = CaseSet(services, redis)
    await cases.create()
    return cases


async def test_l5_a_swept_prefix_does_not_close_the_holders_own_number(cases) -> None:
    tracking = cases.start_process()
    for number in (cases.application, cases.complaint, cases.feedback):
        await sweep_prefix(tracking, number)
    assert (await tracking.find(cases.application, STRANGER)).kind == "held"
    assert (await tracking.find(cases.application, RAHIMA)).kind == "application", "from the phone of the application"
    assert (await tracking.find(cases.application, KARIM)).kind == "application", "from the phone it is for"
    assert (await tracking.find(cases.application, STRANGER, account=cases.account)).kind == "application", "signed in"
    assert (await tracking.find(cases.complaint, RAHIMA)).kind == "complaint"
    assert (await tracking.find(cases.feedback, RAHIMA)).kind == "feedback"


async def test_l5_a_holder_who_mistyped_ten_numbers_still_gets_their_own(cases) -> None:
    tracking = cases.start_process()
    for _ in range(12):
        last = await tracking.find(generate_tracking_number(), RAHIMA)
    assert last.kind == "held"
    assert (await tracking.find(cases.application, RAHIMA)).kind == "application"


async def test_l5_wrong_numbers_by_forged_sms_hold_no_verified_caller(cases) -> None:
    tracking = cases.start_process()
    with unverified_caller():
        for _ in range(12):
            await tracking.find(generate_tracking_number(), STRANGER)
        await sweep_prefix(tracking, cases.application)
        assert (await tracking.find(cases.application, STRANGER)).kind == "held"
        assert (await tracking.find(cases.application, RAHIMA)).kind == "application", "the holder's own SMS"
    assert (await tracking.find(cases.application, STRANGER)).kind == "application"
