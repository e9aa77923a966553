"""Consents: asked, given by the code on the citizen's phone, ended by either side or by time, and told of afterwards."""

import asyncio

import pytest

from services.audit import Act, Audit, By, acting
from services.codes import Codes
from services.consent_limits import Limits
from services.consents import Consents, Wish
from services.operators import Newcomer, Operators
from services.records.tables import audit, consents
from services.visits import APPLIED, Visits
from tests.desk import KARIM, RAHIMA, SEAL, say

ANOTHER = "+8801711000009"


async def spoken_to_in_bengali(_number):
    return "bn"


class Village:
    """A centre with two operators, and the codes that come to citizens' phones."""

    def __init__(self, desk, redis, clock, limits=None):
        self.desk, self.clock = desk, clock
        self.codes = Codes(redis, desk.messages, SEAL, say, clock=clock)
        given = (desk.records, desk.messages)
        self.operators = Operators(*given, desk.pins, SEAL, say, clock=clock)
        language = {"language_of": spoken_to_in_bengali}
        visits = Visits(SEAL, say, lambda code, _: code)
        self.consents = Consents(*given, self.codes, visits, **language, limits=limits, clock=clock)
        self.audit = Audit(desk.records, clock=clock)

    async def enrols(self, number=KARIM, name="Karim Mia", **limits) -> int:
        operator, _ = await self.operators.add(Newcomer(number, name, "mirpur", "bn", **limits))
        await self.desk.sent()
        return operator

    async def asks(self, operator, effect="s1:10", number=RAHIMA, purpose="apply"):
        asked = await self.consents.ask(Wish(operator, number, purpose, "ussd"), effect)
        codes = [facts["code"] for _, _, text, facts in await self.desk.sent() if text == "consent_code"]
        return asked, codes

    async def given(self, operator, session="s1", number=RAHIMA, purpose="apply") -> int:
        asked, (code,) = await self.asks(operator, f"{session}:10", number, purpose)
        assert (await self.consents.check(asked.consent, code, f"{session}:17")).outcome == "right"
        return asked.consent

    async def does(self, operator, consent, *, subject="123456789012", effect="s1:30", account=1):
        """What another part of the gateway notes as the citizen's doing, while the operator acts."""
        with acting(By(operator, account, consent)):
            async with self.desk.records.transaction() as transaction:
                noted = Act("citizen", str(account), APPLIED, "application", subject, "ussd", effect)
                await self.audit.note(transaction, noted)

    async def rows(self):
        return (await self.desk.records.read(consents.select().order_by(consents.c.id))).all()


@pytest.fixture
def village(desk, redis, clock):
    return Village(desk, redis, clock)


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


async def test_the_citizen_reads_who_asks_for_what_beside_the_code(village, desk):
    operator = await village.enrols()
    asked = await village.consents.ask(Wish(operator, RAHIMA, "complain", "ussd"), "s1:10")
    ((to, language, text, facts),) = await desk.sent()
    assert (asked.outcome, to, language, text) == ("sent", RAHIMA, "bn", "consent_code")
    assert {**facts, "code": ""} == {
        "code": "",
        "who": "Karim Mia, mirpur",
        "operator": operator,
        "purpose": "complain",
    }


async def test_asking_under_the_same_effect_again_sends_nothing_again(village):
    operator = await village.enrols()
    asked, codes = await village.asks(operator)
    again, nothing = await village.asks(operator)
    assert again == asked
    assert (len(codes), nothing) == (1, [])
    assert len(await village.rows()) == 1


async def test_the_code_gives_the_consent_once_and_the_same_key_press_is_answered_alike(village, desk):
    account = await desk.registers()
    operator = await village.enrols()
    asked, (code,) = await village.asks(operator)
    given = await village.consents.check(asked.consent, code, "s1:17")
    assert (given.outcome, given.account, given.language) == ("right", account, "bn")
    assert await village.consents.check(asked.consent, code, "s1:17") == given
    assert (await village.consents.check(asked.consent, code, "s1:25")).outcome == "gone"
    assert await village.consents.over(asked.consent, "s1:25") is None


async def test_a_wrong_code_gives_nothing(village):
    operator = await village.enrols()
    asked, (code,) = await village.asks(operator)
    assert (await village.consents.check(asked.consent, other_than(code), "s1:17")).outcome == "wrong"
    assert await village.consents.over(asked.consent, "s1:18") == "lapsed"
    assert (await village.consents.check(asked.consent, code, "s1:24")).outcome == "right"


async def test_five_wrong_codes_use_the_code_up_and_ten_in_a_day_are_enough(village):
    operator = await village.enrols()
    for session in ("s1", "s2"):
        asked, (code,) = await village.asks(operator, f"{session}:10")
        wrong = [
            (await village.consents.check(asked.consent, other_than(code), f"{session}:{at}")).outcome
            for at in range(17, 22)
        ]
        assert wrong == ["wrong"] * 5
    assert (await village.consents.check(asked.consent, code, "s2:30")).outcome == "spent"
    assert (await village.asks(operator, "s3:10", number=ANOTHER))[0].outcome == "spent"


async def test_of_many_checks_at_once_with_the_right_code_one_gives_it(village, desk):
    operator = await village.enrols()
    asked, (code,) = await village.asks(operator)
    checks = [village.consents.check(asked.consent, code, f"s1:{at}") for at in range(17, 22)]
    assert sorted(given.outcome for given in await asyncio.gather(*checks)) == ["gone"] * 4 + ["right"]


async def test_who_registers_afterwards_had_no_account_when_the_code_was_typed(village, desk):
    operator = await village.enrols()
    asked, (code,) = await village.asks(operator)
    newcomer = await village.consents.check(asked.consent, code, "s1:17")
    assert newcomer.account == 0
    account = await desk.registers()
    assert await village.consents.registered(asked.consent) == account
    assert await village.consents.check(asked.consent, code, "s1:17") == newcomer, "as it was told the first time"


async def test_it_lasts_half_an_hour(village, clock, desk):
    await desk.registers()
    consent = await village.given(await village.enrols())
    clock.moves(minutes=29)
    assert await village.consents.over(consent, "s1:40") is None
    clock.moves(minutes=1)
    assert await village.consents.over(consent, "s1:42") == "lapsed"
    ((to, _, text, facts),) = await desk.sent()
    assert (to, text, len(facts["done"])) == (RAHIMA, "visit_over", 1)


async def test_what_lapses_while_nobody_looks_is_ended_and_told_once(village, clock, desk):
    await desk.registers()
    await village.given(await village.enrols())
    assert await village.consents.sweep() == 0
    clock.moves(minutes=30)
    assert sum(await asyncio.gather(village.consents.sweep(), village.consents.sweep())) >= 1
    assert [text for _, _, text, _ in await desk.sent()] == ["visit_over"]
    assert [row.ended_by for row in await village.rows()] == ["lapsed"]


async def test_the_citizen_is_told_once_what_was_done(village, desk):
    account = await desk.registers()
    operator = await village.enrols()
    consent = await village.given(operator)
    await village.does(operator, consent, account=account)
    for _ in range(2):
        await village.consents.end(consent, "s1:40")
    ((to, language, text, facts),) = await desk.sent()
    assert (to, language, text) == (RAHIMA, "bn", "visit_over")
    assert [one for one in facts["done"] if "done_applied" in one and "123456789012" in one]


async def test_a_key_press_before_the_end_was_allowed_when_the_path_is_heard_again_and_none_after(village, desk):
    await desk.registers()
    consent = await village.given(await village.enrols())
    await village.consents.end(consent, "s1:40")
    assert await village.consents.over(consent, "s1:38") is None
    assert await village.consents.over(consent, "s1:40") == "operator"
    assert await village.consents.over(consent, "s1:42") == "operator"
    assert await village.consents.over(consent, "s2:38") == "operator"


async def test_stop_ends_what_is_alive_and_the_same_stop_heard_again_is_still_about_that(village, desk):
    await desk.registers()
    consent = await village.given(await village.enrols())
    assert await village.consents.stop(RAHIMA, "sms/1")
    assert await village.consents.over(consent, "s1:20") == "citizen"
    assert await village.consents.stop(RAHIMA, "sms/1"), "worked on again by another process"
    assert not await village.consents.stop(RAHIMA, "sms/2"), "the next one is about every SMS"
    assert await desk.sent() == [], "the answer to STOP says it"


async def test_stop_says_no_to_what_was_asked_and_the_code_is_worth_nothing_then(village):
    operator = await village.enrols()
    asked, (code,) = await village.asks(operator)
    assert await village.consents.stop(RAHIMA, "sms/1")
    assert (await village.consents.check(asked.consent, code, "s1:17")).outcome == "gone"


async def test_stop_of_somebody_of_whom_nothing_was_asked_lately_is_not_about_a_consent(village, clock):
    operator = await village.enrols()
    await village.asks(operator)
    assert not await village.consents.stop(ANOTHER, "sms/1")
    clock.moves(minutes=30)
    assert not await village.consents.stop(RAHIMA, "sms/2")


async def test_a_suspended_operator_is_cut_off_at_once(village, desk):
    await desk.registers()
    operator = await village.enrols()
    consent = await village.given(operator)
    await village.operators.suspend(operator)
    assert await village.consents.over(consent, "s1:20") == "suspended"


async def test_an_operator_acts_for_one_citizen_at_a_time(village, desk):
    await desk.registers()
    operator = await village.enrols()
    one = await village.given(operator, "s1")
    other = await village.given(operator, "s2", number=ANOTHER)
    assert await village.consents.over(one, "s1:20") == "another"
    assert await village.consents.over(other, "s2:20") is None


async def test_signing_in_anew_ends_what_was_left_in_another_session_and_nothing_of_this_one(village, desk):
    await desk.registers()
    operator = await village.enrols()
    consent = await village.given(operator, "s1")
    await village.consents.sign_in(operator, "s1:4")
    assert await village.consents.over(consent, "s1:20") is None
    await village.consents.sign_in(operator, "s2:4")
    assert await village.consents.over(consent, "s1:20") == "another"


async def test_a_citizen_is_asked_a_few_times_a_day_by_whomever(village, clock):
    operators = [await village.enrols(), await village.enrols("+8801711000003", "Salma")]
    outcomes = []
    for at in range(7):
        clock.moves(hours=1)
        outcomes.append((await village.asks(operators[at % 2], f"s{at}:10"))[0].outcome)
    assert outcomes == ["sent"] * 6 + ["too_many"]


async def test_an_operator_has_so_many_consents_a_day_or_as_many_as_they_were_enrolled_with(desk, redis, clock):
    village = Village(desk, redis, clock, Limits(consents=2))
    usual, trusted = await village.enrols(), await village.enrols("+8801711000003", "Salma", consents_a_day=3)
    for operator, most in ((usual, 2), (trusted, 3)):
        outcomes = [
            (await village.asks(operator, f"o{operator}s{at}:1", f"+88017110001{operator}{at}"))[0].outcome
            for at in range(4)
        ]
        assert outcomes == ["sent"] * most + ["spent"] * (4 - most)
    clock.moves(days=1)
    assert (await village.asks(usual, "later:1"))[0].outcome == "sent"


async def test_who_has_handed_in_as_many_as_they_may_is_cut_off(desk, redis, clock):
    village = Village(desk, redis, clock, Limits(applications=2))
    account = await desk.registers()
    operator = await village.enrols()
    consent = await village.given(operator)
    for at in range(2):
        assert await village.consents.over(consent, f"s1:{30 + at}") is None
        await village.does(operator, consent, subject=f"12345678901{at}", effect=f"s1:{30 + at}", account=account)
    assert await village.consents.over(consent, "s1:40") == "limit"
    assert (await village.asks(operator, "s2:10"))[0].outcome == "spent"
    assert (await village.asks(operator, "s3:10", purpose="follow"))[0].outcome == "sent"


async def test_both_are_on_the_record(village, desk):
    account = await desk.registers()
    operator = await village.enrols()
    consent = await village.given(operator)
    await village.does(operator, consent, account=account)
    await village.consents.end(consent, "s1:40")
    by = audit.select().where(audit.c.actor_kind == "operator").order_by(audit.c.id)
    rows = (await desk.records.read(by)).all()
    assert [(row.act, row.on_behalf_of) for row in rows] == [
        ("consent_asked", None),
        ("consent_given", str(account)),
        (APPLIED, str(account)),
        ("consent_ended", str(account)),
    ]
    assert {row.actor for row in rows} == {str(operator)}
    assert {row.details["consent"] for row in rows} == {str(consent)}


async def test_what_a_citizen_does_beside_it_is_their_own_doing(village, desk):
    account = await desk.registers()
    operator = await village.enrols()
    await village.given(operator)
    async with desk.records.transaction() as transaction:
        noted = Act("citizen", str(account), APPLIED, "application", "123456789012", "ussd", "s9:1")
        await village.audit.note(transaction, noted)
    row = (await desk.records.read(audit.select().where(audit.c.act == APPLIED))).one()
    assert (row.actor_kind, row.actor, row.on_behalf_of) == ("citizen", str(account), None)
