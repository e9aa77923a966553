"""What a caller of the walk types: what a screen asks for, or what nobody would type."""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random

from core.validation import Valid
from menus.engine import accepts
from menus.model import Form, Menu, Position, Question
from tests.fuzz.texts import random_text
from tests.support.misspelt_keywords import HELD_OUT_SENTENCES, MISSPELLINGS, ORDINARY_SENTENCES

ANSWERS: Mapping[str, Sequence[str]] = {
    "pin": ("{pin}", "{pin}", "{pin}", "{texted_pin}", "{texted_pin}", "7305", "1234", "739154"),
    "code": ("{code}", "{code}", "{their_code}", "{their_code}", "123456"),
    "answer": ("Comilla 4", "Sonar Bangla", "কুমিল্লা ৪", "x"),
    "recovery_1": ("Sonar Bangla", "Sonar Bangla", "Comilla 4"),
    "number": ("{number}", "{number}", "{older}", "{older}", "100000000002", "123456789012"),
    "typed_number": ("{partner}", "{partner}", "{partner}", "01712345678", "+919812345678"),
    "other": ("{partner}", "01712345678", "9812345678", "0711000001"),
    "aadhaar": ("234123412346", "234123412346", "२३४१ २३४१ २३४६", "111111111111"),
    "identity": ("234123412346", "ABCPE1234F", "19901234567890123", "1234567890", "ABC1234567"),
    "consumer": ("7193582641", "1234567890", "12345678", "100200300", "0000000000"),
    "address": ("amina@example.org", "a.b(at)example.org", "x" * 60 + "@" + "y" * 60 + ".example"),
    "place": ("1216", "Mirpur", "ঢাকা", "110001", "Delhi", "zz"),
    "sought": ("birth", "জন্ম", "पासपोर्ट", "pan", "726", "janm", "zzzz", "tax", "passp"),
    "documents_born": ("21-11-1990", "01012001"),
    "profile_answer": ("Amina Begum", "21-11-1990", "1216", "12 Lake Road", "Mirpur", "110001"),
}
"""Answers to questions, by the fact that stores them."""
ANYTHING: Sequence[str] = (
    *("Amina Begum", "মোসাম্মৎ আমিনা বেগম", "अब्दुल्ला ख़ान", "Abdul Quddus", "21-11-1990", "21112025", "01-01-2027", "15/08/2026"),
    *("12 Lake Road, Mirpur", "234123412346", "ABCPE1234F", "19901234567890123", "1234567890", "ABC1234567", "12345678901234567"),
    *("1", "2", "5", "12", "100", "2500", "1216", "110001", "560001", "2024", "01712345678", "+8801712345678", "9812345678", "0711000001"),
    *("A1234567", "BA1234567", "SBIN0001234", "22AAAAA0000A1Z5", "amina@example.org", "100012345678", "1234567890123", "KA0120110012345"),
    *("MH12AB1234", "PUNB12345670000012345", "12345678901234567890", "123456789012345", "31-12-1950", "01-01-2000", "DL-1420110012345"),
    *("Road 5\nHouse 7", "x" * 160, "আ" * 159, "ক্ষ" * 60, "क्षि" * 50),
)  # fmt: skip
"""Answers that some field of some form accepts."""
JUNK: Sequence[str] = (
    *("", " ", "*", "#", "**", "*#", "1*1", "1#", "0*", "00*00", "000", "0 0", "98", "99", "97", "-1", "+1", "1.0", "1e3", "007"),
    *("০", "००", "১", "९८", "①", "１", "\u200b1", "1\u200d", "٣", "\x00", "\ufeff", "\ufffd", "😀", "👨\u200d👩\u200d👧" * 20, "\u0301" * 200),
    *("x" * 200, "আ" * 200, "क्ष" * 70, "{name}", "{pin:text}", "%s", "' OR 1=1 --", "<b>", "\r\n", "9" * 200, "1 " * 100, "\u202e123"),
    *("None", "null", "true", "[]", "STOP", "MENU", "हाँ", "বাতিল"),
)  # fmt: skip
SMS: Sequence[str] = (
    *("MENU", "HELP", "STATUS {number}", "STATUS", "REG Amina Begum", "REG", "APPLY birth", "APPLY", "SERVICES tax", "SERVICES"),
    *("COMPLAIN nobody came", "COMPLAINT {number} late", "COMPLAINT", "FEEDBACK good", "FEEDBACK", "LANG bangla", "LANG", "APP"),
    *("STATUS {older}", "COMPLAIN {older} late", "PIN", "DOCUMENTS", "OPERATOR", "REG आमिना", "{older}"),
    *("STOP", "START", "REFUSE {number}", "NO {number}", "{number}", "অবস্থা {number}", "মেনু", "मेनू", "आवेदन जन्म", "আবেদন জন্ম"),
)  # fmt: skip
WRITTEN: Sequence[str] = (*SMS, *MISSPELLINGS, *ORDINARY_SENTENCES, *HELD_OUT_SENTENCES)
ATTEMPTS = 12  # answers that are tried for one field


def choose_answer(menu: Menu, position: Position, random: Random, today: date) -> str:
    """An answer to the question at a position, mostly one that it accepts."""
    screen = menu.visible_screen(position)
    if isinstance(screen, Question) and screen.save_as in ANSWERS and random.random() < 0.95:
        return random.choice(ANSWERS[screen.save_as])
    if isinstance(screen, Form):
        fields = screen.fields(position.facts)[position.field_index : position.field_index + 1]
        if fields and fields[0].choices:
            return str(random.randint(1, len(fields[0].choices)))
        if fields and fields[0].labels and random.random() < 0.9:
            fitting = [text for text in ANYTHING if isinstance(fields[0].validate(text, today), Valid)]
            return random.choice(fitting or ANYTHING)
    for _ in range(ATTEMPTS):
        text = random.choice(ANYTHING)
        if accepts(menu, position, text, today):
            return text
    return random.choice(ANYTHING)


def choose_junk(random: Random) -> str:
    """What nobody would type."""
    if random.random() < 0.7:
        return random.choice(JUNK)
    return random_text(random).encode("utf-8", "replace").decode()  # as the readers of webhooks decode it


def choose_sms(random: Random) -> str:
    """What people write by SMS who are in no conversation."""
    return random.choice(SMS) if random.random() < 0.7 else random.choice(WRITTEN)
