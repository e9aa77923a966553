"""Letters stand in the same records as everything else, and go by the same clock."""

from tests.services.conftest import clock, records

__all__ = ["clock", "records"]
