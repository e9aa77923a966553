"""No two rows of a list read alike. Field report, section 3: "1 Birth certificate: Received 2 Birth certificate: Received"."""

from datetime import date
from typing import Any

import pytest

from menus.journeys.twin_rows import mark_twins
from menus.model import Facts, ListScreen
from menus.rendering.localization import LOCALE_CODES, Locale
from tests.support.menu_facts import conversation

CATALOGUE = conversation().services.current_catalogue.catalogue
TWIN = {"service": "birth_certificate", "status": "received"}
DOCUMENT = {"document_kind": "PANCR", "document_title": ""}
EVENT = {"event_status": "more_information", "event_day": date(2026, 11, 30).isoformat()}
LISTED = {
    "applications": mark_twins([TWIN] * 3, ["123456789012", "123456780013", "987656780013"]),
    "documents_rows": mark_twins([DOCUMENT] * 2, ["in.gov.pan-PANCR-ABCDE1234F", "in.gov.pan-PANCR-ABCDE1234G"]),
    "history": mark_twins([EVENT] * 2, ["2", "1"]),
}
"""Rows that a step looks up, each with a twin."""
CODES: dict[str, list[Facts]] = {
    "sector": [{"sector": code} for code in CATALOGUE.sectors],
    "office": [{"office": code} for code in CATALOGUE.offices],
    "recipient": [{"recipient": one} for service in CATALOGUE.services.values() for one in service.recipients],
    "service": [{"service": code} for code in CATALOGUE.services],
}
"""Facts with which the lists of the catalogue are read."""
OF_THE_CATALOGUE = (
    *("sectors", "services", "offices", "at_office", "recipients", "sectors_for", "services_for"),
    *("about_sectors", "about_sector", "about_services", "billers"),
)
OF_FACTS = {
    "own_list": "applications",
    "own_list_assisted": "applications",
    "complaint_own_list": "applications",
    "documents_list": "documents_rows",
    "history_list": "history",
}
WITHOUT_TWINS = {
    "centres": "the nearest ones, each a place of its own",
    "found_services": "each with the digits that find it",
    "for_whom": "a few fixed words",
    "change_which": "the questions of one form, numbered in its order",
    "profile_list": "the fields of the profile",
    "papers_list": "kinds of papers, each once",
    "papers_offered": "kinds of papers, each once",
}


def lists() -> list[str]:
    return [screen.name for screen in conversation().menu.screen_list if isinstance(screen, ListScreen)]


def read_rows(name: str, facts: Facts, locale: Locale) -> list[str]:
    screen, template = conversation().menu.screens[name], locale.screens[name].row
    assert isinstance(screen, ListScreen)
    assert template is not None
    return [locale.render(template, row) for row in screen.rows(facts)]


def test_every_list_is_known() -> None:
    """A new list says why two of its rows cannot read alike, or marks them."""
    assert sorted(lists()) == sorted([*OF_THE_CATALOGUE, *OF_FACTS, *WITHOUT_TWINS])


@pytest.mark.parametrize("locale", LOCALE_CODES)
@pytest.mark.parametrize("name", OF_FACTS)
def test_twins_have_a_mark(name: str, locale: str) -> None:
    texts = read_rows(name, LISTED, conversation().locales[locale])
    assert len(set(texts)) == len(texts) > 1, texts


@pytest.mark.parametrize("locale", LOCALE_CODES)
@pytest.mark.parametrize("name", OF_THE_CATALOGUE)
def test_no_two_names_of_a_list_are_the_same(name: str, locale: str) -> None:
    for facts in (row for rows in CODES.values() for row in rows):
        every: dict[str, Any] = {"sector": "", "office": "", "recipient": "", "service": "", **facts}
        try:
            texts = read_rows(name, every, conversation().locales[locale])
        except KeyError:  # a list of something else
            continue
        assert len(set(texts)) == len(texts), texts


def test_only_twins_are_marked_by_as_many_digits_as_they_need() -> None:
    assert [
        row["twin"] for row in mark_twins([TWIN, {**TWIN, "status": "ready"}], ["111111112222", "111111113333"])
    ] == [
        *("", ""),
    ]
    assert [row["twin"] for row in mark_twins([TWIN] * 2, ["123456789012", "123456780013"])] == [" (9012)", " (0013)"]
    assert [row["twin"] for row in mark_twins([TWIN] * 2, ["111122223333", "111144443333"])] == [
        *(" (22223333)", " (44443333)"),
    ]
