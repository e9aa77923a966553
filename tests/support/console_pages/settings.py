"""The settings in force."""

from tests.support.console_pages import Sample

SAMPLES = {"settings.view": [Sample("GET", "/console/settings")]}
