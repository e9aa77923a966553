"""The document services on each database, with the sandbox issuer or a scripted one."""

import pytest
from fakeredis import FakeAsyncRedis

from services.documents.issuers.sandbox import SandboxIssuer
from tests.support.documents import DocumentServiceSet, ScriptedIssuer


@pytest.fixture
def sandbox_documents(database, redis, clock):
    return DocumentServiceSet(database, redis, clock, SandboxIssuer(database, clock=clock))


@pytest.fixture
def scripted_documents(database, clock):
    return DocumentServiceSet(database, FakeAsyncRedis(), clock, ScriptedIssuer())
