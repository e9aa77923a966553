"""How sessions begin is counted: dialled, dialled past the short code, or replayed because the store lost them."""

from pathlib import Path

import pytest

from tests.support.path_sessions import open_gateways


@pytest.fixture
async def gateways(tmp_path: Path):
    async with open_gateways(tmp_path) as opened:
        yield opened


async def test_each_way_to_begin_is_counted_once_and_a_key_press_is_no_beginning(gateways):
    counts = gateways.handlers[0].start_counts
    assert counts == {"dialled": 0, "dialled_past": 0, "replayed": 0}
    call = gateways.new_call()
    for key in ("", "1", "1"):
        await call.press(key)
    assert counts == {"dialled": 1, "dialled_past": 0, "replayed": 0}
    past = gateways.new_call()
    past.path = "1*1"
    await past.send(past.build_request())
    assert counts == {"dialled": 1, "dialled_past": 1, "replayed": 0}
    await gateways.resources.store.client.flushall()
    await call.press("1")
    assert counts == {"dialled": 1, "dialled_past": 1, "replayed": 1}
