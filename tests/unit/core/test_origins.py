"""Where a request comes from, by its connection and its headers."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from core.http.origins import is_cross_site, is_local_request, is_loopback_host


class Transport:
    """A connection from an address."""

    def __init__(self, peer):
        self._peer = peer

    def get_extra_info(self, name, default=None):
        return (self._peer, 40000) if name == "peername" else default


def build_request(peer="127.0.0.1", host="127.0.0.1:8080", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request("POST", "/ussd", CIMultiDict(Host=host, **named), transport=Transport(peer))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "ekdial.localhost"])
def test_names_and_addresses_of_this_machine(host):
    assert is_loopback_host(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "0.0.0.0", "::", "localhost.example", "127.0.0.1.example", "x"])  # noqa: S104
def test_names_and_addresses_of_other_machines(host):
    assert not is_loopback_host(host)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "ekdial.localhost:80"])
def test_a_program_on_this_machine_is_local(peer, host):
    assert is_local_request(build_request(peer, host))


@pytest.mark.parametrize(
    "facts",
    [
        {"peer": "192.0.2.7"},
        {"peer": ""},
        {"host": "evil.example:8080"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "[::1"},
        {"host": ""},
        {"X_Forwarded_For": ""},
        {"x_forwarded_host": "127.0.0.1"},
        {"FORWARDED": "for=127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"Via": "1.1 tunnel"},
    ],
    ids=str,
)
def test_another_machine_a_proxy_and_a_rebound_name_are_not_local(facts):
    assert not is_local_request(build_request(**facts))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "https://Ekdial.example", "host": "ekdial.example"},
    ],
    ids=str,
)
def test_programs_and_our_own_pages_are_not_cross_site(headers):
    assert not is_cross_site(build_request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": ""},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"},
    ],
    ids=str,
)
def test_pages_of_other_sites_are_cross_site(headers):
    assert is_cross_site(build_request(**headers))
