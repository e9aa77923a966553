"""The texts that answer a missed call: one segment in English, two in Bengali and Hindi."""

import pytest
import smsutil

from app.localization import build_default_language_lookup
from app.menu import read_catalogue
from app.settings import load_settings
from app.texts import build_name_lookups, build_sms_renderer
from menus.rendering import localization
from services.catalogue.current import CurrentCatalogue
from services.messaging.links import TOKEN_LENGTH
from tests.support.phone import PUBLIC_SETTINGS, ROOT
from tests.support.program import SECRET

PUBLIC = {**PUBLIC_SETTINGS, "KEYS__SECRET": SECRET, "SERVER__PUBLIC_URL": "https://ekdial.gov.example"}
LINK = f"https://ekdial.gov.example/d/{'x' * TOKEN_LENGTH}"
LANGUAGES = {"en": 1, "bn": 2, "hi": 2}


@pytest.fixture(scope="module")
def texts():
    settings = load_settings(ROOT / "config.toml", {f"EKDIAL_{key}": value for key, value in PUBLIC.items()})
    return build_sms_renderer(
        localization.load_locales(build_name_lookups(CurrentCatalogue(read_catalogue(settings.catalogue)))), settings
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("key", "facts"), [("app", {"link": LINK}), ("no_application", {})])
def test_missed_call_texts_are_short(key, facts, language, texts):
    assert len(smsutil.split(texts(language, key, facts)).parts) <= LANGUAGES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_keywords_take_two_segments_at_most(language, texts):
    assert len(smsutil.split(texts(language, "help", {})).parts) <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_stands_by_itself_and_the_text_is_of_use_without_it(language, texts):
    text = texts(language, "app", {"link": LINK})
    assert f" {LINK} " in text
    helping = {"bn": "সাহায্য", "hi": "मदद"}.get(language, "HELP")
    assert all(way in text for way in ("*123#", helping, "123"))


def test_a_language_that_is_not_offered_is_no_default():
    offered = {"EKDIAL_LANGUAGES__OFFERED": '["en", "hi"]'}
    languages = [
        build_default_language_lookup(load_settings(ROOT / "config.toml", given))("+8801700000001")
        for given in ({}, offered)
    ]
    assert languages == ["bn", "en"]
