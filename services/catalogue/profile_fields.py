"""The profile: the keys under which a citizen's answers are stored for later forms, and the field of each.

A field of the catalogue refers to one with `profile = "born"`. The labels and the names of choices are in the locales,
under `[terms.profile]` and `[terms.gender]`.
"""

from collections.abc import Mapping
from typing import Final

from services.catalogue.models import DIGITS_SCHEME, Choice, Field, FieldKind

NAME_KEY: Final = "name"
"""The name of the citizen, which every account has."""
PHONE_KEY: Final = "phone"
"""The MSISDN of the account, which a citizen can neither set nor delete."""


def _profile_field(key: str, kind: FieldKind, *, minimum: int | None = None, maximum: int | None = None) -> Field:
    return Field(name=key, kind=kind, labels={}, least=minimum, most=maximum)


def _identity_field(key: str, scheme: str, *lengths: int) -> Field:
    return Field(name=key, kind="identity", labels={}, scheme=scheme, lengths=lengths)


PROFILE_FIELDS: Final[Mapping[str, Field]] = {
    field.name: field
    for field in (
        _profile_field(NAME_KEY, "name"),
        _profile_field(PHONE_KEY, "phone"),
        Field(name="born", kind="date", labels={}, when="past", least=1900),
        Field(
            name="gender",
            kind="choice",
            labels={},
            choices=tuple(Choice(code, {}) for code in ("female", "male", "other")),
        ),
        _profile_field("father", "name"),
        _profile_field("mother", "name"),
        _profile_field("house", "text", minimum=2, maximum=80),
        _profile_field("area", "text", minimum=2, maximum=60),
        _profile_field("district", "text", minimum=2, maximum=40),
        _profile_field("postcode", "postcode"),
        _identity_field("nid", DIGITS_SCHEME, 10, 13, 17),
        _identity_field("birth_number", DIGITS_SCHEME, 17),
        _identity_field("aadhaar", "in_.aadhaar", 12),
        _identity_field("pan", "in_.pan", 10),
        _identity_field("voter", "in_.epic", 10),
    )
}
"""Every field by its key, in the order of the profile screen."""
IDENTITY_KEYS: Final = frozenset(key for key, field in PROFILE_FIELDS.items() if field.kind == "identity")
"""The keys of identity numbers: only a keyed hash and the last four digits are stored."""
EDITABLE_KEYS: Final = tuple(key for key in PROFILE_FIELDS if key != PHONE_KEY)
"""The keys that a citizen can set and change."""
