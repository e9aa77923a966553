"""Handsets detected from the headers of real browsers, and robots that read no page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tests.support.user_agents import BLINK, BROWSERS, JIOPHONE
from web.links.handset import HANDSETS, detect_handset, is_preview_request


@pytest.mark.parametrize(
    ("handset", "browser"), [(one, said) for one, _, said in BROWSERS], ids=[row[1] for row in BROWSERS]
)
def test_a_handset_by_its_browser(handset, browser):
    assert detect_handset(CIMultiDict({"User-Agent": browser})) == handset
    assert not is_preview_request(CIMultiDict({"User-Agent": browser}))


@pytest.mark.parametrize(
    ("platform", "handset"),
    [('"Android"', "android"), ('"iOS"', "ios"), ('"Linux"', "other"), ('"macOS"', "other"), ("Android", "android")],
)
def test_a_client_hint_is_believed_before_the_browsers_name(platform, handset):
    desktop = {"User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} Chrome/124.0.0.0 Safari/537.36"}
    assert detect_handset(CIMultiDict({**desktop, "Sec-CH-UA-Platform": platform})) == handset


def test_opera_minis_servers_say_which_phone_they_fetch_for():
    asked = {"User-Agent": "Opera/9.80 (Opera Mini/7.1; U; en) Presto/2.8", "X-OperaMini-Phone-UA": JIOPHONE}
    assert detect_handset(CIMultiDict(asked)) == "kaios"


@pytest.mark.parametrize(
    "robot",
    [
        "WhatsApp/2.23.20.0 A",
        "WhatsApp/2.19.81 i",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "TelegramBot (like TwitterBot)",
        "Twitterbot/1.0",
        # The Messages app of an iPhone, for a preview of a link.
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "SkypeUriPreview Preview/0.5",
        "LinkedInBot/1.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {BLINK} Chrome/124.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ],
)  # fmt: skip
def test_a_robot_only_looks(robot):
    assert is_preview_request(CIMultiDict({"User-Agent": robot}))


@pytest.mark.parametrize(
    ("header", "value"),
    [("Sec-Purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch"), ("X-Purpose", "preview")],
)  # fmt: skip
def test_so_does_a_browser_that_fetches_ahead(header, value):
    assert is_preview_request(CIMultiDict({"User-Agent": BROWSERS[5][2], header: value}))


def test_a_phone_whose_maker_has_a_robots_name_is_a_phone():
    cubot = {"User-Agent": f"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) {BLINK} Chrome/124.0.0.0 Mobile Safari/537.36"}
    assert detect_handset(CIMultiDict(cubot)) == "android"
    assert not is_preview_request(CIMultiDict(cubot))


@given(st.text(max_size=600), st.text(max_size=20))
def test_whatever_is_said_is_some_handset(browser, platform):
    assert detect_handset({"User-Agent": browser, "Sec-CH-UA-Platform": platform}) in HANDSETS
    assert is_preview_request({"User-Agent": browser}) in {True, False}
