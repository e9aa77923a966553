"""E-mail out of the settings: what cannot be used is told on its line before the gateway starts."""

import pytest
from prometheus_client import CollectorRegistry

from app.workers import run_email_worker
from core.errors import ValidationFailedError
from tests.support.phone import build_settings
from tests.support.services import CIPHER

SENDER = {"MAIL__HOST": "127.0.0.1", "MAIL__SENDER": "Ekdial <no-reply@ekdial.example>"}


NO_ADDRESS = "is no e-mail address; write one such as help@example.org"


@pytest.mark.parametrize(
    ("variable", "values", "said"),
    [
        ("MAIL__SENDER", "Ekdial <no-reply@ekdial..example>", f"'Ekdial <no-reply@ekdial..example>' {NO_ADDRESS}"),
        ("MAIL__REPLY_TO", "help@ekdial_.example", f"'help@ekdial_.example' {NO_ADDRESS}"),
        ("HELPDESK__EMAIL", "at the counter", f"'at the counter' {NO_ADDRESS}"),
        (
            "MAIL__CERTIFICATES",
            "/nowhere.pem",
            "/nowhere.pem cannot be used: No such file or directory; name a PEM file of certificates",
        ),
    ],
)
async def test_unusable_mail_settings_are_reported_in_one_line(tmp_path, variable, values, said):
    settings = build_settings(tmp_path, **{**SENDER, variable: values})
    with pytest.raises(ValidationFailedError) as broken:
        async with run_email_worker(settings, None, CIPHER, CollectorRegistry()):
            pytest.fail("it was set up")
    assert str(broken.value) == f"environment: EKDIAL_{variable}: {said}"


async def test_without_a_mail_server_no_worker_is_built(tmp_path):
    registry = CollectorRegistry()
    async with run_email_worker(build_settings(tmp_path), None, CIPHER, registry):
        assert list(registry.collect()) == []
