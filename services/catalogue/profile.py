"""What a form may ask of the applicant themselves: the keys of a profile, and how each is answered.

A field of the catalogue takes one with `profile = "born"`; what was given once then fills the next form. Labels and the
names of choices stand in the locales, under `[terms.profile]` and `[terms.gender]`.
"""

from collections.abc import Mapping
from typing import Final

from services.catalogue.model import DIGITS, Choice, Field, Kind

NAME: Final = "name"
"""What a citizen is called; it stands with the account, and always does."""
PHONE: Final = "phone"
"""The number that the account is of. It is known, and neither given nor taken back."""


def _is(key: str, kind: Kind, *, least: int | None = None, most: int | None = None) -> Field:
    return Field(name=key, kind=kind, labels={}, least=least, most=most)


def _number(key: str, scheme: str, *lengths: int) -> Field:
    return Field(name=key, kind="identity", labels={}, scheme=scheme, lengths=lengths)


PROFILE: Final[Mapping[str, Field]] = {
    one.name: one
    for one in (
        _is(NAME, "name"),
        _is(PHONE, "phone"),
        Field(name="born", kind="date", labels={}, when="past", least=1900),
        Field(
            name="gender",
            kind="choice",
            labels={},
            choices=tuple(Choice(code, {}) for code in ("female", "male", "other")),
        ),
        _is("father", "name"),
        _is("mother", "name"),
        _is("house", "text", least=2, most=80),
        _is("area", "text", least=2, most=60),
        _is("district", "text", least=2, most=40),
        _is("postcode", "number", least=1000, most=999_999),
        _number("nid", DIGITS, 10, 13, 17),
        _number("birth_number", DIGITS, 17),
        _number("aadhaar", "in_.aadhaar", 12),
        _number("pan", "in_.pan", 10),
        _number("voter", "in_.epic", 10),
    )
}
"""Every key, in the order in which a profile is told."""
IDENTITIES: Final = frozenset(key for key, asked in PROFILE.items() if asked.kind == "identity")
"""Of these only a keyed hash and the last four digits are kept."""
GIVEN: Final = tuple(key for key in PROFILE if key != PHONE)
"""What a citizen can tell and change."""
