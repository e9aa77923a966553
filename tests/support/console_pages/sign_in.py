"""The button that signs out."""

from tests.support.console_pages import Sample

SAMPLES = {"sign_out": [Sample("POST", "/console/sign-out")]}
