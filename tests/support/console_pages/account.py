"""One's own account."""

from tests.support.console_pages import Sample

SAMPLES = {
    "account.view": [Sample("GET", "/console/account")],
    "account.language": [Sample("POST", "/console/account/language", {"language": "en"})],
    "account.password": [
        Sample("GET", "/console/account/password"),
        Sample("POST", "/console/account/password", {"old": "a", "new": "too short", "again": "too short"}),
    ],
    "account.code": [
        Sample("GET", "/console/account/code"),
        Sample("POST", "/console/account/code", {"secret": "A" * 32, "code": "000000"}),
        Sample("POST", "/console/account/recovery-codes"),
    ],
    "account.sign_ins": [
        Sample("POST", "/console/account/sign-ins/1/end"),
        Sample("POST", "/console/account/sign-ins/end-others"),
    ],
}
