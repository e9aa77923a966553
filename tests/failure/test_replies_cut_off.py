"""A caller whose reply was cut off dials again, goes on and answers once more: it is recorded once, and they are told so."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select

from db.database import Database
from db.tables import metadata
from sessions.redis_store import RedisSessionStore
from sessions.store import StoreUnavailableError
from tests.support.citizen_steps import ANSWERS, PIN, register, tracking_number_in
from tests.support.phone import Phone, build_settings, run_gateway

GO_ON = "1"
AADHAAR = "234123412346"


class LosableSaves:
    """Session saves that a test can lose, or hold until it lets them go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_lost = False
        self.held: asyncio.Event | None = None
        self.is_reached = asyncio.Event()
        save = RedisSessionStore.save

        async def save_unless_lost(store: RedisSessionStore, *args: Any, **options: Any) -> bool:
            if self.is_lost:
                raise StoreUnavailableError
            if held := self.held:
                self.held = None
                self.is_reached.set()
                await held.wait()
            return await save(store, *args, **options)

        monkeypatch.setattr(RedisSessionStore, "save", save_unless_lost)

    async def lose_reply(self, phone: Phone, answer: str) -> str:
        """Press a key whose effect is recorded, and whose screen is not saved; then go on in another call. The lost screen."""
        self.is_lost = True
        lost = await phone.enter(answer)
        self.is_lost = False
        await phone.dial()
        await phone.enter(GO_ON)
        return lost

    async def dial_meanwhile(self, phone: Phone, answer: str) -> str:
        """Press a key; before its screen is saved, another call of the same phone goes on. The screen that comes too late."""
        self.held, self.is_reached = asyncio.Event(), asyncio.Event()
        held, first = self.held, copy(phone)
        late_reply = asyncio.create_task(first.enter(answer))
        await self.is_reached.wait()
        await phone.dial()
        await phone.enter(GO_ON)
        held.set()
        return await late_reply


class Intention(NamedTuple):
    """What a caller wants once: the keys from the main menu to the question whose answer does it, and that answer.

    `table` gets one row. `again` are the keys that do it again in another call, from the parked place. `told` is on the screen
    after them, where it is not the first screen again.
    """

    keys: tuple[str, ...]
    last: str
    table: str
    again: tuple[str, ...]
    told: str = ""


NEW_ACCOUNT = ("Amina Begum", PIN, PIN, "1", "Mirpur School", "2", "Ayesha")
OF_ANYONE = {
    "feedback": Intention(("4", "2", "2", "5"), "More clerks", "feedback", ("More clerks!",)),
    "complaint": Intention(("4", "1", "3", "1"), "It is late", "complaints", ("Late, I say",)),
    "information": Intention(("1", "1", "1"), "3", "messages", ("3",)),
    "registration": Intention(("5", "1", *NEW_ACCOUNT[:-1]), "Ayesha", "accounts", NEW_ACCOUNT, "Type your PIN"),
}
IN_A_RACE = {"feedback", "complaint", "registration", "application", "payment"}
OF_CITIZEN = {
    "application": Intention(("1", "1", "1", "1", "1", *ANSWERS, "1"), PIN, "applications", (PIN, "1", PIN)),
    "payment": Intention(("2", "1", "1", "5"), "1", "payments", (PIN, "1")),
    "withdrawal": Intention(("2", "1", "1", "5", "1"), PIN, "application_events", (PIN, "1", PIN)),
    "profile": Intention(("5", "5", "1", "2"), "21111990", "profile_facts", (PIN, "21111990")),
    "identity": Intention(("5", "5", "1", "12", AADHAAR), PIN, "profile_facts", (PIN, AADHAAR, PIN)),
    "document": Intention(("5", "5", "2", "1"), "1", "profile_papers", (PIN, "1")),
    "own data": Intention(("5", "5", "3", "1", "1"), PIN, "links", (PIN, "1", PIN)),
}


@pytest.mark.parametrize(
    ("way", "names"),
    [
        pytest.param(LosableSaves.lose_reply, {*OF_ANYONE, *OF_CITIZEN}, id="lose_reply"),
        pytest.param(LosableSaves.dial_meanwhile, IN_A_RACE, id="dial_meanwhile"),
    ],
)
async def test_what_was_recorded_before_the_reply_was_cut_off_is_recorded_once(
    way: Callable[[LosableSaves, Phone, str], Awaitable[str]],
    names: set[str],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saves = LosableSaves(monkeypatch)
    settings = build_settings(tmp_path, DATABASE__URL=database_url)
    async with run_gateway(settings) as url, ClientSession() as http, Database(database_url) as database:

        async def count_rows(table: str) -> int:
            query = select(func.count()).select_from(metadata.tables[table])
            return int((await database.fetch(query)).scalar_one())

        async def do_twice(phone: Phone, name: str, intention: Intention) -> None:
            await phone.enter(*intention.keys)
            before = await count_rows(intention.table)
            lost = await way(saves, phone, intention.last)
            assert await count_rows(intention.table) == before + 1, name
            told = await phone.enter(*intention.again)
            assert told.startswith(intention.told or lost), name
            assert await count_rows(intention.table) == before + 1, name

        for number, name in enumerate(name for name in OF_ANYONE if name in names):
            anyone = Phone(http, url, f"+88017000001{number:02}")
            await anyone.dial()
            await anyone.enter("1")
            await do_twice(anyone, name, OF_ANYONE[name])
        citizen = Phone(http, url)
        await register(citizen)
        await citizen.enter("00")
        for name in [name for name in OF_CITIZEN if name in names]:
            if citizen.ended:
                await citizen.dial()
                await citizen.enter("5", PIN)
            await citizen.enter("00")
            await do_twice(citizen, name, OF_CITIZEN[name])


async def test_a_second_complaint_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the main menu, whether the call before was dropped at the question or after it was answered."""
    saves = LosableSaves(monkeypatch)
    complaint = ("4", "1", "3", "1", "It is late")
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dial()
        await phone.enter("1", *complaint[:-1])
        first = tracking_number_in(await saves.lose_reply(phone, complaint[-1]))
        again = tracking_number_in(await phone.enter(complaint[-1]))
        await phone.dial()
        second = tracking_number_in(await phone.enter(*complaint))
        await phone.dial()
        await phone.enter(*complaint[:-1])
        third = tracking_number_in(await saves.lose_reply(phone, complaint[-1]))
        fourth = tracking_number_in(await phone.enter("00", *complaint))
    assert again == first
    assert len({first, second, third, fourth}) == 4


async def test_a_path_with_many_acts_that_is_walked_with_each_key_press_does_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = LosableSaves(monkeypatch)
    settings = build_settings(tmp_path)
    database_url = settings.database.url.get_secret_value()
    async with run_gateway(settings) as url, ClientSession() as http, Database(database_url) as database:
        phone = Phone(http, url)
        await register(phone)
        await phone.redial()
        saves.is_lost = True
        await phone.enter("5", PIN, "5", "1", "2", "21111990", "1", "5", "Karim Uddin", "1", "5", "Rahim Uddin", "00")
        await phone.enter("5", "5", "2", "1", "1", "1", "1", "1")
        facts = (await database.fetch(select(metadata.tables["profile_facts"].c.key))).scalars().all()
        papers = (await database.fetch(select(metadata.tables["profile_papers"].c.at_hand))).scalars().all()
    assert sorted(facts) == ["born", "mother", "mother"]
    assert sorted(papers) == [False, True], "marked, then removed"
