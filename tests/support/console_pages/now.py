"""What happens now. Its stream has no end, so its tests are its own."""

from tests.support.console_pages import Sample

SAMPLES = {"now.view": [Sample("GET", "/console/now")]}
