"""A citizen's own data on each database: exported completely, and deleted except for what stays."""

import asyncio
import json
from datetime import date

import pytest
from sqlalchemy import select, update

from app.container import build_data_sections
from db.tables import (
    applications,
    audit,
    callers,
    drafts,
    email_events,
    emails,
    hidden_numbers,
    metadata,
    profile_facts,
    profile_papers,
    security_answers,
)
from services.applications.models import Draft
from services.audit.audit import AuditLog
from services.catalogue.current import CatalogueSnapshot, CurrentCatalogue
from services.catalogue.loader import load_catalogue
from services.citizens.emails import Emails
from services.citizens.models import AccountClosedError, ProfileChange
from services.citizens.profiles import Profiles
from services.messaging.inbound import InboundSms, InboundSmsRepository
from services.messaging.links import Links
from services.messaging.models import SendResult
from services.payments.models import PaymentRequest
from services.payments.payments import Payments
from services.privacy.case_sections import ConsentsSection
from services.privacy.export import PrivacyMessaging, PrivacyService
from services.privacy.models import DataRequest, DataSubject
from tests.support.assisted_services import AssistedServiceSet
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, KARIM, PAPERS, RAHIMA, birth_certificate_submission, render_text

HER_ADDRESS = "rahima@example.org"
NAME, BORN, AADHAAR = "Rahima Begum", "1990-11-21", "234123412346"


@pytest.fixture(scope="module")
def current_catalogue():
    return CurrentCatalogue(CatalogueSnapshot.build(load_catalogue()))


@pytest.fixture
def links(database, clock):
    return Links(database, CIPHER, "https://ekdial.example", clock=clock)


@pytest.fixture
def addresses(services, links):
    notices = services.accounts.notices
    return Emails(
        services.database, services.messages, links, CIPHER, render_text, notices=notices, clock=services.clock
    )


@pytest.fixture
def profiles(services):
    audit = AuditLog(services.database, clock=services.clock)
    return Profiles(
        services.database, services.accounts, audit, CIPHER, lambda code: PAPERS.get(code, ()), clock=services.clock
    )


@pytest.fixture
def data_export(services, current_catalogue, profiles, addresses, links):
    sections = build_data_sections(
        database=services.database,
        cipher=CIPHER,
        current_catalogue=current_catalogue,
        profiles=profiles,
        emails=addresses,
    )
    messaging = PrivacyMessaging(services.messages, links, addresses, render_text, render_text)
    return PrivacyService(services.database, services.accounts, AuditLog(services.database), messaging, sections)


@pytest.fixture
async def account(services, profiles, addresses, links):
    """A citizen with data in every table that the gateway fills by itself."""
    account = await services.register(idempotency_key="s1:9")
    await services.accounts.choose_language(RAHIMA, "bn", "s1")
    await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)
    await profiles.set_answer(ProfileChange(account, "ussd", "s1:14"), "born", BORN)
    await profiles.set_answer(ProfileChange(account, "ussd", "s1:15"), "aadhaar", AADHAAR)
    await profiles.mark_document(ProfileChange(account, "ussd", "s1:16"), "photo", at_hand=True)
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:18")
    inbound = InboundSmsRepository(services.database, services.messages, CIPHER, clock=services.clock)
    await inbound.record(InboundSms("in-1", RAHIMA, "22384", f"REG {NAME}"), "ignored")
    for one in [*await services.messages.claim("test", 100), *await services.messages.claim("test", 100, "email")]:
        await services.messages.record_result(one.id, SendResult("sent", "id"))
    return account


def data_request(account, idempotency_key="s2:9"):
    return DataRequest(account, RAHIMA, "bn", "ussd", idempotency_key)


async def all_rows(database):
    """Every row of every table except the audit log, as text."""
    found = []
    for table in metadata.sorted_tables:
        if table is not audit:
            found += [(table.name, repr(tuple(row))) for row in await database.fetch(select(table))]
    return found


async def tables_with_personal_data(database, *words):
    return {table for table, row in await all_rows(database) if any(word in row for word in words)}


async def test_everything_is_told(data_export, account, services):
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    collected = await data_export.collect(f"{account} bn")
    told = {
        one.name: [{str(item.label): item.value for item in record} for record in one.records]
        for one in collected.sections
    }
    assert told["account"][0]["name"] == NAME
    assert told["profile"] == [{"born": BORN, "aadhaar": "XXXX 2346"}]
    assert told["papers"][0]["paper"] == ["photo"]
    assert told["email"] == [{"address": HER_ADDRESS, "confirmed": "no"}]
    assert told["applications"][0]["application"] == receipt.tracking_number
    assert {one["act"] for one in told["acts"]} >= {"profile_changed"}
    assert [set(one) for one in told["texts"]] == [{"received"}]
    assert AADHAAR not in repr(collected.sections)
    assert NAME not in repr(collected), "a report of an error tells nothing"


async def test_the_link_goes_by_sms_and_to_an_address_that_is_verified_once(
    data_export, account, services, addresses, database
):
    for _ in range(2):
        await data_export.send_link(data_request(account))
    sent = await services.claim_sms()
    assert [(to, what) for to, _, what, _ in sent] == [(RAHIMA, "own_data")]
    assert sent[0][3]["link"].startswith("https://ekdial.example/d/")
    async with database.transaction() as transaction:
        await transaction.execute(
            update(emails).where(emails.c.account == account).values(verified_at=services.clock())
        )
    await data_export.send_link(data_request(account, "s3:9"))
    letters = await services.messages.claim("test", 10, "email")
    assert [(one.to, json.loads(one.text)[1]) for one in letters] == [(HER_ADDRESS, "own_data")]


async def test_a_deletion_leaves_nothing_that_names_them(data_export, account, services, database):
    assert await tables_with_personal_data(database, RAHIMA, HER_ADDRESS) >= {"accounts", "callers", "messages"}
    await insert_row(database, hidden_numbers, services.clock(), msisdn=RAHIMA)
    await data_export.delete_account(data_request(account))
    assert await tables_with_personal_data(database, NAME, BORN, HER_ADDRESS, "Sonar Bangla") == set()
    assert await tables_with_personal_data(database, RAHIMA) == {"messages"}, "the SMS that confirms it, on its way"
    for table in (profile_facts, profile_papers, emails, email_events, security_answers, callers, hidden_numbers):
        assert await services.count_rows(table) == 0, table.name
    assert [(to, what) for to, _, what, _ in await services.claim_sms()] == [(RAHIMA, "deleted")]


async def test_what_was_applied_for_stays_and_is_followed_and_moved(data_export, account, services, database):
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await data_export.delete_account(data_request(account))
    assert (await services.status_reader.find_status(receipt.tracking_number)).status == "received"
    await services.claim_sms()
    await services.department_applications.move("local_government", receipt.tracking_number, "ready", {}, "k1")
    assert [to for to, *_ in await services.claim_sms()] == [RAHIMA], "the office can still reach them"
    assert await tables_with_personal_data(database, RAHIMA) >= {"applications"}
    assert await services.count_rows(applications) == 1


async def test_the_number_registers_anew_and_has_nothing_of_before(data_export, account, services, profiles):
    await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await data_export.delete_account(data_request(account))
    again = await services.register(idempotency_key="s5:9")
    assert again != account
    assert await profiles.get_answers(again) == {"name": NAME, "phone": RAHIMA}
    assert await services.status_reader.list_own(again) == ()
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s5:12", vouched=True)).account == again


async def test_it_is_deleted_once_and_the_new_account_stays(data_export, account, services, database):
    await asyncio.gather(*(data_export.delete_account(data_request(account)) for _ in range(4)))
    again = await services.register(idempotency_key="s5:9")
    await data_export.delete_account(data_request(account))
    assert await services.accounts.find_holder(again) is not None
    assert len([one for one in await services.claim_sms() if one[2] == "deleted"]) == 1
    acts = (await database.fetch(select(audit.c.act).where(audit.c.act == "account_deleted"))).scalars().all()
    assert acts == ["account_deleted"]


async def test_a_path_heard_again_signs_in_to_what_was_there_and_makes_no_account(data_export, account, services):
    await services.accounts.sign_in(RAHIMA, "4821", "s2:5", vouched=True)
    await data_export.delete_account(data_request(account, "s2:9"))
    assert await services.accounts.find_closed_registration_key("s2") == "s1:9"
    assert await services.accounts.find_closed_registration_key("s1") is None
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s2:5", vouched=True)).account == account
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s3:5", vouched=True)).outcome == "unknown"
    assert await services.register(idempotency_key="s1:9") == account, (
        "the key press that registered is answered as before"
    )
    assert await services.accounts.find_registration_key(RAHIMA) is None


async def test_nothing_is_learnt_of_an_account_that_is_closed(data_export, account, services, profiles, database):
    await data_export.delete_account(data_request(account))
    await profiles.set_answer(ProfileChange(account, "ussd", "s2:12"), "born", BORN)
    async with database.transaction() as transaction:
        await profiles.add_missing_answers(transaction, account, {"father": "Karim"}, "s2:14")
    assert await profiles.list_entries(account) == ()
    assert await services.count_rows(profile_facts) == 0
    assert await data_export.collect(f"{account} bn") is None
    await data_export.send_link(data_request(account, "s2:20"))
    assert [what for _, _, what, _ in await services.claim_sms()] == ["deleted"]


async def test_who_is_still_signed_in_elsewhere_is_refused_and_leaves_nothing(
    data_export, account, services, profiles, addresses
):
    database = services.database
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    payments = Payments(database, CIPHER, "sandbox", None, clock=services.clock)
    wanted = PaymentRequest("fee", "123456789015", "passport", RAHIMA, 100, "BDT", "bn", "ussd", account)
    await data_export.delete_account(data_request(account))
    left = await all_rows(database)
    written = {
        "apply": lambda: services.applications.submit(birth_certificate_submission(account), "s9:30"),
        "draft": lambda: services.drafts.save(
            Draft("s9:20", account, "passport", date(2026, 11, 21), {"holder": NAME})
        ),
        "withdraw": lambda: services.withdrawals.withdraw(account, receipt.tracking_number, "ussd", "s9:31"),
        "pin": lambda: services.accounts.change_pin(account, "hash", "s9:32", vouched=True),
        "profile": lambda: profiles.set_answer(ProfileChange(account, "ussd", "s9:33"), "born", BORN),
        "paper": lambda: profiles.mark_document(ProfileChange(account, "ussd", "s9:34"), "photo", at_hand=True),
        "data": lambda: data_export.send_link(data_request(account, "s9:36")),
        "pay": lambda: payments.request_payment(wanted, "s9:37"),
    }
    for name, write in written.items():
        with pytest.raises(AccountClosedError):
            await write()
        assert await all_rows(database) == left, name
    with pytest.raises(AccountClosedError):
        await addresses.set_address(account, HER_ADDRESS, "bn", "s9:35")
    assert await tables_with_personal_data(database, HER_ADDRESS) == set()


async def test_a_form_heard_again_in_the_session_that_deleted_leaves_no_draft(data_export, account, services):
    begun = Draft("s2:5", account, "passport", date(2026, 11, 21), {"holder": NAME})
    await services.drafts.save(begun)
    await data_export.delete_account(data_request(account))
    await services.drafts.save(begun)
    assert await services.count_rows(drafts) == 0


async def test_a_deletion_heard_again_forgets_the_language_that_its_path_chose_again(
    data_export, account, services, database
):
    await data_export.delete_account(data_request(account))
    await services.accounts.choose_language(RAHIMA, "bn", "s2")
    await data_export.delete_account(data_request(account))
    assert await services.count_rows(callers) == 0
    await services.accounts.choose_language(RAHIMA, "hi", "s5")
    await data_export.delete_account(data_request(account))
    assert await services.count_rows(callers) == 1, "what was chosen in another call since is theirs"


async def test_somebody_elses_data_is_untouched(data_export, account, services, profiles):
    other = await services.register(KARIM, idempotency_key="s7:9")
    await profiles.set_answer(ProfileChange(other, "ussd", "s7:14"), "born", BORN)
    await data_export.delete_account(data_request(account))
    assert (await profiles.get_answers(other))["born"] == BORN
    assert (await services.accounts.find_holder(other)).msisdn == KARIM


async def test_all_of_it_or_nothing(data_export, account, services, profiles, monkeypatch):
    async def fails(*_):
        raise ConnectionResetError

    monkeypatch.setattr(services.messages, "enqueue", fails)
    with pytest.raises(ConnectionResetError):
        await data_export.delete_account(data_request(account))
    assert (await profiles.get_answers(account))["born"] == BORN
    assert await services.accounts.find_registration_key(RAHIMA) == "s1:9"


@pytest.mark.parametrize("redis_url", ["fakeredis"], indirect=True)
async def test_9_a_consent_names_operator_and_centre_and_ends_before_it_ended(services, redis, account):
    assisted = AssistedServiceSet(services, redis, services.clock)
    operator = await assisted.enrol("+8801711000003", "Karim Mia")
    await assisted.give_consent(operator, "s3")
    section = ConsentsSection(services.database, CIPHER, clock=services.clock)
    subject = DataSubject(account, RAHIMA, NAME)
    (record,) = await section.read(subject)
    told = {item.label: item.value for item in record}
    assert (told["operator"], told["centre"]) == (f"Karim Mia ({operator})", "mirpur")
    assert "ends" in told
    assert "ended" not in told
    services.clock.advance(minutes=31)
    (record,) = await section.read(subject)
    assert {"ended"} == {"ends", "ended"} & {item.label for item in record}


async def test_9_the_language_is_the_latest_one_that_was_chosen(data_export, account, services):
    await services.accounts.choose_language(RAHIMA, "en", "s4")
    collected = await data_export.collect(f"{account} en")
    (section,) = [one for one in collected.sections if one.name == "account"]
    assert {item.label: item.value for item in section.records[0]}["language"] == "en"
