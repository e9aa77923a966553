"""L1: an idempotency key that another person's act has already gives nobody that person's result.

Two callers have one key when a provider repeats a session id, or after the session store was lost.
"""

import pytest

from services.assisted.models import ConsentRequest, NewOperator
from tests.support.assisted_services import ANOTHER, AssistedServiceSet, different_code
from tests.support.services import KARIM, RAHIMA
from tests.support.staff import staff_act


@pytest.fixture
def assisted_services(services, redis, clock):
    return AssistedServiceSet(services, redis, clock)


async def test_l1_another_operators_right_pin_signs_nobody_in(assisted_services):
    operators = assisted_services.operators
    _, pin = await operators.add(NewOperator(KARIM, "Karim Mia", "mirpur", "bn"), staff_act())
    await operators.add(NewOperator(RAHIMA, "Rahima Begum", "mirpur", "bn"), staff_act())
    assert (await operators.sign_in(KARIM, pin, "s1:4", vouched=True)).operator
    stranger = await operators.sign_in(RAHIMA, "0000", "s1:4", vouched=True)
    assert (stranger.outcome, stranger.operator) == ("wrong", 0)


async def test_l1_the_right_code_of_one_consent_opens_no_other(assisted_services):
    operator = await assisted_services.enrol()
    asked, (code,) = await assisted_services.request_consent(operator)
    other = await assisted_services.consents.request(
        ConsentRequest(operator, ANOTHER, frozenset({"apply"}), "ussd"), "s7:10"
    )
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s1:17")).outcome == "right"
    checked = await assisted_services.consents.verify_code(other.consent, different_code(code), "s1:17")
    assert checked.outcome != "right"
    assert await assisted_services.consents.end_reason(other.consent, "s1:18") == "lapsed"


async def test_l1_a_request_for_another_citizen_is_not_answered_with_the_first_ones_consent(assisted_services):
    operator = await assisted_services.enrol()
    asked, _ = await assisted_services.request_consent(operator)
    another = ConsentRequest(operator, ANOTHER, frozenset({"apply"}), "ussd")
    row = (await assisted_services.consent_rows())[0]
    repeated = await assisted_services.consents.request(another, row.idempotency_key)
    assert (repeated.outcome, repeated.consent) == ("too_many", 0)
    assert asked.consent
