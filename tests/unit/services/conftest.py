"""Complaints and feedback on each database in turn."""

import pytest

from tests.support.complaints import ComplaintServiceSet


@pytest.fixture
def complaint_services(services):
    return ComplaintServiceSet(services)
