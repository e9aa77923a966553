"""Callers whose network hides their number are known by the number that they verified, until it is no longer theirs."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.crypto import Cipher
from core.verified_caller import unverified_caller
from db.tables import hidden_numbers
from services.audit.models import Actor
from services.citizens.hidden_numbers import HiddenNumbers
from services.citizens.number_release import NumberReleases, ReleaseRequest
from services.citizens.one_time_codes import MAX_SENDS_FOR_OTHERS, OneTimeCodes
from services.privacy.retention import DataRetention
from tests.support.services import CIPHER, KARIM, RAHIMA, render_text
from tests.support.text_search import find_text

IDENTITY, OTHER = "robi hu3b84346f0a9d2c11", "applink hu3b84346f0a9d2c11"


@pytest.fixture
def build(services, redis, database, clock):
    """Build the service over a cipher."""

    def build_service(cipher=CIPHER):
        codes = OneTimeCodes(redis, services.messages, cipher, render_text, clock=clock)
        return HiddenNumbers(database, cipher, codes, clock=clock)

    return build_service


async def link(services, hidden, identity=IDENTITY, msisdn=RAHIMA, key="s1/1"):
    """Give the number, read the code on the phone that has it, and type it."""
    with unverified_caller():
        assert await hidden.send_code(identity, msisdn, "bn", key) == "sent"
        sent = [facts["code"] for to, _, text, facts in await services.claim_sms() if (to, text) == (msisdn, "code")]
        return await hidden.link(identity, msisdn, sent[-1], f"{key}/2")


async def test_the_number_is_found_after_the_code_was_typed(services, build, database):
    hidden = build()
    assert await hidden.find(IDENTITY) == ""
    assert await link(services, hidden) == "right"
    assert await hidden.find(IDENTITY) == RAHIMA
    assert await hidden.find(OTHER) == "", "the identities of another platform are others"
    assert await find_text(database, "hu3b84346f") == set()


async def test_a_new_number_replaces_the_former_one(services, build):
    hidden = build()
    await link(services, hidden)
    await link(services, hidden, msisdn=KARIM, key="s2/1")
    assert await hidden.find(IDENTITY) == KARIM


async def test_a_wrong_code_and_one_for_another_caller_link_nothing(services, build):
    hidden = build()
    with unverified_caller():
        await hidden.send_code(IDENTITY, RAHIMA, "bn", "s1/1")
        ((_, _, _, facts),) = await services.claim_sms()
        wrong = f"{(int(facts['code']) + 1) % 10**6:06}"
        assert await hidden.link(IDENTITY, RAHIMA, wrong, "s1/2") == "wrong"
        assert await hidden.link(OTHER, RAHIMA, facts["code"], "s2/2") == "gone"
        assert await hidden.link(IDENTITY, KARIM, facts["code"], "s1/3") == "gone"
    assert await hidden.find(IDENTITY) == await hidden.find(OTHER) == ""


async def test_many_callers_cannot_flood_one_number_with_codes(build):
    hidden = build()
    with unverified_caller():
        sent = [
            await hidden.send_code(f"robi {caller:032x}", RAHIMA, "bn", f"s{caller}/1")
            for caller in range(MAX_SENDS_FOR_OTHERS + 1)
        ]
    assert sent == ["sent"] * MAX_SENDS_FOR_OTHERS + ["too_many"]


async def test_the_number_is_found_after_the_key_was_changed(services, build):
    await link(services, build())
    changed = Cipher(b"another secret of tests, 32 octet", [b"a secret of the tests, 32 octets+"])
    assert await build(changed).find(IDENTITY) == RAHIMA


async def test_a_released_number_is_no_longer_found(services, build, database, clock):
    hidden = build()
    await link(services, hidden)
    clock.now += timedelta(days=1)
    await NumberReleases(database, CIPHER, clock=clock).release(
        ReleaseRequest(RAHIMA, "staff", Actor("staff", "nadia", "terminal"), "k1", "ticket 12")
    )
    assert await hidden.find(IDENTITY) == ""


async def test_a_link_ends_after_two_years(services, build, database, clock):
    hidden = build()
    await link(services, hidden)
    retention = DataRetention(database, {"callers": 730}, clock=clock)
    clock.now += timedelta(days=729)
    await retention.delete_expired()
    assert await hidden.find(IDENTITY) == RAHIMA
    clock.now += timedelta(days=2)
    await retention.delete_expired()
    assert (await database.fetch(select(hidden_numbers))).all() == []
