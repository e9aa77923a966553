"""L7: whoever knows or guesses the id of an SMS uses it first, and the SMS of another person is not answered."""

from pathlib import Path

from tests.support.forged_sms import open_attack

VICTIM, ATTACKER, THIRD = "+8801700000001", "+8801800000001", "+8801900000001"
ID = "d1e8c0ffee0000000000000000000001"


async def test_l7_an_sms_is_answered_although_another_sender_used_its_id(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        for number in (ATTACKER, VICTIM, THIRD):
            for _ in range(3):  # a provider repeats a webhook
                await attacker.forge_sms(number, "HELP", provider_id=ID)
        assert attacker.fetch("SELECT recipient FROM messages ORDER BY id") == [(ATTACKER,), (VICTIM,), (THIRD,)]
        keys = attacker.fetch("SELECT idempotency_key FROM messages")
        assert len(set(keys)) == 3
        assert not any(number[1:] in key for number in (VICTIM, THIRD) for (key,) in keys)
