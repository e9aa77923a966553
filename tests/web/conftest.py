"""The department API over the services, on each database in turn or on the one at hand."""

import json
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from sealing import Seal
from services.keys import Keys
from services.records.database import Records
from services.records.migrate import upgrade
from sessions.redis import open_sessions
from tests.desk import SEAL, Desk
from tests.phone import running, settings_for
from tests.web.furnished import furnish
from tests.web.office import OURS, THEIRS, Office, doors_open, offered
from web.api.openapi import document


@pytest.fixture
def desk(records, clock, pins):
    """All services, on each database in turn."""
    return Desk(records, clock, pins)


@pytest.fixture
async def offices(desk):
    """Two departments' systems, on each database in turn."""
    async with (
        open_sessions("memory://", SEAL) as store,
        doors_open(desk, store.client) as url,
        ClientSession() as http,
    ):
        keys = Keys(desk.records, clock=desk.clock)
        yield [Office(http, url, await keys.add(whose)) for whose in (OURS, THEIRS)]


@pytest.fixture
async def office(tmp_path, clock, pins):
    """A department's system where nobody has applied."""
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    await upgrade(url)
    async with Records(url) as records, open_sessions("memory://", SEAL) as store:
        desk = Desk(records, clock, pins)
        async with doors_open(desk, store.client) as url, ClientSession() as http:
            yield Office(http, url, await Keys(records, clock=clock).add(OURS))


@dataclass(frozen=True)
class Furnished:
    """A department's system at a gateway that runs, and what its department has."""

    office: Office
    applications: list[str]
    complaints: list[str]


@pytest.fixture
async def furnished(tmp_path, clock, pins):
    """Our department at a gateway that runs, with something of everything."""
    settings = settings_for(tmp_path, API__PER_MINUTE="100000")
    async with running(settings) as url, ClientSession() as http:
        async with Records(settings.database.url.get_secret_value()) as records:
            desk = Desk(records, clock, pins, Seal(settings.keys.secret.get_secret_value().encode()))
            applied, complained = await furnish(desk)
            office = Office(http, url, await Keys(records, clock=clock).add(OURS))
        yield Furnished(office, applied, complained)


@pytest.fixture
def described():
    """openapi.json."""
    return json.loads(document(offered(None, None, None), ""))
