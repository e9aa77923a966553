"""The texts that a missed call brings, as long as they are sent: one segment in English, two in Bengali and Hindi."""

import pytest
import smsutil

from assembly.conversation import edition_of
from assembly.countries import assumed
from assembly.texts import names_of, sayer
from configured import read
from menus import words
from services.catalogue.shelf import Shelf
from services.links import LENGTH
from tests.phone import ROOT

PUBLIC = {"EKDIAL_SERVER__PUBLIC_URL": "https://ekdial.gov.example"}
LINK = f"https://ekdial.gov.example/d/{'x' * LENGTH}"
LANGUAGES = {"en": 1, "bn": 2, "hi": 2}


@pytest.fixture(scope="module")
def say():
    settings = read(ROOT / "config.toml", PUBLIC)
    return sayer(words.load_all(names_of(Shelf(edition_of(settings.catalogue)))), settings)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("key", "facts"), [("app", {"link": LINK}), ("no_application", {})])
def test_what_is_sent_is_short(key, facts, language, say):
    assert len(smsutil.split(say(language, key, facts)).parts) <= LANGUAGES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_keywords_take_two_segments_at_most(language, say):
    assert len(smsutil.split(say(language, "help", {})).parts) <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_stands_by_itself_and_the_text_is_of_use_without_it(language, say):
    text = say(language, "app", {"link": LINK})
    assert f" {LINK} " in text
    assert all(way in text for way in ("*123#", "HELP", "123"))


def test_a_language_that_is_not_offered_is_assumed_of_nobody():
    offered = {"EKDIAL_LANGUAGES__OFFERED": '["en", "hi"]'}
    languages = [assumed(read(ROOT / "config.toml", given))("+8801700000001") for given in ({}, offered)]
    assert languages == ["bn", "en"]
