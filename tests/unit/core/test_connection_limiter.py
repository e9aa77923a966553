"""The limits of connections: in all, from one address, none for our proxies; one log event a minute."""

import pytest
from structlog.testing import capture_logs

from core.http.addresses import parse_network
from core.http.connection_limiter import LOG_INTERVAL, ConnectionLimiter


class ManualMonotonic:
    """Seconds that a test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def monotonic():
    return ManualMonotonic()


@pytest.fixture
def limiter(monotonic):
    """Four connections, two from one address; 10.0.0.0/8 is ours."""
    exempt = (parse_network("10.0.0.0/8"),)
    return ConnectionLimiter(max_connections=4, max_per_address=2, exempt=exempt, monotonic=monotonic)


def test_one_address_gets_its_part_and_others_theirs(limiter):
    assert [limiter.admit("192.0.2.1") for _ in range(3)] == ["192.0.2.1", "192.0.2.1", None]
    assert limiter.admit("192.0.2.2") == "192.0.2.2"
    limiter.release("192.0.2.1")
    assert limiter.admit("192.0.2.1") == "192.0.2.1"


def test_a_home_has_one_address_however_many_it_uses(limiter):
    admitted = [limiter.admit(f"2001:db8:1:2::{number}") for number in range(3)]
    assert admitted[0] == admitted[1]
    assert admitted[2] is None
    assert limiter.admit("2001:db8:1:3::1")


def test_a_mapped_address_is_the_address(limiter):
    assert [limiter.admit(text) for text in ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.1")][2] is None


@pytest.mark.parametrize("address", ["10.1.2.3", ""])
def test_proxies_and_unix_sockets_are_limited_in_total_only(limiter, address):
    assert [limiter.admit(address) for _ in range(5)] == ["", "", "", "", None]
    limiter.release("")
    assert limiter.admit("192.0.2.1")


def test_refusals_are_logged_once_a_minute_with_their_number(limiter, monotonic):
    with capture_logs() as logs:
        for _ in range(7):
            limiter.admit("192.0.2.1")
        monotonic.now += LOG_INTERVAL
        limiter.admit("192.0.2.1")
    assert [(line["event"], line["by_address"]) for line in logs] == [
        ("connections_refused", 1),
        ("connections_refused", 5),
    ]
