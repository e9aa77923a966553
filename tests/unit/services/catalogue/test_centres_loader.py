"""Centres near a postcode or in a district, and the errors of their files."""

from pathlib import Path

import pytest

from core.errors import ValidationFailedError
from services.catalogue.centres_loader import load_centres

CENTRES = Path(__file__).parents[4] / "services/catalogue/centres"
FORMS = {"en", "bn", "hi", "bn_Latn", "hi_Latn"}
ONE = """
country = "BD"

[districts.dhaka]
names.en = "Dhaka"

[centres.mirpur]
names.en = "Sample centre Mirpur"
address.en = "House 1, Sample Road"
district = "dhaka"
postcode = "1216"
days = ["sun", "thu"]
opens = "09:00"
closes = "17:00"
phone = "+880 2-55000001"
"""


def test_our_own_are_samples_and_say_so_in_every_language() -> None:
    centres = load_centres(CENTRES).by_code.values()
    assert len(centres) > 20
    assert {centre.country for centre in centres} == {"BD", "IN"}
    assert all(set(centre.names) == set(centre.address) == FORMS for centre in centres)
    assert all(centre.names["en"].startswith("Sample centre ") for centre in centres)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("1216", ["mirpur"]),
        ("১২১৬", ["mirpur"]),
        ("1 2 1 9", ["mirpur"]),
        ("4371", ["patiya"]),
        ("742101", ["berhampore"]),
        ("700 091", ["salt_lake", "behala"]),
        ("Dhaka", ["mirpur", "motijheel", "savar"]),
        ("কলকাতা", ["salt_lake", "behala"]),
        ("jessore", ["jashore_sadar"]),
        ("lakhnau", ["hazratganj"]),
        ("99", []),
        ("9999999", []),
        ("Atlantis", []),
        ("!", []),
        ("", []),
    ],
)
def test_the_nearest_are_found(place: str, found: list[str]) -> None:
    assert [centre.code for centre in load_centres(CENTRES).find_near(place)] == found


def test_of_two_countries_with_postcodes_of_one_length_the_callers_own_counts(tmp_path: Path) -> None:
    (tmp_path / "bd.toml").write_text(ONE, encoding="utf-8")
    abroad = ONE.replace('"BD"', '"AU"').replace("dhaka", "perth").replace("mirpur", "perth_1").replace("1216", "1219")
    (tmp_path / "au.toml").write_text(abroad, encoding="utf-8")
    centres = load_centres(tmp_path)
    assert [centre.code for centre in centres.find_near("1218", "BD")] == ["mirpur"]
    assert [centre.code for centre in centres.find_near("1218", "AU")] == ["perth_1"]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert load_centres(tmp_path / "nowhere").find_near("1216") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"1216"',
            "1216",
            '11: centres.mirpur.postcode: 1216 is not a postcode; write its digits in quotes, such as "1216"',
        ),
        ('"thu"', '"thursday"', "12: centres.mirpur.days: 'thursday' is not two days; write the first and the last"),
        ('"17:00"', '"08:00"', "14: centres.mirpur.closes: 08:00 is not after 09:00; write the later time here"),
        ('"17:00"', '"5 pm"', "14: centres.mirpur.closes: '5 pm' is not a time of day; write it as"),
        (
            '"+880 2-55000001"',
            '"02"',
            "15: centres.mirpur.phone: '02' is not a phone number; write it with its country",
        ),
        (
            '"dhaka"',
            '"daka"',
            "10: centres.mirpur.district: 'daka' is not known; write one that stands under [districts]",
        ),
        ("opens = ", "open = ", "13: centres.mirpur.open: is not a key that is known here; did you mean opens?"),
        ('names.en = "Dhaka"', 'names.bn = "ঢাকা"', "5: districts.dhaka.names.en: is missing; write it in quotes"),
        ("House 1", "1 House", "9: centres.mirpur.address.en: begins like a menu's own number; begin with a word"),
        ('days = ["sun"', 'days = ["sun', "12: is not TOML: "),
    ],
)
def test_a_broken_file_says_where_what_is_wrong_and_what_would_be_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    assert ONE.count(old) == 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bd.toml").write_text(ONE.replace(old, new), encoding="utf-8")
    with pytest.raises(ValidationFailedError) as broken:
        load_centres(tmp_path)
    assert any(str(fault).startswith(f"bd.toml:{said}") for fault in broken.value.problems), str(broken.value)


def test_a_code_in_two_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(ONE, encoding="utf-8")
    with pytest.raises(ValidationFailedError, match=r"two.toml:7: centres.mirpur: is in one.toml too"):
        load_centres(tmp_path)


def test_the_wording_of_a_centre_is_checked(tmp_path: Path) -> None:
    text = ONE.replace(
        'address.en = "House 1', 'address.bn = "বাড়ি ১।"\naddress.hi_Latn = "Makaan 1"\naddress.en = "House 1'
    )
    (tmp_path / "bd.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ValidationFailedError) as broken:
        load_centres(tmp_path)

    assert [(fault.line, fault.key, fault.fix) for fault in broken.value.problems] == [
        (9, "centres.mirpur.address.bn", "end with another word, or write two lines"),
        (10, "centres.mirpur.address.hi_Latn", "write makan"),
    ]
