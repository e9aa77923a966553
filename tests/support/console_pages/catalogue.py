"""The catalogue. The check of the files takes seconds, and has a test of its own."""

from tests.support.console_pages import Sample

SAMPLES = {
    "catalogue.view": [
        Sample("GET", "/console/catalogue"),
        Sample("GET", "/console/catalogue/services"),
        Sample("GET", "/console/catalogue/services?text=<script>window.hacked=1</script>&sector=x"),
        Sample("GET", "/console/catalogue/services/birth_certificate"),
    ]
}
