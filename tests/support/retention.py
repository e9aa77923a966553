"""Retention with the default periods."""

from config.retention import RetentionSettings
from services.privacy.retention import DataRetention

DAYS = RetentionSettings().days()


def build_retention(database, clock, **options):
    """Retention over one database by a manual clock."""
    return DataRetention(database, {**DAYS, **options.pop("days", {})}, clock=clock, **options)
