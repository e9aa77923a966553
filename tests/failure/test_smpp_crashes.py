"""SMS both ways over SMPP while the process is killed and connections end: `python -m bench.smpp --fire` has ten thousand."""

import pytest

from bench.smpp_scene import FirePlan, play_fire


@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_sent_twice(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    result = await play_fire(FirePlan(60, kill_after=(0.5, 0.9), busy_every=40), url)

    assert result.kills >= 1
    assert result.holds, result
    assert result.inbound_once == 60
    assert result.sent_once + result.unknown >= 60
