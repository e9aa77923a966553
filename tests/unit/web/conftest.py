"""Fixtures of the department API over real services, on each database or on SQLite alone."""

import json
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import Mock

import pytest
from aiohttp import ClientSession

from core.crypto import Cipher
from core.types import utc_now
from db.database import Database
from db.migrate import upgrade
from services.departments.api_keys import ApiKeys
from sessions.redis_store import open_session_store
from tests.support.api_records import create_records
from tests.support.department_api import (
    OTHER_DEPARTMENT,
    OWN_DEPARTMENT,
    DepartmentClient,
    all_operations,
    run_department_api,
)
from tests.support.phone import build_settings, run_gateway
from tests.support.services import CIPHER, ManualClock, ServiceSet
from tests.support.staff import staff_act
from web.api.openapi import build_document


@pytest.fixture
async def department_clients(services):
    """The clients of two departments, on each database."""
    async with (
        open_session_store("memory://", CIPHER) as store,
        run_department_api(services, store.client) as url,
        ClientSession() as http,
    ):
        keys = ApiKeys(services.database, clock=services.clock)
        yield [
            DepartmentClient(http, url, await keys.create(whose, staff_act()))
            for whose in (OWN_DEPARTMENT, OTHER_DEPARTMENT)
        ]


@pytest.fixture
async def department_client(tmp_path, clock, pins):
    """The client of a department without applications."""
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    await upgrade(url)
    async with Database(url) as database, open_session_store("memory://", CIPHER) as store:
        services = ServiceSet(database, clock, pins)
        async with run_department_api(services, store.client) as url, ClientSession() as http:
            yield DepartmentClient(http, url, await ApiKeys(database, clock=clock).create(OWN_DEPARTMENT, staff_act()))


@dataclass(frozen=True)
class DepartmentWithRecords:
    """The client of a department at a running gateway, with the department's records."""

    client: DepartmentClient
    applications: list[str]
    complaints: list[str]
    network_key: str


@pytest.fixture
async def department_with_records(tmp_path, pins):
    """Our department at a running gateway, with records of every kind, a few minutes old by the gateway's clock."""
    clock = ManualClock(utc_now() - timedelta(minutes=10))
    settings = build_settings(tmp_path, API__PER_MINUTE="100000")
    async with run_gateway(settings) as url, ClientSession() as http:
        async with Database(settings.database.url.get_secret_value()) as database:
            services = ServiceSet(database, clock, pins, Cipher(settings.keys.secret.get_secret_value().encode()))
            applied, complained = await create_records(services)
            keys = ApiKeys(database, clock=clock)
            office = DepartmentClient(http, url, await keys.create(OWN_DEPARTMENT, staff_act()))
            network_key = await keys.create("grameenphone", staff_act(), kind="network")
        yield DepartmentWithRecords(office, applied, complained, network_key)


@pytest.fixture
def openapi_document():
    """openapi.json."""
    return json.loads(build_document(all_operations(Mock(), Mock(), Mock()), ""))
