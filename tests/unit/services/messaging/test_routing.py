"""Which provider carries an SMS: the first route that fits, by country, network, kind and the code that was used."""

import pytest

from services.messaging.routing import Route, SmsFacts, SmsRoutes

RAHIMA, ASHA, AMINA = "+8801711000001", "+919812000001", "+254711000001"
ROUTES = SmsRoutes(
    Route(provider="africastalking"),
    (
        Route(provider="smpp", networks=frozenset({"47002"}), used_codes=frozenset({"16216"}), sender="16216"),
        Route(
            provider="ssl",
            fallback="tap",
            sender="GOVBD",
            fallback_sender="16216",
            is_one_way=True,
            countries=frozenset({"BD"}),
            kinds=frozenset({"code", "receipt"}),
        ),
        Route(provider="tap", countries=frozenset({"BD"})),
        Route(provider="exotel", fallback="smpp", countries=frozenset({"IN"})),
    ),
)


@pytest.mark.parametrize(
    ("sms", "provider"),
    [
        (SmsFacts(RAHIMA, "code"), "ssl"),
        (SmsFacts(RAHIMA, "status"), "tap"),
        (SmsFacts(RAHIMA, "code", network="47002"), "ssl"),
        (SmsFacts(RAHIMA, "reply", network="47001", used_code="16216"), "tap"),
        (SmsFacts(RAHIMA, "reply", network="47002", used_code="16216"), "smpp"),
        (SmsFacts(RAHIMA, "reply", network="47002"), "tap"),
        (SmsFacts(ASHA, "code"), "exotel"),
        (SmsFacts(AMINA, "code"), "africastalking"),
        (SmsFacts("no number", "code"), "africastalking"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.kind}-{value.network}-{value.used_code}",
)
def test_the_first_route_that_fits_carries_an_sms(sms, provider):
    assert ROUTES.choose(sms).provider == provider


def test_every_provider_that_may_send_is_named_once_the_default_first():
    assert ROUTES.providers == ("africastalking", "smpp", "ssl", "tap", "exotel")


def test_the_sender_is_that_of_the_route_by_which_it_goes():
    code = SmsFacts(RAHIMA, "code")

    assert ROUTES.find_sender("ssl", code) == "GOVBD"
    assert ROUTES.find_sender("tap", code) == "16216", "as a fallback"
    assert ROUTES.find_sender("tap", SmsFacts(RAHIMA, "status")) == ""
    assert ROUTES.find_sender("africastalking", code) == "", "queued before there were routes"


def test_only_the_first_provider_of_a_route_has_a_fallback():
    code = SmsFacts(RAHIMA, "code")

    assert ROUTES.find_fallback("ssl", code) == "tap"
    assert ROUTES.find_fallback("tap", code) == "", "it does not move back, nor further"
    assert ROUTES.find_fallback("tap", SmsFacts(RAHIMA, "status")) == ""
    assert [name for name in ROUTES.providers if ROUTES.has_fallback(name)] == ["ssl", "exotel"]


def test_the_network_is_asked_only_where_a_route_needs_it():
    assert ROUTES.ask_network
    assert not SmsRoutes(Route(provider="a"), (Route(provider="b", countries=frozenset({"IN"})),)).ask_network
