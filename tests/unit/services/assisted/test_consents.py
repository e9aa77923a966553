"""Consents: requested, opened by the code on the citizen's phone, ended by either side or by time, with a summary."""

import asyncio

import pytest

from db.tables import audit
from services.assisted.limits import DailyLimits
from services.assisted.models import ConsentRequest, list_purposes
from services.assisted.visit_summary import APPLIED_ACT
from services.audit.models import AuditEntry
from tests.support.assisted_services import ANOTHER, AssistedServiceSet, different_code
from tests.support.services import RAHIMA
from tests.support.staff import staff_act


@pytest.fixture
def assisted_services(services, redis, clock):
    return AssistedServiceSet(services, redis, clock)


async def test_the_sms_with_the_code_names_operator_and_purpose(assisted_services, services):
    operator = await assisted_services.enrol()
    asked = await assisted_services.consents.request(
        ConsentRequest(operator, RAHIMA, frozenset({"complain"}), "ussd"), "s1:10"
    )
    ((to, language, text, facts),) = await services.claim_sms()
    assert (asked.outcome, to, language, text) == ("sent", RAHIMA, "bn", "consent_code")
    assert {**facts, "code": ""} == {
        "code": "",
        "who": "Karim Mia, mirpur",
        "operator": operator,
        "purpose": ["complain"],
    }


async def test_one_sms_names_every_purpose_of_a_request(assisted_services, services):
    """Personas 3.2: apply and follow needed a code each."""
    operator = await assisted_services.enrol()
    request = ConsentRequest(operator, RAHIMA, frozenset({"follow", "pay", "apply"}), "ussd")
    await assisted_services.consents.request(request, "s1:10")
    ((_, _, text, facts),) = await services.claim_sms()
    assert (text, facts["purpose"]) == ("consent_code", ["apply", "follow", "pay"])
    assert [list_purposes(row) for row in await assisted_services.consent_rows()] == [["apply", "follow", "pay"]]


async def test_a_purpose_that_is_added_ends_with_the_visit_and_has_no_summary_of_its_own(
    assisted_services, services, clock
):
    await services.register()
    operator = await assisted_services.enrol()
    visit = await assisted_services.give_consent(operator)
    clock.advance(minutes=20)
    added = await assisted_services.give_consent(operator, "s1:2", purpose="pay complain", added_to=visit)
    assert await assisted_services.consents.end_reason(visit, "s1:30") is None, "the visit goes on"
    one, other = await assisted_services.consent_rows()
    assert (other.id, other.visit, other.lapses_at) == (added, visit, one.lapses_at)
    clock.advance(minutes=10)
    assert await assisted_services.consents.end_reason(visit, "s1:40") == "lapsed"
    assert {row.ended_by for row in await assisted_services.consent_rows()} == {"lapsed"}
    assert [text for _, _, text, _ in await services.claim_sms()] == ["visit_over"]


async def test_stop_ends_a_visit_with_what_was_added_and_a_request_that_waits(assisted_services, services):
    await services.register()
    operator = await assisted_services.enrol()
    visit = await assisted_services.give_consent(operator)
    await assisted_services.give_consent(operator, "s1:2", purpose="pay", added_to=visit)
    asked, (code,) = await assisted_services.request_consent(operator, "s1:30", purpose="complain", added_to=visit)
    assert await assisted_services.consents.revoke_by_citizen(RAHIMA, "sms/1")
    assert {row.ended_by for row in await assisted_services.consent_rows()} == {"citizen"}
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s1:40")).outcome == "gone"
    assert await services.claim_sms() == []


async def test_nothing_is_added_to_a_visit_that_is_over(assisted_services, services):
    await services.register()
    operator = await assisted_services.enrol()
    visit = await assisted_services.give_consent(operator)
    asked, (code,) = await assisted_services.request_consent(operator, "s1:30", purpose="pay", added_to=visit)
    await assisted_services.consents.end(visit, "s1:35")
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s1:40")).outcome == "gone"
    assert await assisted_services.consents.end_reason(asked.consent, "s1:41")


async def test_the_limit_of_applications_holds_for_a_purpose_that_was_added(services, redis, clock):
    given = AssistedServiceSet(services, redis, clock, DailyLimits(applications_per_operator=1))
    await services.register()
    operator = await given.enrol()
    visit = await given.give_consent(operator, purpose="follow")
    await given.give_consent(operator, "s1:2", purpose="apply", added_to=visit)
    assert await given.consents.end_reason(visit, "s1:29") is None
    await given.act(operator, visit)
    assert await given.consents.end_reason(visit, "s1:31") == "limit"


async def test_a_repeated_request_sends_nothing(assisted_services):
    operator = await assisted_services.enrol()
    asked, codes = await assisted_services.request_consent(operator)
    again, nothing = await assisted_services.request_consent(operator)
    assert again == asked
    assert (len(codes), nothing) == (1, [])
    assert len(await assisted_services.consent_rows()) == 1


async def test_a_code_opens_the_consent_once_and_a_repeated_key_gets_the_same_result(assisted_services, services):
    account = await services.register()
    operator = await assisted_services.enrol()
    asked, (code,) = await assisted_services.request_consent(operator)
    given = await assisted_services.consents.verify_code(asked.consent, code, "s1:17")
    assert (given.outcome, given.account, given.language) == ("right", account, "bn")
    assert await assisted_services.consents.verify_code(asked.consent, code, "s1:17") == given
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s1:25")).outcome == "gone"
    assert await assisted_services.consents.end_reason(asked.consent, "s1:25") is None


async def test_a_wrong_code_opens_nothing(assisted_services):
    operator = await assisted_services.enrol()
    asked, (code,) = await assisted_services.request_consent(operator)
    assert (
        await assisted_services.consents.verify_code(asked.consent, different_code(code), "s1:17")
    ).outcome == "wrong"
    assert await assisted_services.consents.end_reason(asked.consent, "s1:18") == "lapsed"
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s1:24")).outcome == "right"


async def test_five_wrong_codes_use_the_code_up_and_ten_a_day_reach_the_limit(assisted_services):
    operator = await assisted_services.enrol()
    for session in ("s1", "s2"):
        asked, (code,) = await assisted_services.request_consent(operator, f"{session}:10")
        wrong = [
            (
                await assisted_services.consents.verify_code(asked.consent, different_code(code), f"{session}:{at}")
            ).outcome
            for at in range(17, 22)
        ]
        assert wrong == ["wrong"] * 5
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s2:30")).outcome == "spent"
    assert (await assisted_services.request_consent(operator, "s3:10", number=ANOTHER))[0].outcome == "spent"


async def test_one_of_many_concurrent_right_codes_opens_the_consent(assisted_services, services):
    operator = await assisted_services.enrol()
    asked, (code,) = await assisted_services.request_consent(operator)
    checks = [assisted_services.consents.verify_code(asked.consent, code, f"s1:{at}") for at in range(17, 22)]
    assert sorted(given.outcome for given in await asyncio.gather(*checks)) == ["gone"] * 4 + ["right"]


async def test_a_later_registration_does_not_change_the_result_of_the_code(assisted_services, services):
    operator = await assisted_services.enrol()
    asked, (code,) = await assisted_services.request_consent(operator)
    newcomer = await assisted_services.consents.verify_code(asked.consent, code, "s1:17")
    assert newcomer.account == 0
    account = await services.register()
    assert await assisted_services.consents.attach_account(asked.consent) == account
    assert await assisted_services.consents.verify_code(asked.consent, code, "s1:17") == newcomer, "as the first time"


async def test_a_consent_lasts_half_an_hour(assisted_services, clock, services):
    await services.register()
    consent = await assisted_services.give_consent(await assisted_services.enrol())
    clock.advance(minutes=29)
    assert await assisted_services.consents.end_reason(consent, "s1:40") is None
    clock.advance(minutes=1)
    assert await assisted_services.consents.end_reason(consent, "s1:42") == "lapsed"
    ((to, _, text, facts),) = await services.claim_sms()
    assert (to, text, len(facts["done"])) == (RAHIMA, "visit_over", 1)


async def test_an_expired_consent_is_ended_with_one_sms(assisted_services, clock, services):
    await services.register()
    await assisted_services.give_consent(await assisted_services.enrol())
    assert await assisted_services.consents.expire() == 0
    clock.advance(minutes=30)
    assert sum(await asyncio.gather(assisted_services.consents.expire(), assisted_services.consents.expire())) >= 1
    assert [text for _, _, text, _ in await services.claim_sms()] == ["visit_over"]
    assert [row.ended_by for row in await assisted_services.consent_rows()] == ["lapsed"]


async def test_the_citizen_gets_one_summary(assisted_services, services):
    account = await services.register()
    operator = await assisted_services.enrol()
    consent = await assisted_services.give_consent(operator)
    await assisted_services.act(operator, consent, account=account)
    for _ in range(2):
        await assisted_services.consents.end(consent, "s1:40")
    ((to, language, text, facts),) = await services.claim_sms()
    assert (to, language, text) == (RAHIMA, "bn", "visit_over")
    assert [one for one in facts["done"] if "done_applied" in one and "123456789012" in one]


async def test_a_replayed_input_before_the_end_is_allowed_and_a_later_one_is_not(assisted_services, services):
    await services.register()
    consent = await assisted_services.give_consent(await assisted_services.enrol())
    await assisted_services.consents.end(consent, "s1:40")
    assert await assisted_services.consents.end_reason(consent, "s1:38") is None
    assert await assisted_services.consents.end_reason(consent, "s1:40") == "operator"
    assert await assisted_services.consents.end_reason(consent, "s1:42") == "operator"
    assert await assisted_services.consents.end_reason(consent, "s2:38") == "operator"


async def test_stop_ends_the_consent_and_a_repeated_stop_gets_the_same_result(assisted_services, services):
    await services.register()
    consent = await assisted_services.give_consent(await assisted_services.enrol())
    assert await assisted_services.consents.revoke_by_citizen(RAHIMA, "sms/1")
    assert await assisted_services.consents.end_reason(consent, "s1:20") == "citizen"
    assert await assisted_services.consents.revoke_by_citizen(RAHIMA, "sms/1"), "worked on again by another process"
    assert not await assisted_services.consents.revoke_by_citizen(RAHIMA, "sms/2"), "the next one is about every SMS"
    assert await services.claim_sms() == [], "the answer to STOP says it"


async def test_stop_refuses_the_request_and_makes_the_code_invalid(assisted_services):
    operator = await assisted_services.enrol()
    asked, (code,) = await assisted_services.request_consent(operator)
    assert await assisted_services.consents.revoke_by_citizen(RAHIMA, "sms/1")
    assert (await assisted_services.consents.verify_code(asked.consent, code, "s1:17")).outcome == "gone"


async def test_stop_without_a_recent_request_ends_no_consent(assisted_services, clock):
    operator = await assisted_services.enrol()
    await assisted_services.request_consent(operator)
    assert not await assisted_services.consents.revoke_by_citizen(ANOTHER, "sms/1")
    clock.advance(minutes=30)
    assert not await assisted_services.consents.revoke_by_citizen(RAHIMA, "sms/2")


async def test_suspending_an_operator_ends_the_consent_at_once(assisted_services, services):
    await services.register()
    operator = await assisted_services.enrol()
    consent = await assisted_services.give_consent(operator)
    await assisted_services.operators.suspend(operator, staff_act())
    assert await assisted_services.consents.end_reason(consent, "s1:20") == "suspended"


async def test_an_operator_acts_for_one_citizen_at_a_time(assisted_services, services):
    await services.register()
    operator = await assisted_services.enrol()
    one = await assisted_services.give_consent(operator, "s1")
    other = await assisted_services.give_consent(operator, "s2", number=ANOTHER)
    assert await assisted_services.consents.end_reason(one, "s1:20") == "another"
    assert await assisted_services.consents.end_reason(other, "s2:20") is None


async def test_a_sign_in_ends_the_consents_of_other_sessions_only(assisted_services, services):
    await services.register()
    operator = await assisted_services.enrol()
    consent = await assisted_services.give_consent(operator, "s1")
    await assisted_services.consents.end_other_sessions(operator, "s1:4")
    assert await assisted_services.consents.end_reason(consent, "s1:20") is None
    await assisted_services.consents.end_other_sessions(operator, "s2:4")
    assert await assisted_services.consents.end_reason(consent, "s1:20") == "another"


async def test_requests_to_one_citizen_are_limited_over_all_operators(assisted_services, clock):
    operators = [await assisted_services.enrol(), await assisted_services.enrol("+8801711000003", "Salma")]
    outcomes = []
    for at in range(7):
        clock.advance(hours=1)
        outcomes.append((await assisted_services.request_consent(operators[at % 2], f"s{at}:10"))[0].outcome)
    assert outcomes == ["sent"] * 6 + ["too_many"]


async def test_an_operator_has_the_default_limit_of_consents_or_their_own(services, redis, clock):
    assisted_services = AssistedServiceSet(services, redis, clock, DailyLimits(consents_per_operator=2))
    usual, trusted = (
        await assisted_services.enrol(),
        await assisted_services.enrol("+8801711000003", "Salma", consents_a_day=3),
    )
    for operator, most in ((usual, 2), (trusted, 3)):
        outcomes = [
            (await assisted_services.request_consent(operator, f"o{operator}s{at}:1", f"+88017110001{operator}{at}"))[
                0
            ].outcome
            for at in range(4)
        ]
        assert outcomes == ["sent"] * most + ["spent"] * (4 - most)
    clock.advance(days=1)
    assert (await assisted_services.request_consent(usual, "later:1"))[0].outcome == "sent"


async def test_the_limit_of_applications_ends_the_consent(services, redis, clock):
    assisted_services = AssistedServiceSet(services, redis, clock, DailyLimits(applications_per_operator=2))
    account = await services.register()
    operator = await assisted_services.enrol()
    consent = await assisted_services.give_consent(operator)
    for at in range(2):
        assert await assisted_services.consents.end_reason(consent, f"s1:{30 + at}") is None
        await assisted_services.act(
            operator, consent, subject=f"12345678901{at}", idempotency_key=f"s1:{30 + at}", account=account
        )
    assert await assisted_services.consents.end_reason(consent, "s1:40") == "limit"
    assert (await assisted_services.request_consent(operator, "s2:10"))[0].outcome == "spent"
    assert (await assisted_services.request_consent(operator, "s3:10", purpose="follow"))[0].outcome == "sent"


async def test_the_audit_log_names_operator_and_citizen(assisted_services, services):
    account = await services.register()
    operator = await assisted_services.enrol()
    consent = await assisted_services.give_consent(operator)
    await assisted_services.act(operator, consent, account=account)
    await assisted_services.consents.end(consent, "s1:40")
    by = audit.select().where(audit.c.actor_kind == "operator").order_by(audit.c.id)
    rows = (await services.database.fetch(by)).all()
    assert [(row.act, row.on_behalf_of) for row in rows] == [
        ("consent_asked", None),
        ("consent_given", str(account)),
        (APPLIED_ACT, str(account)),
        ("consent_ended", str(account)),
    ]
    assert {row.actor for row in rows} == {str(operator)}
    assert {row.details["consent"] for row in rows} == {str(consent)}


async def test_the_audit_log_names_the_citizen_for_their_own_acts(assisted_services, services):
    account = await services.register()
    operator = await assisted_services.enrol()
    await assisted_services.give_consent(operator)
    async with services.database.transaction() as transaction:
        noted = AuditEntry("citizen", str(account), APPLIED_ACT, "application", "123456789012", "ussd", "s9:1")
        await assisted_services.audit.record(transaction, noted)
    row = (await services.database.fetch(audit.select().where(audit.c.act == APPLIED_ACT))).one()
    assert (row.actor_kind, row.actor, row.on_behalf_of) == ("citizen", str(account), None)
