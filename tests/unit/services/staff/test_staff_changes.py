"""Changes of members by an administrator."""

import asyncio

import pytest

from services.staff.members import LoginTakenError
from services.staff.models import NewMember
from tests.support.staff import staff_act
from tests.support.staff_team import own_act


async def reset_password(team, one, act):
    return (await team.changes.reset_password(one.id, act))[0]


CHANGES = {
    "role": lambda team, one, act: team.changes.set_role(one.id, "auditor", "", act),
    "disable": lambda team, one, act: team.changes.disable(one.id, act),
    "password": reset_password,
    "code": lambda team, one, act: team.changes.reset_code(one.id, act),
    "sign_out": lambda team, one, act: team.changes.sign_out(one.id, act),
}
ACTS = {
    "role": "staff_role_changed",
    "disable": "staff_disabled",
    "password": "staff_password_reset",
    "code": "staff_code_reset",
    "sign_out": "staff_signed_out",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_ends_the_sign_ins_and_is_on_the_record(team, change):
    asha, omar = await team.add(), await team.add_with_app("omar")
    token = (await team.type_code(omar, team.code(omar))).token
    own_token = (await team.type_password(asha)).token
    assert await CHANGES[change](team, omar, own_act("asha")) == "done"
    assert await team.sessions.find(token) is None
    assert (await team.sessions.find(own_token)).member.login == "asha"
    assert (await team.read_acts())[-1] == ACTS[change]


@pytest.mark.parametrize("change", CHANGES)
async def test_nobody_changes_themselves_so(team, change):
    await team.add("omar")
    asha = await team.add_with_app()
    assert await CHANGES[change](team, asha, own_act("asha")) == "yourself"
    assert ACTS[change] not in await team.read_acts()


@pytest.mark.parametrize("change", CHANGES)
async def test_a_member_who_is_not_there_is_unknown(team, change):
    asha = await team.add()
    gone = type(asha)(asha.id + 1, "gone", "")
    assert await CHANGES[change](team, gone, own_act("asha")) == "unknown"


@pytest.mark.parametrize("change", ["role", "disable"])
async def test_the_last_administrator_stays(team, change):
    asha, omar = await team.add(), await team.add("omar")
    assert await CHANGES[change](team, omar, staff_act()) == "done"
    assert await CHANGES[change](team, asha, staff_act()) == "last_admin"
    assert (await team.type_password(asha)).outcome == "signed_in"


@pytest.mark.parametrize("change", ["role", "disable"])
async def test_two_administrators_cannot_remove_each_other_at_the_same_time(team, change):
    asha, omar = await team.add(), await team.add("omar")
    outcomes = await asyncio.gather(
        CHANGES[change](team, asha, own_act("omar")), CHANGES[change](team, omar, own_act("asha"))
    )
    assert sorted(outcomes) == ["done", "last_admin"]


async def test_a_disabled_member_signs_in_after_being_enabled(team):
    await team.add()
    omar = await team.add("omar", "helpdesk")
    await team.changes.disable(omar.id, own_act("asha"))
    assert (await team.type_password(omar)).outcome == "wrong"
    assert await team.changes.disable(omar.id, own_act("asha")) == "unchanged"
    assert await team.changes.enable(omar.id, own_act("asha")) == "done"
    assert (await team.type_password(omar)).outcome == "signed_in"
    assert await team.changes.enable(omar.id, own_act("asha")) == "unchanged"


async def test_enabling_opens_a_lock(team):
    await team.add()
    omar = await team.add("omar", "helpdesk")
    for _ in range(5):
        await team.type_password(omar, "wrong")
    assert await team.changes.enable(omar.id, own_act("asha")) == "done"
    assert (await team.type_password(omar)).outcome == "signed_in"


async def test_a_reset_password_must_be_replaced(team):
    await team.add()
    omar = await team.add("omar", "helpdesk")
    outcome, password = await team.changes.reset_password(omar.id, own_act("asha"))
    assert outcome == "done"
    assert (await team.type_password(omar)).outcome == "wrong"
    assert (await team.type_password(omar, password)).outcome == "signed_in"
    assert not (await team.find(omar)).password_chosen


async def test_a_reset_app_leaves_no_code_that_works(team):
    await team.add()
    omar = await team.add_with_app("omar")
    assert await team.changes.reset_code(omar.id, own_act("asha")) == "done"
    assert not (await team.find(omar)).has_code
    assert await team.account.count_recovery_codes(await team.find(omar)) == 0
    assert (await team.type_password(omar)).outcome == "signed_in"
    assert await team.changes.reset_code(omar.id, own_act("asha")) == "unchanged"


async def test_an_officer_has_a_department_until_the_role_changes(team):
    await team.add()
    omar = await team.add("omar", "officer", "dncc")
    assert await team.changes.set_role(omar.id, "officer", "dncc", own_act("asha")) == "unchanged"
    assert await team.changes.set_role(omar.id, "officer", "brta", own_act("asha")) == "done"
    assert (await team.find(omar)).department == "brta"


async def test_a_login_is_given_once(team):
    await team.add()
    with pytest.raises(LoginTakenError):
        await team.members.add(NewMember(login="asha", name="Another", role="auditor"), staff_act())


async def test_members_are_listed_by_login_in_pages(team):
    for login in ("omar", "asha", "nadia"):
        await team.add(login)
    assert [one.login for one in await team.members.list_page("", 2)] == ["asha", "nadia"]
    assert [one.login for one in await team.members.list_page("nadia", 2)] == ["omar"]
