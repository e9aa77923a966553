"""Whatever the store loses, and whenever: each screen is that of an undisturbed call, or the call ends in words."""

import pytest

from tests.support.citizen_steps import ANSWERS, PIN
from tests.support.path_sessions import Call, Gateways, comparable

REGISTRATION = ("1", "5", "1", "Amina Begum", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
CONVERSATIONS = {
    "search": ("1", "1", "1", "1", "98", "0", "0", "00", "7"),
    "other language": ("3", "7", "0", "8", "1", "1"),
    "tracking": ("1", "2", "123", "111122223333", "00", "2"),
    "complaint": ("1", "4", "1", "3", "1", "It is*late"),
    "application": (*REGISTRATION, "00", "1", "1", "1", "1", "1", *ANSWERS, "1", PIN),
}
UNHEARD = "Sorry, this call cannot go on. Please hang up and dial again."


async def play(path_gateways: Gateways, keys: tuple[str, ...]) -> list[str]:
    call = path_gateways.new_call()
    return [comparable(await call.press()), *[comparable(await call.press(key)) for key in keys]]


@pytest.mark.parametrize("echoes", [True, False])
@pytest.mark.parametrize("fault", ["load", "save", "emptied"])
async def test_each_screen_is_right_wherever_the_store_fails(
    path_gateways: Gateways, fault: str, *, echoes: bool
) -> None:
    for name, keys in CONVERSATIONS.items():
        path_gateways.store.is_young = False
        expected, hops = await play(path_gateways, keys), range(len(keys) + 1)
        some = [{hop, hop + 1} for hop in hops] if name != "application" else []
        for faulty in (*some, set(hops)):
            call = path_gateways.new_call(echoes=echoes)
            for hop, key in enumerate(("", *keys)):
                if hop in faulty:
                    await break_store(path_gateways, call, fault)
                reply = await call.press(key, process=hop % 2)  # by the other process, which does not know the session
                path_gateways.store.fails_to = frozenset()
                await dial_elsewhere(path_gateways)
                assert comparable(reply) == expected[hop], (name, sorted(faulty), hop)


async def break_store(path_gateways: Gateways, call: Call, fault: str) -> None:
    path_gateways.store.is_young = fault == "emptied"
    if fault == "emptied":
        await path_gateways.store.forget(call.caller)
    else:
        path_gateways.store.fails_to = frozenset({fault})


async def dial_elsewhere(path_gateways: Gateways) -> None:
    """Another caller at each process, which finds the store working again."""
    for process, handler in enumerate(path_gateways.handlers):
        if handler.recent_starts.has_gap:
            await path_gateways.new_call().press(process=process)
            await handler.background.finish(1.0)
