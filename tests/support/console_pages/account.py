"""One's own account."""

from tests.support.console_pages import Sample

SAMPLES = {
    "account.view": [Sample("GET", "/console/account")],
    "account.language": [Sample("POST", "/console/account/language", {"language": "en"})],
}
