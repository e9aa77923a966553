"""Profiles on each database: what was given once is known, identity numbers are known again and never read."""

import asyncio

import pytest
from sqlalchemy import select

from db.tables import audit, profile_facts
from services.audit.audit import AuditLog, act_as_operator
from services.audit.models import ActingOperator
from services.citizens.models import DocumentOnFile, ProfileChange
from services.citizens.profiles import Profiles
from tests.support.services import PAPERS, RAHIMA, birth_certificate_submission

AADHAAR = "234123412346"
OTHER = "499118665246"


@pytest.fixture
def profiles(services, database, clock):
    return Profiles(
        database,
        services.accounts,
        AuditLog(database, clock=clock),
        services.cipher,
        lambda code: PAPERS.get(code, ()),
        clock=clock,
    )


@pytest.fixture
async def account(services):
    return await services.register()


def build_change(account, idempotency_key):
    return ProfileChange(account, "ussd", idempotency_key)


async def audit_actions(database):
    rows = await database.fetch(select(audit).where(audit.c.act == "profile_changed").order_by(audit.c.id))
    return [(row.actor_kind, row.actor, row.act, row.subject, row.on_behalf_of, row.details) for row in rows]


async def test_an_account_is_known_by_its_name_and_number(profiles, account):
    assert await profiles.get_answers(account) == {"name": "Rahima Begum", "phone": RAHIMA}


async def test_a_profile_returns_an_answer_in_its_stored_form(profiles, account):
    await profiles.set_answer(build_change(account, "s1:12"), "born", "1990-11-21")
    await profiles.set_answer(build_change(account, "s1:14"), "father", "রহিম উদ্দিন")
    assert await profiles.get_answers(account) == {
        "name": "Rahima Begum",
        "phone": RAHIMA,
        "born": "1990-11-21",
        "father": "রহিম উদ্দিন",
    }


async def test_entries_have_the_order_of_the_profile(profiles, account, clock):
    await profiles.set_answer(build_change(account, "s1:12"), "district", "Cumilla")
    await profiles.set_answer(build_change(account, "s1:14"), "born", "1990-11-21")
    await profiles.set_answer(build_change(account, "s1:16"), "aadhaar", AADHAAR)
    assert [(one.key, one.value) for one in await profiles.list_entries(account)] == [
        ("name", "Rahima Begum"),
        ("phone", RAHIMA),
        ("born", "1990-11-21"),
        ("district", "Cumilla"),
        ("aadhaar", "XXXX 2346"),
    ]


async def test_a_second_answer_replaces_and_erases_the_first(profiles, account, database):
    await profiles.set_answer(build_change(account, "s1:12"), "district", "Cumilla")
    await profiles.set_answer(build_change(account, "s1:14"), "district", "Dhaka")
    assert (await profiles.get_answers(account))["district"] == "Dhaka"
    held = (await database.fetch(select(profile_facts.c.value).order_by(profile_facts.c.id))).scalars().all()
    assert [value is None for value in held] == [True, False]


async def test_a_replayed_change_does_not_undo_a_later_one(profiles, account):
    await profiles.set_answer(build_change(account, "s1:12"), "district", "Cumilla")
    await profiles.delete_answer(build_change(account, "s1:13"), "district")
    await profiles.set_answer(build_change(account, "s2:5"), "district", "Dhaka")
    await profiles.set_answer(build_change(account, "s1:12"), "district", "Cumilla")
    await profiles.delete_answer(build_change(account, "s1:13"), "district")
    assert (await profiles.get_answers(account))["district"] == "Dhaka"


async def test_a_deleted_answer_is_erased(profiles, account, database):
    await profiles.set_answer(build_change(account, "s1:12"), "mother", "Ayesha Begum")
    await profiles.set_answer(build_change(account, "s1:13"), "nid", "1234567890")
    await profiles.delete_answer(build_change(account, "s1:14"), "mother")
    await profiles.delete_answer(build_change(account, "s1:15"), "nid")
    assert set(await profiles.get_answers(account)) == {"name", "phone"}
    assert not await profiles.identity_matches(account, "nid", "1234567890")
    rows = (await database.fetch(select(profile_facts))).all()
    assert {(row.value, row.digest, row.last_four) for row in rows} == {(None, None, None)}


async def test_an_identity_number_can_be_compared_and_not_read(profiles, account, database):
    await profiles.set_answer(build_change(account, "s1:12"), "aadhaar", AADHAAR)
    assert await profiles.identity_matches(account, "aadhaar", AADHAAR)
    assert not await profiles.identity_matches(account, "aadhaar", OTHER)
    assert not await profiles.identity_matches(account, "pan", AADHAAR)
    assert await profiles.identity_hint(account, "aadhaar") == "XXXX 2346"
    assert await profiles.identity_hint(account, "pan") == ""
    assert "aadhaar" not in await profiles.get_answers(account)
    (row,) = (await database.fetch(select(profile_facts))).all()
    assert row.value is None
    assert AADHAAR not in repr(row)


async def test_answers_are_encrypted(profiles, account, database):
    await profiles.set_answer(build_change(account, "s1:12"), "mother", "Ayesha Begum")
    (row,) = (await database.fetch(select(profile_facts))).all()
    assert b"Ayesha" not in row.value


async def test_the_name_is_that_of_the_account_and_cannot_be_deleted(profiles, account, services, database):
    await profiles.set_answer(build_change(account, "s1:12"), "name", "Rahima Khatun")
    assert await services.accounts.holder_name(account) == "Rahima Khatun"
    await profiles.delete_answer(build_change(account, "s1:13"), "name")
    await profiles.set_answer(build_change(account, "s1:12"), "name", "Somebody Else")
    assert (await profiles.get_answers(account))["name"] == "Rahima Khatun"
    assert {row.value for row in await database.fetch(select(profile_facts))} == {None}


async def test_a_form_adds_the_answers_that_the_profile_lacks(profiles, account, database):
    await profiles.set_answer(build_change(account, "s1:12"), "born", "1990-11-21")
    given = {"born": "1980-01-01", "father": "Karim", "aadhaar": AADHAAR, "name": "X", "phone": "+1", "shoes": "44"}
    for _ in range(2):
        async with database.transaction() as transaction:
            await profiles.add_missing_answers(transaction, account, given, "s1:20")
    assert await profiles.get_answers(account) == {
        "name": "Rahima Begum",
        "phone": RAHIMA,
        "born": "1990-11-21",
        "father": "Karim",
    }
    assert await profiles.identity_matches(account, "aadhaar", AADHAAR)


async def test_added_answers_are_rolled_back_with_the_transaction(profiles, account, database):
    async def fails():
        async with database.transaction() as transaction:
            await profiles.add_missing_answers(transaction, account, {"father": "Karim"}, "s1:20")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert "father" not in await profiles.get_answers(account)


async def test_two_concurrent_forms_add_one_answer(profiles, account, database):
    async def teaches(idempotency_key, father):
        async with database.transaction() as transaction:
            await profiles.add_missing_answers(transaction, account, {"father": father}, idempotency_key)

    await asyncio.gather(*(teaches(f"s{one}:9", f"Karim {'I' * one}") for one in range(1, 5)))
    rows = (await database.fetch(select(profile_facts))).all()
    assert len(rows) == 1


async def test_a_marked_document_is_on_file_until_the_mark_is_removed(profiles, account, clock):
    await profiles.mark_document(build_change(account, "s1:12"), "photo", at_hand=True)
    assert await profiles.document_codes(account) == {"photo"}
    assert await profiles.list_documents(account) == [DocumentOnFile("photo", clock.now, "told")]
    clock.advance(minutes=1)
    await profiles.mark_document(build_change(account, "s1:14"), "photo", at_hand=False)
    await profiles.mark_document(build_change(account, "s1:12"), "photo", at_hand=True)
    assert await profiles.document_codes(account) == frozenset()


async def test_a_replayed_path_finds_the_documents_as_they_were(profiles, account, clock):
    await profiles.mark_document(build_change(account, "s1:12"), "photo", at_hand=True)
    clock.advance(minutes=1)
    await profiles.mark_document(build_change(account, "s1:14"), "photo", at_hand=False)
    before = await profiles.list_documents(account, lambda key: key == "s1:12")
    assert [paper.code for paper in before] == ["photo"]


async def test_documents_that_a_department_accepted_are_on_file(profiles, account, services, clock):
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    assert await profiles.document_codes(account) == frozenset(), "nobody has seen them yet"
    clock.advance(days=2)
    await services.department_applications.move("local_government", receipt.tracking_number, "approved", {}, "k1")
    assert await profiles.list_documents(account) == [
        DocumentOnFile("parents_id", clock.now, "application", receipt.tracking_number),
        DocumentOnFile("vaccine_card", clock.now, "application", receipt.tracking_number),
    ]
    clock.advance(days=1)
    await profiles.mark_document(build_change(account, "s2:9"), "parents_id", at_hand=False)
    assert await profiles.document_codes(account) == {"vaccine_card"}


async def test_a_rejected_application_puts_no_documents_on_file(profiles, account, services):
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await services.department_applications.move("local_government", receipt.tracking_number, "rejected", {}, "k1")
    assert await profiles.document_codes(account) == frozenset()


async def test_the_audit_log_records_every_change_once_without_its_value(profiles, account, database):
    for _ in range(2):
        await profiles.set_answer(build_change(account, "s1:12"), "born", "1990-11-21")
        await profiles.delete_answer(build_change(account, "s1:13"), "born")
        with act_as_operator(ActingOperator(operator=3, account=account, consent=8)):
            await profiles.mark_document(build_change(account, "s1:14"), "photo", at_hand=True)
    mine = str(account)
    consent = {"consent": "8"}
    assert await audit_actions(database) == [
        ("citizen", mine, "profile_changed", mine, None, {"done": "kept", "what": "born"}),
        ("citizen", mine, "profile_changed", mine, None, {"done": "forgotten", "what": "born"}),
        ("operator", "3", "profile_changed", mine, mine, {"done": "paper_marked", "what": "photo", **consent}),
    ]


async def test_an_unknown_account_gets_no_answers(profiles, database):
    await profiles.set_answer(build_change(77, "s1:12"), "born", "1990-11-21")
    async with database.transaction() as transaction:
        await profiles.add_missing_answers(transaction, 77, {"father": "Karim"}, "s1:20")
    await profiles.mark_document(build_change(77, "s1:14"), "photo", at_hand=True)
    assert (await profiles.list_entries(77), await profiles.document_codes(77)) == ((), frozenset())
    assert await audit_actions(database) == []
