"""A team of staff over each database."""

import pytest

from tests.support.staff_team import open_team


@pytest.fixture
def team(database, clock):
    with open_team(database, clock) as team:
        yield team
