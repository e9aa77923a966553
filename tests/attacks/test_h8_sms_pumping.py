"""H8: forged SMS make the gateway send SMS to numbers of the attacker's choice, or use up the limits of their owners."""

from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from core.verified_caller import unverified_caller
from services.citizens.one_time_codes import OneTimeCodes, SmsLimits
from tests.support.forged_sms import open_attack
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.services import CIPHER, render_text
from tests.support.sms_phone import open_sms_phone
from tests.support.voice_forms import ringing_form

FORGED = [f"+88017000{number:05}" for number in range(10_000, 10_030)]
OWNER = "+8801700019999"  # a neighbour of the forged numbers


def list_alarms(logs: list[dict[str, object]]) -> set[tuple[object, object]]:
    return {
        (line["sms"], line["area"])
        for line in logs
        if line["event"] == "sms_limit_reached" and line["log_level"] == "critical"
    }


async def test_h8_thirty_forged_registrations_of_a_prefix_are_limited_with_an_alarm(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with open_attack(tmp_path) as attacker:
            for number in FORGED:
                await attacker.forge_sms(number, "REG", "Asha Devi")
            secrets_sent = attacker.count_sms("kind IN ('code', 'pin')")
            assert 0 < secrets_sent <= 20
            assert attacker.fetch("SELECT count(*) FROM accounts")[0][0] <= 20, "no account without a PIN that is sent"
            assert len(attacker.fetch("SELECT 1 FROM inbound_sms WHERE state = 'done'")) == 2 * len(FORGED)
    assert ("unverified_codes", "prefix") in list_alarms(logs)


@pytest.mark.parametrize("text", ["HELP", "MENU", "STATUS 123456789012", "what?", "COMPLAIN the road is broken"])
async def test_h8_replies_to_forged_sms_of_a_prefix_are_limited_with_an_alarm(tmp_path: Path, text: str) -> None:
    with capture_logs() as logs:
        async with open_attack(tmp_path, UNVERIFIED_SMS__PER_PREFIX_PER_HOUR="7") as attacker:
            for number in FORGED[:12]:
                await attacker.forge_sms(number, text)
            assert attacker.count_sms() == 7
            outcomes = [row[0] for row in attacker.fetch("SELECT handled_as FROM inbound_sms ORDER BY id")]
            assert outcomes[7:] == ["limited"] * 5, "recorded, and nothing is done for them"
            assert len(attacker.fetch("SELECT 1 FROM complaints")) <= 7
    assert list_alarms(logs) == {("unverified_sms", "prefix")}


async def test_h8_an_sms_beside_the_reply_is_limited_too(tmp_path: Path) -> None:
    async with open_attack(tmp_path, UNVERIFIED_SMS__PER_PREFIX_PER_HOUR="7") as attacker:
        for number in FORGED[:12]:
            await attacker.forge_sms(number, "APP")
        assert attacker.count_sms() == 6, "the last one is reserved for a reply"
        assert attacker.fetch("SELECT DISTINCT error FROM messages WHERE status = 'failed'") == [("LimitReached",)]


async def test_h8_the_country_and_the_day_are_limited_with_an_alarm(tmp_path: Path) -> None:
    for limit, area in (("PER_COUNTRY_PER_HOUR", "country"), ("PER_DAY", "day")):
        (tmp_path / area).mkdir()
        with capture_logs() as logs:
            async with open_attack(tmp_path / area, **{f"UNVERIFIED_SMS__{limit}": "5"}) as attacker:
                for number in range(9):
                    await attacker.forge_sms(f"+88018{number}0000000", "HELP")
                assert attacker.count_sms() == 5
        assert list_alarms(logs) == {("unverified_sms", area)}


async def test_h8_missed_calls_count_against_the_same_limits(tmp_path: Path) -> None:
    async with open_attack(tmp_path, UNVERIFIED_SMS__PER_PREFIX_PER_HOUR="5") as attacker:
        for call, number in enumerate(FORGED[:4]):
            form = ringing_form(f"{call:032x}", number)
            async with attacker.http.post(f"{attacker.url}/voice/africastalking", data=form) as response:
                assert await response.text() == "<Response><Reject/></Response>"
        await attacker.forge_sms(FORGED[4], "HELP")
        await attacker.forge_sms(FORGED[5], "HELP")
        form = ringing_form(f"{9:032x}", FORGED[6])
        async with attacker.http.post(f"{attacker.url}/voice/africastalking", data=form) as response:
            assert await response.text() == "<Response><Reject/></Response>", "still free for the caller"
        assert attacker.count_sms() == 5


async def test_h8_stop_works_beyond_every_limit(tmp_path: Path) -> None:
    async with open_attack(tmp_path, UNVERIFIED_SMS__PER_PREFIX_PER_HOUR="1") as attacker:
        await attacker.forge_sms(FORGED[0], "HELP")
        await attacker.forge_sms(OWNER, "STOP")
        assert attacker.fetch("SELECT msisdn FROM opt_outs") == [(OWNER,)]
        assert attacker.count_sms() == 1, "without a reply"


async def test_h8_a_flood_from_other_prefixes_does_not_reach_a_citizen_within_their_limit(tmp_path: Path) -> None:
    settings = {"UNVERIFIED_SMS__PER_PREFIX_PER_HOUR": "5", "UNVERIFIED_SMS__PER_NUMBER_PER_HOUR": "3"}
    async with open_attack(tmp_path, **settings) as attacker:
        for number in range(9):
            await attacker.forge_sms(f"+880180000{number:04}", "HELP")
        for _ in range(5):
            await attacker.forge_sms(FORGED[0], "MENU")
        async with open_sms_phone(attacker.url, OWNER) as phone:
            assert "STATUS" in await phone.send_sms("HELP"), "one number of the prefix uses up its own limit only"


async def test_h8_forged_sms_do_not_use_up_the_codes_of_verified_callers(redis, services, clock) -> None:
    """Twenty codes that nobody enters close the prefix for forged SMS, and for nobody else."""
    limits = SmsLimits(per_prefix_per_hour=60, min_sample=20)
    codes = OneTimeCodes(redis, services.messages, CIPHER, render_text, limits=limits, clock=clock)
    with unverified_caller():
        for turn, number in enumerate(FORGED[:20]):
            assert await codes.send(number, "en", "register", f"forged-{turn}:1") == "sent"
        clock.advance(minutes=11)
        assert await codes.send(FORGED[20], "en", "register", "forged-20:1") == "too_many"
        for turn in range(6):
            await codes.send("+8801800000001", "en", "register", f"owner-{turn}:1")
    assert await codes.send(OWNER, "en", "register", "neighbour:1") == "sent"
    assert await codes.send("+8801800000001", "en", "register", "own:1") == "sent", "the owner's five are not used up"


async def test_h8_forged_sms_neither_replace_nor_wear_out_the_code_of_the_owner(redis, services, clock) -> None:
    codes = OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=clock)
    await codes.send(OWNER, "en", "register", "own:1")
    [(_, _, _, facts)] = await services.claim_sms()
    with unverified_caller():
        await codes.send(OWNER, "en", "recover", "forged:1")
        for turn in range(9):
            assert await codes.check(OWNER, "register", "000000", f"forged-{turn}:2") != "right"
    assert await codes.check(OWNER, "register", facts["code"], "own:2") == "right"


async def test_h8_a_caller_with_a_verified_number_registers_beside_a_flood(tmp_path: Path) -> None:
    async with open_attack(tmp_path, UNVERIFIED_SMS__PER_PREFIX_PER_HOUR="3") as attacker:
        for number in FORGED[:8]:
            await attacker.forge_sms(number, "REG Asha Devi")
        phone = Phone(attacker.http, attacker.url, OWNER)
        await phone.dial()
        screen = await phone.enter("1", "5", "1", "Amina Begum", "4826", "4826", "1", "Mirpur School", "2", "Ayesha")
        assert screen.startswith("Welcome"), screen


async def test_h8_the_limits_are_shared_by_all_processes(tmp_path: Path, redis_server) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, UNVERIFIED_SMS__PER_PREFIX_PER_HOUR="5")
    async with run_gateway(settings) as one, run_gateway(settings) as other, ClientSession() as http:
        for call, number in enumerate(FORGED[:12]):
            form = ringing_form(f"{call:032x}", number)
            async with http.post(f"{(one, other)[call % 2]}/voice/africastalking", data=form) as response:
                await response.text()
        async with open_attack(tmp_path, REDIS__URL=redis_server.url) as attacker:
            assert attacker.count_sms() == 5


async def test_h8_calls_over_a_network_that_does_not_vouch_are_counted(tmp_path: Path) -> None:
    settings = {"USSD__CALLER_NUMBER_VERIFIED": "false", "UNVERIFIED_SMS__PER_NUMBER_PER_HOUR": "3"}
    async with open_attack(tmp_path, **settings) as attacker:
        phone = Phone(attacker.http, attacker.url, OWNER)
        await phone.dial()
        await phone.enter("1")
        for _ in range(6):
            await phone.redial()
            await phone.enter("6")
        assert attacker.count_sms() == 3
        assert attacker.fetch("SELECT count(*) FROM messages WHERE error = 'LimitReached'") == [(3,)]
