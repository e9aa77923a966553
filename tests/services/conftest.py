"""The services on each database in turn."""

import pytest

from tests.desk import Desk


@pytest.fixture
def desk(records, clock, pins):
    return Desk(records, clock, pins)
