"""Profiles on each database: what was given once is known, identity numbers are known again and never read."""

import asyncio

import pytest
from sqlalchemy import select

from services.audit import Audit, By, acting
from services.profiles import Change, Paper, Profiles
from services.records.tables import audit, profile_facts
from tests.desk import RAHIMA, birth_certificate

AADHAAR = "234123412346"
OTHER = "499118665246"
PAPERS = {"birth_certificate": ("vaccine_card", "parents_id"), "trade_licence": ("national_id", "photo")}


@pytest.fixture
def profiles(desk, records, clock):
    return Profiles(
        records, desk.accounts, Audit(records, clock=clock), desk.seal, lambda code: PAPERS.get(code, ()), clock=clock
    )


@pytest.fixture
async def account(desk):
    return await desk.registers()


def change(account, effect):
    return Change(account, "ussd", effect)


async def acts(records):
    rows = await records.read(select(audit).where(audit.c.act == "profile_changed").order_by(audit.c.id))
    return [(row.actor_kind, row.actor, row.act, row.subject, row.on_behalf_of, row.details) for row in rows]


async def test_an_account_is_known_by_its_name_and_number(profiles, account):
    assert await profiles.known(account) == {"name": "Rahima Begum", "phone": RAHIMA}


async def test_what_was_kept_is_known_in_the_form_in_which_it_was_kept(profiles, account):
    await profiles.keep(change(account, "s1:12"), "born", "1990-11-21")
    await profiles.keep(change(account, "s1:14"), "father", "রহিম উদ্দিন")
    assert await profiles.known(account) == {
        "name": "Rahima Begum",
        "phone": RAHIMA,
        "born": "1990-11-21",
        "father": "রহিম উদ্দিন",
    }


async def test_what_is_told_stands_in_the_order_of_a_profile(profiles, account, clock):
    await profiles.keep(change(account, "s1:12"), "district", "Cumilla")
    await profiles.keep(change(account, "s1:14"), "born", "1990-11-21")
    await profiles.keep(change(account, "s1:16"), "aadhaar", AADHAAR)
    assert [(one.key, one.value) for one in await profiles.told(account)] == [
        ("name", "Rahima Begum"),
        ("phone", RAHIMA),
        ("born", "1990-11-21"),
        ("district", "Cumilla"),
        ("aadhaar", "XXXX 2346"),
    ]


async def test_another_answer_takes_the_place_of_the_first_which_is_gone(profiles, account, records):
    await profiles.keep(change(account, "s1:12"), "district", "Cumilla")
    await profiles.keep(change(account, "s1:14"), "district", "Dhaka")
    assert (await profiles.known(account))["district"] == "Dhaka"
    held = (await records.read(select(profile_facts.c.value).order_by(profile_facts.c.id))).scalars().all()
    assert [value is None for value in held] == [True, False]


async def test_a_key_press_heard_again_much_later_does_not_undo_what_came_after(profiles, account):
    await profiles.keep(change(account, "s1:12"), "district", "Cumilla")
    await profiles.forget(change(account, "s1:13"), "district")
    await profiles.keep(change(account, "s2:5"), "district", "Dhaka")
    await profiles.keep(change(account, "s1:12"), "district", "Cumilla")
    await profiles.forget(change(account, "s1:13"), "district")
    assert (await profiles.known(account))["district"] == "Dhaka"


async def test_what_is_forgotten_is_held_no_more(profiles, account, records):
    await profiles.keep(change(account, "s1:12"), "mother", "Ayesha Begum")
    await profiles.keep(change(account, "s1:13"), "nid", "1234567890")
    await profiles.forget(change(account, "s1:14"), "mother")
    await profiles.forget(change(account, "s1:15"), "nid")
    assert set(await profiles.known(account)) == {"name", "phone"}
    assert not await profiles.matches(account, "nid", "1234567890")
    rows = (await records.read(select(profile_facts))).all()
    assert {(row.value, row.digest, row.last_four) for row in rows} == {(None, None, None)}


async def test_an_identity_number_is_known_again_and_never_read(profiles, account, records):
    await profiles.keep(change(account, "s1:12"), "aadhaar", AADHAAR)
    assert await profiles.matches(account, "aadhaar", AADHAAR)
    assert not await profiles.matches(account, "aadhaar", OTHER)
    assert not await profiles.matches(account, "pan", AADHAAR)
    assert await profiles.hint(account, "aadhaar") == "XXXX 2346"
    assert await profiles.hint(account, "pan") == ""
    assert "aadhaar" not in await profiles.known(account)
    (row,) = (await records.read(select(profile_facts))).all()
    assert row.value is None
    assert AADHAAR not in repr(row)


async def test_answers_are_sealed(profiles, account, records):
    await profiles.keep(change(account, "s1:12"), "mother", "Ayesha Begum")
    (row,) = (await records.read(select(profile_facts))).all()
    assert b"Ayesha" not in row.value


async def test_the_name_is_the_accounts_one_name_and_stays(profiles, account, desk, records):
    await profiles.keep(change(account, "s1:12"), "name", "Rahima Khatun")
    assert await desk.accounts.name(account) == "Rahima Khatun"
    await profiles.forget(change(account, "s1:13"), "name")
    await profiles.keep(change(account, "s1:12"), "name", "Somebody Else")
    assert (await profiles.known(account))["name"] == "Rahima Khatun"
    assert {row.value for row in await records.read(select(profile_facts))} == {None}


async def test_a_form_teaches_what_is_not_known_yet(profiles, account, records):
    await profiles.keep(change(account, "s1:12"), "born", "1990-11-21")
    given = {"born": "1980-01-01", "father": "Karim", "aadhaar": AADHAAR, "name": "X", "phone": "+1", "shoes": "44"}
    for _ in range(2):
        async with records.transaction() as transaction:
            await profiles.learn(transaction, account, given, "s1:20")
    assert await profiles.known(account) == {
        "name": "Rahima Begum",
        "phone": RAHIMA,
        "born": "1990-11-21",
        "father": "Karim",
    }
    assert await profiles.matches(account, "aadhaar", AADHAAR)


async def test_what_is_learnt_is_undone_with_its_transaction(profiles, account, records):
    async def fails():
        async with records.transaction() as transaction:
            await profiles.learn(transaction, account, {"father": "Karim"}, "s1:20")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert "father" not in await profiles.known(account)


async def test_two_forms_at_once_teach_one_answer(profiles, account, records):
    async def teaches(effect, father):
        async with records.transaction() as transaction:
            await profiles.learn(transaction, account, {"father": father}, effect)

    await asyncio.gather(*(teaches(f"s{one}:9", f"Karim {'I' * one}") for one in range(1, 5)))
    rows = (await records.read(select(profile_facts))).all()
    assert len(rows) == 1


async def test_a_paper_said_to_be_at_hand_is_on_file_until_it_is_taken_back(profiles, account, clock):
    await profiles.mark(change(account, "s1:12"), "photo", at_hand=True)
    assert await profiles.documents(account) == {"photo"}
    assert await profiles.papers(account) == [Paper("photo", clock.now, "told")]
    clock.moves(minutes=1)
    await profiles.mark(change(account, "s1:14"), "photo", at_hand=False)
    await profiles.mark(change(account, "s1:12"), "photo", at_hand=True)
    assert await profiles.documents(account) == frozenset()


async def test_a_path_heard_again_sees_the_papers_as_they_were(profiles, account, clock):
    await profiles.mark(change(account, "s1:12"), "photo", at_hand=True)
    clock.moves(minutes=1)
    await profiles.mark(change(account, "s1:14"), "photo", at_hand=False)
    before = await profiles.papers(account, lambda effect: effect == "s1:12")
    assert [paper.code for paper in before] == ["photo"]


async def test_papers_that_an_office_has_looked_at_are_on_file(profiles, account, desk, clock):
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    assert await profiles.documents(account) == frozenset(), "nobody has seen them yet"
    clock.moves(days=2)
    await desk.filings.move("local_government", receipt.tracking_number, "approved", {}, "k1")
    assert await profiles.papers(account) == [
        Paper("parents_id", clock.now, "application", receipt.tracking_number),
        Paper("vaccine_card", clock.now, "application", receipt.tracking_number),
    ]
    clock.moves(days=1)
    await profiles.mark(change(account, "s2:9"), "parents_id", at_hand=False)
    assert await profiles.documents(account) == {"vaccine_card"}


async def test_an_application_that_was_refused_leaves_no_papers(profiles, account, desk):
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    await desk.filings.move("local_government", receipt.tracking_number, "rejected", {}, "k1")
    assert await profiles.documents(account) == frozenset()


async def test_every_change_is_on_the_audit_in_codes_alone_and_once(profiles, account, records):
    for _ in range(2):
        await profiles.keep(change(account, "s1:12"), "born", "1990-11-21")
        await profiles.forget(change(account, "s1:13"), "born")
        with acting(By(operator=3, account=account, consent=8)):
            await profiles.mark(change(account, "s1:14"), "photo", at_hand=True)
    mine = str(account)
    consent = {"consent": "8"}
    assert await acts(records) == [
        ("citizen", mine, "profile_changed", mine, None, {"done": "kept", "what": "born"}),
        ("citizen", mine, "profile_changed", mine, None, {"done": "forgotten", "what": "born"}),
        ("operator", "3", "profile_changed", mine, mine, {"done": "paper_marked", "what": "photo", **consent}),
    ]


async def test_an_account_that_is_not_there_is_taught_nothing(profiles, records):
    await profiles.keep(change(77, "s1:12"), "born", "1990-11-21")
    async with records.transaction() as transaction:
        await profiles.learn(transaction, 77, {"father": "Karim"}, "s1:20")
    await profiles.mark(change(77, "s1:14"), "photo", at_hand=True)
    assert (await profiles.told(77), await profiles.documents(77)) == ((), frozenset())
    assert await acts(records) == []
