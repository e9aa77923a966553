"""What is registered in India, by number, text and kind."""

from core.types import Template
from services.messaging.dlt import DltRegistry
from services.messaging.models import DltIds

ENTITY, NUMBER = "1101546710000030001", "1107161183026270001"
REGISTRY = DltRegistry(entity=ENTITY, templates={"code.hi": NUMBER}, headers={"default": "EKDIAL", "code": "EKDOTP"})


def test_the_ids_of_a_registered_text():
    assert REGISTRY.find_ids("+919810000001", Template("code", "hi")) == DltIds(ENTITY, NUMBER)
    assert REGISTRY.find_ids("+919810000001", Template("code", "en")) == DltIds(ENTITY, "")
    assert REGISTRY.find_ids("+919810000001", None) == DltIds(ENTITY, "")


def test_other_countries_have_none():
    assert REGISTRY.find_ids("+8801711000001", Template("code", "hi")) is None
    assert not REGISTRY.applies_to("+12025550123")


def test_a_kind_has_its_header_or_the_default():
    assert (REGISTRY.find_header("code"), REGISTRY.find_header("receipt")) == ("EKDOTP", "EKDIAL")
    assert DltRegistry().find_header("code") == ""
