"""Clock times in every locale, and the problems of the table that they come from."""

from collections.abc import Mapping

import pytest

from core.errors import ValidationFailedError
from core.languages import LOCALE_CODES
from menus.rendering.localization import Locale, load_locale, load_locales, parse_template
from menus.validation.screen_size import longest_sample_facts
from menus.validation.translations import find_key_problems
from tests.support.small_menu import LOCALE_SOURCES, build_report

FULL_HOURS = {
    "en": "12 midnight, 1 am, 2 am, 3 am, 4 am, 5 am, 6 am, 7 am, 8 am, 9 am, 10 am, 11 am, "
    "12 noon, 1 pm, 2 pm, 3 pm, 4 pm, 5 pm, 6 pm, 7 pm, 8 pm, 9 pm, 10 pm, 11 pm",
    "bn": "রাত ১২টা, রাত ১টা, রাত ২টা, রাত ৩টা, ভোর ৪টা, ভোর ৫টা, সকাল ৬টা, সকাল ৭টা, সকাল ৮টা, সকাল ৯টা, সকাল ১০টা, "
    "সকাল ১১টা, দুপুর ১২টা, দুপুর ১টা, দুপুর ২টা, বিকেল ৩টা, বিকেল ৪টা, বিকেল ৫টা, সন্ধ্যা ৬টা, সন্ধ্যা ৭টা, রাত ৮টা, রাত ৯টা, "
    "রাত ১০টা, রাত ১১টা",
    "hi": "रात 12 बजे, रात 1 बजे, रात 2 बजे, रात 3 बजे, सुबह 4 बजे, सुबह 5 बजे, सुबह 6 बजे, सुबह 7 बजे, सुबह 8 बजे, "
    "सुबह 9 बजे, सुबह 10 बजे, सुबह 11 बजे, दोपहर 12 बजे, दोपहर 1 बजे, दोपहर 2 बजे, दोपहर 3 बजे, शाम 4 बजे, शाम 5 बजे, "
    "शाम 6 बजे, शाम 7 बजे, रात 8 बजे, रात 9 बजे, रात 10 बजे, रात 11 बजे",
    "bn_Latn": "raat 12ta, raat 1ta, raat 2ta, raat 3ta, bhor 4ta, bhor 5ta, sokal 6ta, sokal 7ta, sokal 8ta, sokal 9ta, "
    "sokal 10ta, sokal 11ta, dupur 12ta, dupur 1ta, dupur 2ta, bikel 3ta, bikel 4ta, bikel 5ta, sondha 6ta, sondha 7ta, "
    "raat 8ta, raat 9ta, raat 10ta, raat 11ta",
    "hi_Latn": "raat 12 baje, raat 1 baje, raat 2 baje, raat 3 baje, subah 4 baje, subah 5 baje, subah 6 baje, "
    "subah 7 baje, subah 8 baje, subah 9 baje, subah 10 baje, subah 11 baje, dopahar 12 baje, dopahar 1 baje, "
    "dopahar 2 baje, dopahar 3 baje, shaam 4 baje, shaam 5 baje, shaam 6 baje, shaam 7 baje, raat 8 baje, raat 9 baje, "
    "raat 10 baje, raat 11 baje",
}
HALF_PAST_NINE = {
    "en": ("9:30 am", "9:30 pm"),
    "bn": ("সকাল ৯:৩০টা", "রাত ৯:৩০টা"),
    "hi": ("सुबह 9:30 बजे", "रात 9:30 बजे"),
    "bn_Latn": ("sokal 9:30ta", "raat 9:30ta"),
    "hi_Latn": ("subah 9:30 baje", "raat 9:30 baje"),
}


@pytest.fixture(scope="module")
def locales() -> Mapping[str, Locale]:
    return load_locales({kind: lambda code, _: code for kind in ("service", "office")})


def render_clock(locale: Locale, time_of_day: str | None) -> str:
    return locale.render(parse_template("{until:clock}"), {"until": time_of_day})


@pytest.mark.parametrize("code", LOCALE_CODES)
def test_each_full_hour_has_its_part_of_the_day(locales: Mapping[str, Locale], code: str) -> None:
    assert [render_clock(locales[code], f"{hour:02}:00") for hour in range(24)] == FULL_HOURS[code].split(", ")


@pytest.mark.parametrize("code", LOCALE_CODES)
def test_minutes_are_kept(locales: Mapping[str, Locale], code: str) -> None:
    assert (render_clock(locales[code], "09:30"), render_clock(locales[code], "21:30")) == HALF_PAST_NINE[code]


@pytest.mark.parametrize(
    ("time_of_day", "expected"),
    [("00:01", "12:01 am"), ("11:59", "11:59 am"), ("12:01", "12:01 pm"), ("23:59", "11:59 pm")],
)
def test_only_the_exact_hour_is_noon_or_midnight(
    locales: Mapping[str, Locale], time_of_day: str, expected: str
) -> None:
    assert render_clock(locales["en"], time_of_day) == expected


def test_an_offset_stays_behind_the_time(locales: Mapping[str, Locale]) -> None:
    assert render_clock(locales["en"], "13:35 (GMT+5:30)") == "1:35 pm (GMT+5:30)"
    assert render_clock(locales["hi"], "13:35 (GMT+5:30)") == "दोपहर 1:35 बजे (GMT+5:30)"


def test_no_time_is_an_empty_text(locales: Mapping[str, Locale]) -> None:
    assert render_clock(locales["bn"], None) == render_clock(locales["bn"], "") == ""


# The table -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('"00:00" = "{time} am"\n"5 pm" = "{time} pm"', "this is not a time of day"),
        ('"00:00" = "{time} am"\n"24:00" = "{time} pm"', "this is not a time of day"),
        ('"06:00" = "{time} am"', "the time after midnight has no text"),
    ],
)
def test_a_table_that_does_not_cover_the_day_is_refused(table: str, problem: str) -> None:
    with pytest.raises(ValidationFailedError, match=problem):
        load_locale("en", f"[terms.clock]\n{table}\n", {})


def test_every_locale_divides_the_day_in_its_own_way() -> None:
    parts = dict.fromkeys(LOCALE_CODES, '\n[terms.clock]\n"00:00" = "{time} a"\n')
    parts["hi"] += '"04:00" = "{time} b"\n"20:00" = "{time} c"\n'
    report = build_report(sources={code: source + parts[code] for code, source in LOCALE_SOURCES.items()})
    assert [list(find_key_problems(report, code)) for code in LOCALE_CODES] == [[]] * len(LOCALE_CODES)


def test_the_size_of_a_screen_is_measured_with_the_longest_time() -> None:
    clock = '\n[terms.clock]\n"00:00" = "{time} am"\n"18:00" = "{time} in the evening"\n'
    sources = {
        code: source.replace('text = "Call {phone}"', 'text = "Call {phone} until {until:clock}"') + clock
        for code, source in LOCALE_SOURCES.items()
    }
    assert longest_sample_facts(build_report(sources=sources), "en")["until"] == "22:59"
