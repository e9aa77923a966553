"""E-mail out of the settings: what cannot be used is told on its line before the gateway starts."""

import pytest
from prometheus_client import CollectorRegistry

from assembly.mail import posting
from faults import Broken
from tests.desk import SEAL
from tests.phone import settings_for

SENDER = {"MAIL__HOST": "127.0.0.1", "MAIL__SENDER": "Ekdial <no-reply@ekdial.example>"}


NO_ADDRESS = "is no e-mail address; write one such as help@example.org"


@pytest.mark.parametrize(
    ("variable", "given", "said"),
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
async def test_what_cannot_be_used_is_told_in_one_line(tmp_path, variable, given, said):
    settings = settings_for(tmp_path, **{**SENDER, variable: given})
    with pytest.raises(Broken) as broken:
        async with posting(settings, None, SEAL, CollectorRegistry()):
            pytest.fail("it was set up")
    assert str(broken.value) == f"environment: EKDIAL_{variable}: {said}"


async def test_without_a_server_nothing_is_set_up(tmp_path):
    registry = CollectorRegistry()
    async with posting(settings_for(tmp_path), None, SEAL, registry):
        assert list(registry.collect()) == []
