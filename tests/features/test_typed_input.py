"""What people type is understood as they type it: in whole dialogues, by USSD and by SMS.

`tests/unit/menus/test_typed_variants.py` tries the same over every question of the menus.
"""

from collections.abc import Sequence

import pytest

from tests.features.test_profile import open_profile, read_all_pages
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, open_birth_certificate, register
from tests.support.phone import Phone
from tests.support.sms_phone import SmsPhone, open_sms_phone

ZWNJ, ZWJ, ZWSP = "\u200c", "\u200d", "\u200b"
LRM, LRE, PDF, FSI, PDI = "\u200e", "\u202a", "\u202c", "\u2068", "\u2069"

NAMES = (
    ("A.K.M. Fazlul Haque", "A.K.M. Fazlul Haque"),
    ("Mst. Rina (Begum)", "Mst. Rina (Begum)"),
    ("O`Brien", "O'Brien"),
    ("O‘Brien", "O'Brien"),
    ("Sita s/o Ram", "Sita s/o Ram"),
    ("Alam @ Babu", "Alam @ Babu"),
    ("Khan, Rahim", "Khan, Rahim"),
    ("Amina 🙂", "Amina"),
    ("Shamima@", "Shamima"),
    (f"Ami{ZWSP}na", "Amina"),
    ("E", "E"),
)
"""Names as typed and as stored."""
POSTCODES = (
    ("02139", "02139"),
    ("00100", "00100"),
    ("1012 AB", "1012 AB"),
    ("0872", "0872"),
    ("00200", "00200"),
    ("110 001", "110001"),
    ("১২০৭", "1207"),
    ("1207", "1207"),
)
DATES = (
    f"21{ZWNJ}111990",
    f"{LRM}21-11-1990",
    "21–11–1990",
    "21.11.1990",
    "21 11 1990",
    "1990-11-21",
    "২১-১১-১৯৯০",
    "２１１１１９９０",
)
PHONE_NUMBERS = (
    f"{LRE}+8801711000001{PDF}",
    f"{FSI}0171{PDI}1000001",
    "01711‑000001",
    "01711000001",
    "+880 (0) 1711-000001",
)
CHOICES = ("2", f"2{ZWNJ}", "2.", "2)", "(2)", "২)", "02", "2️⃣", "2#", "2 please", "option 2", "Track application")


async def test_names_are_people_s_names_and_what_is_typed_beside_them_is_left_out(phone: Phone) -> None:
    await phone.dial()
    welcome = await phone.enter("1", "5", "1", "Amina 🙂", PIN, PIN, "1", "Mirpur School", "2", "Ayesha")
    assert welcome.startswith("Welcome, Amina.")
    await open_profile(phone)
    for typed, stored in NAMES:
        assert (await phone.enter("4", typed)).startswith(f"Father's name: {stored}\n"), typed
        await phone.enter("1")
    await phone.enter("4")
    for typed in ("=1+1", "amina@evil.example", "http://evil.example", "Amina 2"):
        assert (await phone.enter(typed)).startswith("Please use letters only, or the signs . , - ' / ( )\n"), typed


async def test_postcodes_and_dates_are_kept_as_they_are_meant(phone: Phone) -> None:
    await register(phone)
    listed = await read_all_pages(phone, await open_profile(phone))
    key = next(line.split()[0] for line in listed.splitlines() if "Postcode" in line)
    for typed, stored in POSTCODES:
        assert (await phone.enter(key, typed)).startswith(f"Postcode: {stored}\n"), typed
        await phone.enter("1")
    for typed in DATES:
        assert (await phone.enter("2", typed)).startswith("Date of birth: 21-11-1990\n"), typed
        await phone.enter("1")
    await phone.enter("2")
    for typed in ("21-11-90", "31-02-1990", "11-21-1990", "21-11-2990"):
        assert "1 Go on" not in await phone.enter(typed), typed


async def test_a_form_takes_answers_with_what_nobody_sees_and_words_for_a_choice(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    await phone.enter("Shamima@", f"21{ZWNJ}112025")
    assert (await phone.enter("Female")).startswith("4/5")
    summary = await phone.enter("O`Brien", "Mst. Rina (Begum)")
    summary = await read_all_pages(phone, summary)
    assert "Shamima, 21-11-2025, Female, O'Brien, Mst. Rina (Begum)" in summary


async def test_the_number_of_another_person_is_taken_with_its_marks(phone: Phone) -> None:
    await register(phone)
    for number in PHONE_NUMBERS:
        assert (await phone.enter("00", "1", "1", "1", "1", "2", number)).startswith("1/5"), number
    assert (await phone.enter("00", "1", "1", "1", "1", "2", "0171-CALLNOW")).startswith("That is not a phone number")


@pytest.mark.parametrize("key", ["1", "1#", "1.", "০১", "Find a service"])
async def test_a_choice_is_taken_with_its_signs_and_by_its_words(phone: Phone, key: str) -> None:
    await register(phone)
    assert await phone.enter("00", key) == await phone.enter("00", "1")


async def test_dressed_zeros_go_back_and_home(phone: Phone) -> None:
    await register(phone)
    first = await phone.enter("00", "1")
    assert await phone.enter("1", "0.") == first
    assert await phone.enter("1", "#0") == first
    assert await phone.enter("1", "(00)") == await phone.enter("00")


async def test_yes_confirms(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    await phone.enter("Rahim Uddin", "21112025", "2", "Karim Uddin", "Ayesha Begum")
    await phone.enter("yes")
    assert (await phone.enter(PIN)).startswith("Received. Tracking number ")


async def test_a_menu_by_sms_takes_a_choice_as_people_write_it(sms_phone: SmsPhone) -> None:
    answers = []
    for choice in CHOICES:
        assert (await sms_phone.send_sms("MENU")).startswith("Ekdial"), choice
        answers.append(await sms_phone.send_sms(choice))
    assert len(set(answers)) == 1, answers


async def test_the_question_for_a_number_takes_what_the_keyword_takes(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    async with open_sms_phone(phone.url, "+8801700000002") as friend:
        status = f"Birth certificate\n{number[:4]} {number[4:8]} {number[8:]}\n"
        for typed in write_number_otherwise(number):
            assert "12-digit" in await friend.send_sms("STATUS")
            assert (await friend.send_sms(typed)).startswith(status), typed
            assert (await friend.send_sms(f"STATUS {typed}")).startswith(status), typed


def write_number_otherwise(number: str) -> Sequence[str]:
    groups = [number[:4], number[4:8], number[8:]]
    return (
        f"{number[:4]}{ZWNJ}{number[4:]}",
        f"{FSI}{number}{PDI}",
        "–".join(groups),
        ",".join(groups),
        f"#{number}",
        number[:-1].replace("0", "O").replace("1", "I") + number[-1],
    )


async def test_a_search_does_not_cut_words_at_what_nobody_sees(sms_phone: SmsPhone) -> None:
    plain = await sms_phone.send_sms("সেবা জন্ম")
    assert await sms_phone.send_sms(f"সেবা জন্{ZWNJ}ম") == plain
    await sms_phone.send_sms("LANG EN")
    assert "PAN card" in await sms_phone.send_sms("SERVICES p.a.n.")
