"""One's own data on each database: told whole, and forgotten but for what is said to stay."""

import asyncio
import json
from datetime import date

import pytest
from sqlalchemy import select, update

from assembly.profile import Behind, own_data_of
from services.applications import Draft
from services.audit import Audit
from services.catalogue.load import load
from services.catalogue.shelf import Edition, Shelf
from services.closed import AccountClosed
from services.emails import Emails
from services.inbound import Arrived, Inbound
from services.links import Links
from services.messages import Ending
from services.own_data import Asking
from services.payments import Payments, Wanted
from services.profiles import Change, Profiles
from services.records.tables import (
    applications,
    audit,
    callers,
    drafts,
    email_events,
    emails,
    metadata,
    profile_facts,
    profile_papers,
    security_answers,
)
from tests.desk import KARIM, RAHIMA, SEAL, birth_certificate, say
from tests.services.test_profiles import PAPERS

HERS = "rahima@example.org"
NAME, BORN, AADHAAR = "Rahima Begum", "1990-11-21", "234123412346"


@pytest.fixture(scope="module")
def shelf():
    return Shelf(Edition.of(load()))


@pytest.fixture
def links(records, clock):
    return Links(records, SEAL, "https://ekdial.example", clock=clock)


@pytest.fixture
def addresses(desk, links):
    return Emails(desk.records, desk.messages, links, SEAL, say, clock=desk.clock)


@pytest.fixture
def profiles(desk):
    audit = Audit(desk.records, clock=desk.clock)
    return Profiles(desk.records, desk.accounts, audit, SEAL, lambda code: PAPERS.get(code, ()), clock=desk.clock)


@pytest.fixture
def own_data(desk, shelf, profiles, addresses, links):
    parts = (desk.records, SEAL, shelf, desk.accounts, profiles, addresses, desk.messages, links, say, say)
    return own_data_of(Behind(*parts))


@pytest.fixture
async def account(desk, profiles, addresses, links):
    """Somebody of whom there is something in every table that this gateway fills by itself."""
    account = await desk.registers(effect="s1:9")
    await desk.accounts.choose_language(RAHIMA, "bn", "s1")
    await desk.accounts.sign_in(RAHIMA, "4821", "s1:12")
    await profiles.keep(Change(account, "ussd", "s1:14"), "born", BORN)
    await profiles.keep(Change(account, "ussd", "s1:15"), "aadhaar", AADHAAR)
    await profiles.mark(Change(account, "ussd", "s1:16"), "photo", at_hand=True)
    await addresses.give(account, HERS, "bn", "s1:18")
    inbound = Inbound(desk.records, desk.messages, SEAL, clock=desk.clock)
    await inbound.keep(Arrived("in-1", RAHIMA, "22384", f"REG {NAME}"), "ignored")
    for one in [*await desk.messages.claim("test", 100), *await desk.messages.claim("test", 100, "email")]:
        await desk.messages.settle(one.id, Ending("sent", "id"))
    return account


def asking(account, effect="s2:9"):
    return Asking(account, RAHIMA, "bn", "ussd", effect)


async def everything(records):
    """Every row of every table but the audit, as text."""
    found = []
    for table in metadata.sorted_tables:
        if table is not audit:
            found += [(table.name, repr(tuple(row))) for row in await records.read(select(table))]
    return found


async def who_holds(records, *words):
    return {table for table, row in await everything(records) if any(word in row for word in words)}


async def test_everything_is_told(own_data, account, desk):
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    collected = await own_data.collected(f"{account} bn")
    told = {
        one.name: [{str(item.label): item.value for item in record} for record in one.records]
        for one in collected.sections
    }
    assert told["account"][0]["name"] == NAME
    assert told["profile"] == [{"born": BORN, "aadhaar": "XXXX 2346"}]
    assert told["papers"][0]["paper"] == ["photo"]
    assert told["email"] == [{"address": HERS, "confirmed": "no"}]
    assert told["applications"][0]["application"] == receipt.tracking_number
    assert {one["act"] for one in told["acts"]} >= {"profile_changed"}
    assert [set(one) for one in told["texts"]] == [{"received"}]
    assert AADHAAR not in repr(collected.sections)
    assert NAME not in repr(collected), "a report of an error tells nothing"


async def test_the_link_goes_by_sms_and_to_an_address_that_is_verified_once(
    own_data, account, desk, addresses, records
):
    for _ in range(2):
        await own_data.send(asking(account))
    sent = await desk.sent()
    assert [(to, what) for to, _, what, _ in sent] == [(RAHIMA, "own_data")]
    assert sent[0][3]["link"].startswith("https://ekdial.example/d/")
    async with records.transaction() as transaction:
        await transaction.execute(update(emails).where(emails.c.account == account).values(verified_at=desk.clock()))
    await own_data.send(asking(account, "s3:9"))
    letters = await desk.messages.claim("test", 10, "email")
    assert [(one.to, json.loads(one.text)[1]) for one in letters] == [(HERS, "own_data")]


async def test_a_deletion_leaves_nothing_that_names_them(own_data, account, desk, records):
    assert await who_holds(records, RAHIMA, HERS) >= {"accounts", "callers", "messages"}
    await own_data.delete(asking(account))
    assert await who_holds(records, NAME, BORN, HERS, "Sonar Bangla") == set()
    assert await who_holds(records, RAHIMA) == {"messages"}, "the SMS that confirms it, on its way"
    for table in (profile_facts, profile_papers, emails, email_events, security_answers, callers):
        assert await desk.count(table) == 0, table.name
    assert [(to, what) for to, _, what, _ in await desk.sent()] == [(RAHIMA, "deleted")]


async def test_what_was_applied_for_stays_and_is_followed_and_moved(own_data, account, desk, records):
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    await own_data.delete(asking(account))
    assert (await desk.following.status(receipt.tracking_number)).status == "received"
    await desk.sent()
    await desk.filings.move("local_government", receipt.tracking_number, "ready", {}, "k1")
    assert [to for to, *_ in await desk.sent()] == [RAHIMA], "the office can still reach them"
    assert await who_holds(records, RAHIMA) >= {"applications"}
    assert await desk.count(applications) == 1


async def test_the_number_registers_anew_and_has_nothing_of_before(own_data, account, desk, profiles):
    await desk.applications.submit(birth_certificate(account), "s1:30")
    await own_data.delete(asking(account))
    again = await desk.registers(effect="s5:9")
    assert again != account
    assert await profiles.known(again) == {"name": NAME, "phone": RAHIMA}
    assert await desk.following.own(again) == ()
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s5:12")).account == again


async def test_it_is_deleted_once_and_the_new_account_stays(own_data, account, desk, records):
    await asyncio.gather(*(own_data.delete(asking(account)) for _ in range(4)))
    again = await desk.registers(effect="s5:9")
    await own_data.delete(asking(account))
    assert await desk.accounts.person(again) is not None
    assert len([one for one in await desk.sent() if one[2] == "deleted"]) == 1
    acts = (await records.read(select(audit.c.act).where(audit.c.act == "account_deleted"))).scalars().all()
    assert acts == ["account_deleted"]


async def test_a_path_heard_again_signs_in_to_what_was_there_and_makes_no_account(own_data, account, desk):
    await desk.accounts.sign_in(RAHIMA, "4821", "s2:5")
    await own_data.delete(asking(account, "s2:9"))
    assert await desk.accounts.closed_in("s2") == "s1:9"
    assert await desk.accounts.closed_in("s1") is None
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s2:5")).account == account
    assert (await desk.accounts.sign_in(RAHIMA, "4821", "s3:5")).outcome == "unknown"
    assert await desk.registers(effect="s1:9") == account, "the key press that registered is answered as before"
    assert await desk.accounts.registered_by(RAHIMA) is None


async def test_nothing_is_learnt_of_an_account_that_is_closed(own_data, account, desk, profiles, records):
    await own_data.delete(asking(account))
    await profiles.keep(Change(account, "ussd", "s2:12"), "born", BORN)
    async with records.transaction() as transaction:
        await profiles.learn(transaction, account, {"father": "Karim"}, "s2:14")
    assert await profiles.told(account) == ()
    assert await desk.count(profile_facts) == 0
    assert await own_data.collected(f"{account} bn") is None
    await own_data.send(asking(account, "s2:20"))
    assert [what for _, _, what, _ in await desk.sent()] == ["deleted"]


async def test_who_is_still_signed_in_elsewhere_is_refused_and_leaves_nothing(
    own_data, account, desk, profiles, addresses
):
    records = desk.records
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    payments = Payments(records, SEAL, "sandbox", None, clock=desk.clock)
    wanted = Wanted("fee", "123456789015", "passport", RAHIMA, 100, "BDT", "bn", "ussd", account)
    await own_data.delete(asking(account))
    left = await everything(records)
    written = {
        "apply": lambda: desk.applications.submit(birth_certificate(account), "s9:30"),
        "draft": lambda: desk.drafts.keep(Draft("s9:20", account, "passport", date(2026, 11, 21), {"holder": NAME})),
        "withdraw": lambda: desk.withdrawing.withdraw(account, receipt.tracking_number, "ussd", "s9:31"),
        "pin": lambda: desk.accounts.change_pin(account, "hash", "s9:32"),
        "profile": lambda: profiles.keep(Change(account, "ussd", "s9:33"), "born", BORN),
        "paper": lambda: profiles.mark(Change(account, "ussd", "s9:34"), "photo", at_hand=True),
        "data": lambda: own_data.send(asking(account, "s9:36")),
        "pay": lambda: payments.pay(wanted, "s9:37"),
    }
    for name, write in written.items():
        with pytest.raises(AccountClosed):
            await write()
        assert await everything(records) == left, name
    with pytest.raises(AccountClosed):
        await addresses.give(account, HERS, "bn", "s9:35")
    assert await who_holds(records, HERS) == set()


async def test_a_form_heard_again_in_the_session_that_deleted_leaves_no_draft(own_data, account, desk):
    begun = Draft("s2:5", account, "passport", date(2026, 11, 21), {"holder": NAME})
    await desk.drafts.keep(begun)
    await own_data.delete(asking(account))
    await desk.drafts.keep(begun)
    assert await desk.count(drafts) == 0


async def test_a_deletion_heard_again_forgets_the_language_that_its_path_chose_again(own_data, account, desk, records):
    await own_data.delete(asking(account))
    await desk.accounts.choose_language(RAHIMA, "bn", "s2")
    await own_data.delete(asking(account))
    assert await desk.count(callers) == 0
    await desk.accounts.choose_language(RAHIMA, "hi", "s5")
    await own_data.delete(asking(account))
    assert await desk.count(callers) == 1, "what was chosen in another call since is theirs"


async def test_somebody_elses_data_is_untouched(own_data, account, desk, profiles):
    other = await desk.registers(KARIM, effect="s7:9")
    await profiles.keep(Change(other, "ussd", "s7:14"), "born", BORN)
    await own_data.delete(asking(account))
    assert (await profiles.known(other))["born"] == BORN
    assert (await desk.accounts.person(other)).number == KARIM


async def test_all_of_it_or_nothing(own_data, account, desk, profiles, monkeypatch):
    async def fails(*_):
        raise ConnectionResetError

    monkeypatch.setattr(desk.messages, "queue", fails)
    with pytest.raises(ConnectionResetError):
        await own_data.delete(asking(account))
    assert (await profiles.known(account))["born"] == BORN
    assert await desk.accounts.registered_by(RAHIMA) == "s1:9"
