"""L8: a stranger who knows an Aadhaar number blocks its holder, or makes codes ring on the holder's phone without end."""

import pytest

from core.verified_caller import unverified_caller
from services.citizens.one_time_codes import MAX_SENDS_FOR_OTHERS
from services.documents.issuers.sandbox import SandboxIssuer
from tests.support.documents import AADHAAR, MSISDN, DocumentServiceSet, ScriptedIssuer

STRANGERS = [f"+88018000000{number:02}" for number in range(60)]


@pytest.fixture
def documents(database, redis, clock) -> DocumentServiceSet:
    """Documents of an issuer that sends its own codes."""
    return DocumentServiceSet(database, redis, clock, ScriptedIssuer())


@pytest.fixture
def sandbox(database, redis, clock) -> DocumentServiceSet:
    """Documents of an issuer whose codes we send, to the phone that verified the number first."""
    return DocumentServiceSet(database, redis, clock, SandboxIssuer(database))


async def type_wrong_codes(documents: DocumentServiceSet, caller: str, prefix: str, hours: int) -> None:
    """Five wrong codes an hour, as often as one caller may."""
    for hour in range(hours):
        answer = await documents.request_sign_in(f"{prefix}{hour}:3", caller)
        for place in range(5):
            await documents.sign_ins.check_code(answer.sign_in, "000000", f"{prefix}{hour}:{10 + place}")
        documents.clock.advance(hours=1, seconds=1)


async def test_l8_five_requests_of_a_stranger_do_not_block_the_holder(documents) -> None:
    for turn in range(7):
        await documents.request_sign_in(f"s{turn}:3", STRANGERS[0])
    assert (await documents.request_sign_in("own:3")).outcome == "sent"


async def test_l8_twenty_wrong_codes_of_a_stranger_do_not_block_the_holder(documents) -> None:
    await type_wrong_codes(documents, STRANGERS[0], "s", 5)
    answer = await documents.request_sign_in("own:3")
    assert await documents.sign_ins.check_code(answer.sign_in, documents.issuer.code, "own:10") == "right"


async def test_l8_a_crowd_of_strangers_is_capped_with_an_alarm_and_not_the_holder(documents) -> None:
    answer = await documents.request_sign_in("own0:3")
    await documents.sign_ins.check_code(answer.sign_in, documents.issuer.code, "own0:10")
    outcomes = [
        (await documents.request_sign_in(f"s{turn}:3", caller)).outcome for turn, caller in enumerate(STRANGERS)
    ]
    assert outcomes.count("sent") == 19
    assert documents.sign_ins.alarms["requests"] == len(STRANGERS) - 19
    assert (await documents.request_sign_in("own1:3")).outcome == "sent"


async def test_l8_guesses_by_many_callers_are_capped_with_an_alarm(documents) -> None:
    for turn, caller in enumerate(STRANGERS[:22]):
        answer = await documents.request_sign_in(f"s{turn}:3", caller)
        for place in range(5):
            await documents.sign_ins.check_code(answer.sign_in, "000000", f"s{turn}:{10 + place}")
        documents.clock.advance(minutes=6)
    answer = await documents.request_sign_in("u:3", STRANGERS[30])
    assert await documents.sign_ins.check_code(answer.sign_in, documents.issuer.code, "u:10") == "too_many"
    assert documents.sign_ins.alarms["wrong_codes"]


async def test_l8_forged_sms_with_the_holders_number_do_not_block_the_holders_calls(documents) -> None:
    with unverified_caller():
        for turn in range(7):
            answer = await documents.request_sign_in(f"sms/{turn}:1")
            for check in range(5):
                await documents.sign_ins.check_code(answer.sign_in, "000000", f"sms/{turn}-{check}:1")
    answer = await documents.request_sign_in("own:3")
    assert await documents.sign_ins.check_code(answer.sign_in, documents.issuer.code, "own:10") == "right"


async def test_l8_strangers_neither_use_up_the_holders_codes_nor_replace_them(sandbox) -> None:
    first = await sandbox.request_sign_in("own0:3")
    await sandbox.sign_ins.check_code(first.sign_in, await sandbox.latest_code(), "own0:10")
    await sandbox.codes.send(MSISDN, "bn", "register", "own:1")
    code = await sandbox.latest_code()
    for turn, caller in enumerate(STRANGERS[:15]):
        await sandbox.request_sign_in(f"s{turn}:3", caller, AADHAAR)
    pestered = [to for to, _, _ in await sandbox.claim_sms()].count(MSISDN)
    assert pestered <= MAX_SENDS_FOR_OTHERS, "codes that others request to one phone are few"
    assert await sandbox.codes.check(MSISDN, "register", code, "own:2") == "right", "their own code is not replaced"
    assert await sandbox.codes.send(MSISDN, "bn", "register", "own:3") == "sent"


async def test_l8_the_holders_code_does_not_open_what_a_stranger_began(sandbox) -> None:
    first = await sandbox.request_sign_in("own0:3")
    await sandbox.sign_ins.check_code(first.sign_in, await sandbox.latest_code(), "own0:10")
    theirs = await sandbox.request_sign_in("s:3", STRANGERS[0])
    await sandbox.claim_sms()
    await sandbox.request_sign_in("own1:3")
    code = await sandbox.latest_code()
    assert await sandbox.sign_ins.check_code(theirs.sign_in, code, "s:10") != "right"
