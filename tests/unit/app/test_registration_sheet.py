"""The sheet of texts to register in India, and what `check` says while they are not."""

import csv
import io

import pytest

from app.country_notes import find_providers_to, list_country_notes
from app.registration_sheet import MARK, build_rows, write_sheet
from config.sms import SmsRoute
from menus.rendering.message_templates import build_form, list_variables, write_form
from services.messaging.dlt import find_category
from services.messaging.kinds import RULES
from services.messaging.sms_texts import PARTS, TEXT_RULES
from tests.support.menu_facts import conversation
from tests.support.phone import build_settings

ENTITY, RECEIVED = "1101234567890123456", "1107161234567890123"


@pytest.fixture
def settings(tmp_path):
    return build_settings(tmp_path)


def in_india(settings, **dlt):
    """The settings of a gateway whose SMS an operator of India carries."""
    sms = settings.sms.model_copy(update={"provider": "smpp"})
    given = settings.dlt.model_copy(update=dlt)
    return settings.model_copy(update={"sms": sms, "dlt": given})


def read_sheet(settings):
    file = io.StringIO()
    count = write_sheet(build_rows(settings, conversation().locales, ["+91 11 2000 0001"]), file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert len(rows) == count
    return {row["name"]: row for row in rows}


def test_every_text_is_in_the_sheet_in_every_form(settings):
    keys, sheet = set(conversation().locales["en"].sms) - PARTS, read_sheet(settings)
    assert keys == set(TEXT_RULES)
    for form in ("en", "bn", "bn_Latn", "hi", "hi_Latn"):
        listed = {name.partition(".")[0].partition("-")[0] for name in sheet if name.endswith(f".{form}")}
        assert listed == keys, form


def test_the_names_of_optional_variables_are_those_of_the_texts():
    for key, rule in TEXT_RULES.items():
        names = {variable.name for variable in list_variables(conversation().locales["en"].sms[key])}
        optional = {name for group in rule.groups for alternative in group for name in alternative.split()}
        assert optional <= names, key
        assert set(rule.kinds) <= set(RULES), key


def test_a_row_has_all_that_a_portal_asks(settings):
    sheet = read_sheet(in_india(settings, entity=ENTITY, headers={"default": "EKDIAL"}, templates={"app.en": RECEIVED}))
    assert sheet["app.en"] == {
        "name": "app.en",
        "headers": "EKDIAL",
        "category": "service implicit",
        "text": f"Ekdial: get the app at {MARK} No internet? Dial {MARK}, or send HELP by SMS to {MARK}.",
        "variables": "3",
        "tags": "#url#, #alphanumeric#, #numeric#",
        "tagged_text": "Ekdial: get the app at {#url#} No internet? Dial {#alphanumeric#}, or send HELP by SMS to {#numeric#}.",
        "meanings": "link: link, short_code: text, sms_code: number",
        "long": "",
        "links": settings.server.url,
        "call_back_numbers": "",
        "same_as": "",
        "template_id": RECEIVED,
    }


def test_each_variable_has_the_tag_of_what_it_says(settings):
    sheet = read_sheet(settings)
    received = sheet["received-due-to_pay_at-to_pay_here.en"]
    assert received["meanings"] == (
        "service: text, date: date, number: number, short_code: text, track_key: number, bring_to: text, bring: text"
    )
    assert received["tags"].split(", ")[:3] == ["#alphanumeric#", "#alphanumeric#", "#numeric#"]
    assert received["long"] == "service, bring"
    assert "paid: amount" in sheet["in_doubt.hi"]["meanings"]
    assert "service+biller: text" in sheet["in_doubt.hi"]["meanings"]
    assert (sheet["pin_changed.hi"]["tags"], sheet["pin_changed.hi"]["call_back_numbers"]) == (
        "#cbn#",
        settings.helpdesk.phone,
    )
    assert sheet["centre.en"]["call_back_numbers"] == "+91 11 2000 0001"
    assert "hours: number" in sheet["pin_pending.bn"]["meanings"]
    assert "#numeric#" not in sheet["pin_pending.bn"]["tags"].split(", ")[0], "in Bengali digits"


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("code", "transactional"),
        ("pin", "transactional"),
        ("status", "service explicit"),
        ("receipt", "service implicit"),
        ("document", "service implicit"),
    ],
)
def test_the_category_follows_from_the_rule_of_the_kind(kind, category):
    assert find_category(kind) == category


def test_a_text_that_two_rows_have_is_registered_once(settings):
    sheet = read_sheet(settings)
    assert sheet["status-delivery.hi"]["same_as"] == "status-late.hi", "a line of one variable, whatever it says"
    assert sheet["moved.hi_Latn"]["same_as"] == "moved.en", "a text without words of its own"
    assert sheet["status-late.hi"]["text"] == sheet["status-delivery.hi"]["text"]
    own = [row["text"] for row in sheet.values() if not row["same_as"]]
    assert len(set(own)) == len(own)


def test_a_variant_is_the_text_without_what_it_omits(settings):
    template = conversation().locales["hi"].sms["moved"]
    assert read_sheet(settings)["moved-note.hi"]["text"] == write_form(build_form(template, ("note",)), MARK)


# check -----------------------------------------------------------------------------------------------------------------


def notes(settings):
    return list(list_country_notes(settings, conversation().locales))


def test_nothing_is_said_where_no_provider_needs_it(settings):
    assert notes(settings) == []


def test_the_entity_comes_first(settings):
    (note,) = [one for one in notes(in_india(settings)) if one.startswith("dlt")]
    assert note == "dlt.entity: smpp sends to India, whose operators ask for an entity id; write its 19 digits"


def test_what_is_not_registered_is_named_with_the_key_to_write(settings):
    said = notes(in_india(settings, entity=ENTITY, templates={"own_data.en": RECEIVED}))
    assert said[0] == (
        'dlt.templates: a text is not registered in India, and its SMS wait; write "own_data.bn" = "its id"'
    )
    assert [one for one in said if "more texts are not registered" in one] == [said[10]]
    assert said[11] == 'dlt.headers: SMS to India have no registered header; write default = "its six letters"'


def test_all_is_well_once_every_text_has_an_id(settings):
    names = [row.name for row in build_rows(settings, conversation().locales)]
    given = in_india(settings, entity=ENTITY, templates=dict.fromkeys(names, RECEIVED), headers={"default": "EKDIAL"})
    assert [one for one in notes(given) if one.startswith("dlt")] == []


def test_a_name_of_no_text_is_found(settings):
    said = notes(in_india(settings, entity=ENTITY, templates={"complaint_movd.hi": RECEIVED}))
    assert said[0] == "dlt.templates: 'complaint_movd.hi' is the name of no text; did you mean 'complaint_moved.hi'?"


def test_only_routes_that_lead_to_india_are_asked(settings):
    sms = settings.sms.model_copy(
        update={"provider": "smpp", "routes": (SmsRoute(provider="africastalking", countries=("IN",)),)}
    )
    assert find_providers_to(settings.model_copy(update={"sms": sms}), "IN") == ["africastalking"]
    assert find_providers_to(settings.model_copy(update={"sms": sms}), "BD") == ["smpp"]
    assert find_providers_to(settings.model_copy(update={"sms": sms}), "FR") == []


# Bangladesh ------------------------------------------------------------------------------------------------------------


def test_news_to_bangladesh_are_in_bengali_letters(settings):
    given = in_india(settings)
    assert [one for one in notes(given) if one.startswith("languages")] == []
    languages = settings.languages.model_copy(update={"by_country": {"IN": "hi"}})
    (note,) = [one for one in notes(given.model_copy(update={"languages": languages})) if one.startswith("languages")]
    assert note == (
        "languages.by_country: news to Bangladesh would not be in Bengali letters (status), which its regulator asks for;"
        ' offer "bn", and write BD = "bn"'
    )


def test_codes_and_receipts_come_from_a_name(settings):
    routes = (
        SmsRoute(provider="smpp", countries=("BD",), kinds=("code", "pin"), sender="EKDIAL"),
        SmsRoute(provider="smpp", countries=("BD",), sender="8809612000000"),
    )
    sms = settings.sms.model_copy(update={"routes": routes})
    (note,) = notes(settings.model_copy(update={"sms": sms}))[-1:]
    assert note == (
        "sms.routes: receipt, payment to Bangladesh come from a number (non-masking), which does not reach everybody;"
        " give a route for these kinds a registered name (masking) as its sender"
    )
