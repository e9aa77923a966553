"""The helpdesk over each database in turn."""

import pytest

from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.number_release import NumberReleases
from services.helpdesk.lookup import CitizenLookup
from services.helpdesk.resends import MessageResends
from tests.support.services import CIPHER


@pytest.fixture
def releases(database, clock):
    return NumberReleases(database, CIPHER, clock=clock)


@pytest.fixture
def lookup(database, clock, releases):
    return CitizenLookup(database, CIPHER, releases, clock=clock)


@pytest.fixture
def resends(database, services, clock):
    return MessageResends(database, services.messages, CIPHER, clock=clock)


@pytest.fixture
def act():
    """An act of Nadia at the helpdesk, under a key."""

    def build(key="t1", reason="ticket 4711"):
        return StaffAct(Actor("staff", "nadia", "terminal"), reason, key)

    return build
