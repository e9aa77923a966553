"""What members change of their own account."""

import pytest

from services.staff.codes import compute_code, generate_code_secret
from tests.support.staff_team import own_act

NEW = "tea with four old crows"


async def change(team, one, old, new=NEW):
    return await team.account.change_password(await team.find(one), old, new, own_act(one.login))


async def test_a_new_password_ends_every_sign_in_and_begins_a_new_one(team):
    asha = await team.add()
    tokens = [(await team.type_password(asha)).token for _ in range(2)]
    result = await change(team, asha, asha.password)
    assert result.outcome == "changed"
    assert [await team.sessions.find(token) for token in tokens] == [None, None]
    assert (await team.sessions.find(result.token)).member.password_chosen
    assert (await team.type_password(asha)).outcome == "wrong"
    assert (await team.type_password(asha, NEW)).outcome == "signed_in"
    assert "staff_password_changed" in await team.read_acts()


@pytest.mark.parametrize(
    ("new", "outcome"), [("short", "too_short"), ("password12345", "common"), ("x" * 129, "too_long")]
)
async def test_a_bad_password_is_refused_before_the_old_one_is_looked_at(team, new, outcome):
    asha = await team.add()
    for _ in range(6):
        assert (await change(team, asha, "wrong", new)).outcome == outcome
    assert (await change(team, asha, asha.password)).outcome == "changed"


async def test_the_same_password_is_refused(team):
    asha = await team.add()
    assert (await change(team, asha, asha.password, asha.password)).outcome == "same"


async def test_wrong_old_passwords_lock(team):
    asha = await team.add()
    outcomes = [(await change(team, asha, "wrong")).outcome for _ in range(6)]
    assert outcomes == ["wrong"] * 4 + ["locked"] * 2
    assert (await change(team, asha, asha.password)).outcome == "locked"


async def test_an_app_is_enrolled_by_a_code_and_its_code_is_used_up(team):
    asha, secret = await team.add(), generate_code_secret()
    token, member = (await team.type_password(asha)).token, await team.find(asha)
    assert await team.account.enrol_app(member, secret, "000000", own_act("asha")) is None
    code = compute_code(secret, team.clock())
    enrolment = await team.account.enrol_app(member, secret, code, own_act("asha"))
    assert len(set(enrolment.recovery_codes)) == 10
    assert await team.sessions.find(token) is None
    assert (await team.sessions.find(enrolment.token)).member.has_code
    assert (await team.type_code(asha, code)).outcome == "wrong_code"
    assert "staff_code_enrolled" in await team.read_acts()


async def test_another_app_replaces_the_first_and_its_recovery_codes(team):
    asha = await team.add_with_app()
    secret = generate_code_secret()
    await team.account.enrol_app(await team.find(asha), secret, compute_code(secret, team.clock()), own_act("asha"))
    team.clock.advance(seconds=30)
    assert (await team.type_code(asha, team.code(asha))).outcome == "wrong_code"
    assert (await team.type_code(asha, asha.recovery_codes[0])).outcome == "wrong_code"
    assert (await team.type_code(asha, compute_code(secret, team.clock()))).outcome == "signed_in"


async def test_new_recovery_codes_replace_the_former(team):
    asha = await team.add_with_app()
    codes = await team.account.renew_recovery_codes(await team.find(asha), own_act("asha"))
    assert (await team.type_code(asha, asha.recovery_codes[0])).outcome == "wrong_code"
    assert (await team.type_code(asha, codes[0])).outcome == "signed_in"


async def test_one_sees_and_ends_ones_own_sign_ins_alone(team):
    asha, omar = await team.add(), await team.add("omar")
    tokens = [(await team.type_password(asha)).token for _ in range(3)]
    of_omar = await team.sessions.find((await team.type_password(omar)).token)
    this = await team.sessions.find(tokens[0])
    assert len(await team.sessions.list_own(asha.id)) == 3
    other = await team.sessions.find(tokens[1])
    assert not await team.account.end_sign_in(await team.find(asha), of_omar.id, own_act("asha"))
    assert len(await team.sessions.list_own(omar.id)) == 1
    assert await team.account.end_sign_in(await team.find(asha), other.id, own_act("asha"))
    assert len(await team.sessions.list_own(asha.id)) == 2
    await team.account.end_other_sign_ins(await team.find(asha), this.id, own_act("asha"))
    assert [one.id for one in await team.sessions.list_own(asha.id)] == [this.id]
    assert (await team.read_acts())[-2:] == ["staff_signed_out", "staff_others_signed_out"]


async def test_a_sign_in_ends_when_it_is_idle_and_after_half_a_day(team):
    asha = await team.add()
    token = (await team.type_password(asha)).token
    team.clock.advance(seconds=29 * 60)
    assert await team.sessions.find(token)
    team.clock.advance(seconds=30 * 60)
    assert await team.sessions.find(token) is None
    assert await team.sessions.list_own(asha.id) == []
    token = (await team.type_password(asha)).token
    for _ in range(12 * 4):
        assert await team.sessions.find(token)
        team.clock.advance(seconds=15 * 60)
    assert await team.sessions.find(token) is None
