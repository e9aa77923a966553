"""The documents desk on each database in turn, over an issuer of samples or one that does as a test tells it."""

import pytest
from fakeredis import FakeAsyncRedis

from services.documents.sandbox import Sandbox
from tests.documents.helpdesk import Helpdesk, Told


@pytest.fixture
def sandbox(records, redis, clock):
    return Helpdesk(records, redis, clock, Sandbox(records, clock=clock))


@pytest.fixture
def told(records, clock):
    return Helpdesk(records, FakeAsyncRedis(), clock, Told())
