"""Sign in with a password, with a code, with a recovery code; and everything that is refused."""

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.crypto import Cipher
from core.rate_limit import LocalWindowCounter
from db.tables import audit, staff
from services.citizens.pins import SecretHasher
from services.staff.address_limit import MAX_FAILURES, AddressLimit
from services.staff.models import Role
from services.staff.passwords import normalize_password
from services.staff.sessions import StaffSessions
from services.staff.sign_in import StaffSignIn
from tests.support.staff_team import ADDRESS, Colleague, own_act

NOBODY = Colleague(0, "nobody", "a password that nobody has")


async def test_a_member_without_an_app_signs_in_with_the_password(team):
    asha = await team.add()
    result = await team.type_password(asha)
    assert result.outcome == "signed_in"
    session = await team.sessions.find(result.token)
    assert session.member.login == "asha"
    assert (await team.find(asha)).signed_in_at == team.clock()


async def test_a_password_alone_begins_nothing_for_a_member_with_an_app(team):
    asha = await team.add_with_app()
    result = await team.type_password(asha)
    assert (result.outcome, result.token) == ("code_needed", "")
    assert (await team.type_code(asha, team.code(asha))).outcome == "signed_in"


@pytest.mark.parametrize("drift", [-30, 0, 30])
async def test_the_clock_of_the_phone_may_be_wrong_by_one_step(team, drift):
    asha = await team.add_with_app()
    team.clock.advance(seconds=60)
    assert (await team.type_code(asha, team.code(asha, drift))).outcome == "signed_in"


async def test_a_code_is_used_once_even_by_two_requests_at_the_same_time(team):
    asha = await team.add_with_app()
    tickets = [(await team.type_password(asha)).ticket for _ in range(2)]
    code = team.code(asha)
    results = await asyncio.gather(*(team.sign_in.sign_in_with_code(one, code, ADDRESS) for one in tickets))
    assert sorted(one.outcome for one in results) == ["signed_in", "wrong_code"]
    assert (await team.type_code(asha, code)).outcome == "wrong_code"


async def test_a_code_that_is_older_than_one_that_was_used_is_refused(team):
    asha = await team.add_with_app()
    team.clock.advance(seconds=60)
    older = team.code(asha, -30)
    assert (await team.type_code(asha, team.code(asha))).outcome == "signed_in"
    assert (await team.type_code(asha, older)).outcome == "wrong_code"


async def test_a_recovery_code_signs_in_once(team):
    asha = await team.add_with_app()
    first, second, *others = asha.recovery_codes
    assert (await team.type_code(asha, first)).outcome == "signed_in"
    assert (await team.type_code(asha, first)).outcome == "wrong_code"
    assert (await team.type_code(asha, second.upper().replace("-", " "))).outcome == "signed_in"
    assert await team.account.count_recovery_codes(await team.find(asha)) == len(others) == 8


async def test_a_recovery_code_of_somebody_else_is_wrong(team):
    asha, omar = await team.add_with_app(), await team.add_with_app("omar")
    assert (await team.type_code(asha, omar.recovery_codes[0])).outcome == "wrong_code"


@pytest.mark.parametrize("ticket", ["", "1", "1.2", "1.2.3", "x.y.z", "9" * 30 + ".1.x", "1.99999999999." + "0" * 32])
async def test_a_ticket_that_was_not_made_here_is_refused(team, ticket):
    asha = await team.add_with_app()
    result = await team.sign_in.sign_in_with_code(ticket, team.code(asha), ADDRESS)
    assert result.outcome == "expired"


async def test_a_ticket_ends_after_five_minutes_and_with_the_password(team):
    asha = await team.add_with_app()
    ticket = (await team.type_password(asha)).ticket
    team.clock.advance(seconds=5 * 60)
    assert (await team.sign_in.sign_in_with_code(ticket, team.code(asha), ADDRESS)).outcome == "expired"
    ticket = (await team.type_password(asha)).ticket
    await team.add("omar")
    await team.changes.reset_password(asha.id, own_act("omar"))
    assert (await team.sign_in.sign_in_with_code(ticket, team.code(asha), ADDRESS)).outcome == "expired"


async def test_a_ticket_is_good_for_its_member_alone(team):
    asha, omar = await team.add_with_app(), await team.add_with_app("omar")
    ticket = (await team.type_password(asha)).ticket
    forged = f"{omar.id}{ticket[ticket.index('.') :]}"
    assert (await team.sign_in.sign_in_with_code(forged, team.code(omar), ADDRESS)).outcome == "expired"


async def test_five_wrong_passwords_lock_for_longer_each_time(team):
    asha = await team.add()
    for minutes in (15, 60, 24 * 60, 24 * 60):
        for _ in range(5):
            assert (await team.type_password(asha, "wrong")).outcome == "wrong"
        assert (await team.type_password(asha)).outcome == "wrong"
        assert (await team.find(asha)).locked_until == team.clock() + timedelta(minutes=minutes)
        team.clock.advance(seconds=minutes * 60)
    assert (await team.find(asha)).lockouts == 4
    assert (await team.type_password(asha)).outcome == "signed_in"
    assert (await team.find(asha)).locked_until is None


async def test_many_guesses_at_the_same_time_are_five(team, monkeypatch):
    asha = await team.add()
    checked = count_checks(team, monkeypatch)
    await asyncio.gather(*(team.type_password(asha, f"guess {number}") for number in range(20)))
    assert (await team.find(asha)).lockouts == 1
    assert len(checked) == 20  # also those that were locked take the time of a check
    assert (await team.type_password(asha)).outcome == "wrong"


async def test_five_wrong_codes_lock_and_the_password_gives_no_new_tries(team):
    asha = await team.add_with_app()
    for _ in range(5):
        assert (await team.type_code(asha, "000000")).outcome == "wrong_code"
    assert (await team.type_code(asha, team.code(asha))).outcome != "signed_in"
    team.clock.advance(seconds=15 * 60)
    assert (await team.type_code(asha, team.code(asha))).outcome == "signed_in"


async def test_codes_and_recovery_codes_and_passwords_are_counted_as_one(team):
    asha = await team.add_with_app()
    for guess in ("000000", "kkkk-kkkk-kkkk-kkkk", "000001", "nothing"):
        await team.type_code(asha, guess)
    await team.type_password(asha, "wrong")
    assert (await team.find(asha)).locked_until > team.clock()


@pytest.mark.parametrize("state", ["unknown", "disabled", "locked", "wrong"])
async def test_the_answer_and_the_work_are_the_same_whoever_is_named(team, monkeypatch, state):
    await team.add()
    named = await prepare(team, state)
    checked, commits = count_checks(team, monkeypatch), count_writes(team, monkeypatch)
    result = await team.type_password(named, "not the password")
    assert (result.outcome, result.token, result.ticket) == ("wrong", "", "")
    assert (len(checked), len(commits)) == (1, 2)


async def prepare(team, state):
    """Somebody in this state."""
    if state == "unknown":
        return NOBODY
    omar = await team.add("omar", "helpdesk")
    if state == "disabled":
        await team.changes.disable(omar.id, own_act("asha"))
    for _ in range(5 if state == "locked" else 0):
        await team.type_password(omar, "wrong", "198.51.100.1")
    return omar


@pytest.mark.parametrize("login", ["", "a\x00b", "x" * 500, "আশা", "' OR 1=1 --"])
async def test_a_login_that_nobody_can_have_is_wrong(team, login):
    await team.add()
    assert (await team.sign_in.sign_in(login, "a password", ADDRESS)).outcome == "wrong"


async def test_one_address_fails_thirty_times_in_a_quarter_of_an_hour(team):
    asha = await team.add()
    for _ in range(MAX_FAILURES):
        assert (await team.type_password(NOBODY)).outcome == "wrong"
    assert (await team.type_password(asha)).outcome == "limited"
    assert (await team.type_password(asha, address="198.51.100.1")).outcome == "signed_in"
    team.clock.advance(seconds=15 * 60)
    assert (await team.type_password(asha)).outcome == "signed_in"


async def test_success_is_not_counted_for_the_address(team):
    asha = await team.add()
    assert {(await team.type_password(asha)).outcome for _ in range(MAX_FAILURES + 1)} == {"signed_in"}


async def test_every_attempt_is_in_the_audit_log_and_in_the_counts(team):
    asha = await team.add()
    await team.type_password(asha)
    for _ in range(5):
        await team.type_password(asha, "wrong")
    acts = await team.read_acts()
    assert acts == ["staff_added", "staff_signed_in", *["staff_sign_in_failed"] * 4, "staff_locked"]
    assert (team.sign_in.outcomes["signed_in"], team.sign_in.outcomes["wrong"]) == (1, 5)
    assert team.sign_in.lockouts == {"password": 1, "code": 0, "proof": 0}


async def test_strangers_fill_the_audit_log_with_one_line_an_hour(team):
    await team.add()
    for login in ("nobody", "somebody", "anybody"):
        await team.sign_in.sign_in(login, "hunter2 typed as login", ADDRESS)
    rows = (await team.database.fetch(select(audit).where(audit.c.act == "staff_sign_in_failed"))).all()
    assert [(row.actor, row.subject, row.details) for row in rows] == [("unknown", "unknown", {"proof": "password"})]


@pytest.mark.parametrize("role", ["admin", "officer", "helpdesk", "auditor"])
async def test_proof_is_the_password_without_an_app_and_the_code_with_one(team, role: Role):
    omar, asha = await team.add("omar", role), await team.add_with_app()
    assert await team.sign_in.check_proof(omar.id, omar.password) == "right"
    assert await team.sign_in.check_proof(omar.id, "wrong") == "wrong"
    assert await team.sign_in.check_proof(asha.id, asha.password) == "wrong"
    assert await team.sign_in.check_proof(asha.id, team.code(asha)) == "right"
    assert await team.sign_in.check_proof(asha.id, team.code(asha)) == "wrong"
    assert await team.sign_in.check_proof(asha.id, asha.recovery_codes[0]) == "right"


async def test_wrong_proof_locks_too(team):
    asha = await team.add_with_app()
    outcomes = [await team.sign_in.check_proof(asha.id, "000000") for _ in range(6)]
    assert outcomes == ["wrong"] * 4 + ["locked"] * 2
    assert await team.sign_in.check_proof(asha.id, team.code(asha)) == "locked"


async def test_a_password_that_a_former_key_hashed_is_hashed_again(team, database, clock):
    asha = await team.add()
    renewed = Cipher(b"another secret that is long enough", [b"a secret of the tests, 32 octets+"])
    with closing(SecretHasher(renewed, normalize=normalize_password)) as hasher:
        sessions = StaffSessions(database, renewed, clock=clock)
        limit = AddressLimit(LocalWindowCounter(clock.monotonic), renewed.keyed_hash)
        sign_in = StaffSignIn(database, hasher, renewed, sessions, limit, clock=clock)
        assert (await sign_in.sign_in("asha", asha.password, ADDRESS)).outcome == "signed_in"
    stored = (await database.fetch(select(staff.c.password_hash))).scalar_one()
    assert stored.startswith(renewed.key_id)


def count_checks(team, monkeypatch):
    """The hashes that are compared from now on."""
    checked, verify = [], team.hasher.verify

    async def counted(secret, secret_hash):
        checked.append(bool(secret_hash))
        return await verify(secret, secret_hash)

    monkeypatch.setattr(team.hasher, "verify", counted)
    return checked


def count_writes(team, monkeypatch):
    """The transactions that begin from now on."""
    begun, begin = [], team.database.transaction

    def counted():
        begun.append(1)
        return begin()

    monkeypatch.setattr(team.database, "transaction", counted)
    return begun
