"""What a variable of a registered text may hold, in the words of the operators of India.

The tags are those that msg91.com/help/dlt-registration-in-india/variable-tagging-on-dlt-sms-templates and
fast2sms.com/help name for 2026: #numeric# takes digits alone, #url# and #cbn# what is whitelisted, #alphanumeric# the rest,
also dates, and amounts with the sign of their currency.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from core.language_files import ASCII_DIGITS
from core.languages import LANGUAGES
from menus.rendering.message_templates import Variable

Meaning: TypeAlias = Literal["date", "amount", "number", "link", "phone", "text"]
Tag: TypeAlias = Literal["#numeric#", "#alphanumeric#", "#url#", "#cbn#"]

MAX_LENGTH: Final = 40
"""Characters that the value of one variable may have, as msg91.com names it for 2026; older pages say 30."""

_BY_FORMATTER: Final[Mapping[str, Meaning]] = {
    "date": "date",
    "money": "amount",
    "tracking": "number",
    "count": "number",
}
_BY_FACT: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(("code", "pin", "number", "complaint", "sms_code"), "number"),
    **dict.fromkeys(("keypad", "track_key", "bills_key", "pay_bill", "postcode"), "number"),
    "link": "link",
    "phone": "phone",
}
"""The facts that a text names without a format."""
_TAGS: Final[Mapping[Meaning, Tag]] = {
    "date": "#alphanumeric#",
    "amount": "#alphanumeric#",
    "number": "#numeric#",
    "link": "#url#",
    "phone": "#cbn#",
    "text": "#alphanumeric#",
}
_LONG_FORMATTERS: Final = frozenset(
    {"texts", "list", "papers", "bring", "documents", "service", "centre_address", "unpaid", "refund", "delivery"}
)
_OWN_DIGITS: Final = frozenset(language.code for language in LANGUAGES if language.digits != ASCII_DIGITS)


class VariableTag(NamedTuple):
    """What a variable holds, its tag, and whether its value may be longer than MAX_LENGTH."""

    meaning: Meaning
    tag: Tag
    may_be_long: bool


def tag_variable(variable: Variable, locale_code: str) -> VariableTag:
    """The tag of a variable in a locale: one that writes digits of its own has no #numeric# but for what a phone types."""
    meaning = _find_meaning(variable)
    tag = _TAGS[meaning]
    formatters = {formatter for _, formatter in variable.placeholders}
    if tag == "#numeric#" and "count" in formatters and locale_code in _OWN_DIGITS:
        tag = "#alphanumeric#"
    return VariableTag(meaning, tag, bool(formatters & _LONG_FORMATTERS))


def _find_meaning(variable: Variable) -> Meaning:
    if len(variable.placeholders) > 1:
        return "text"
    ((name, formatter),) = variable.placeholders
    return _BY_FACT.get(name, "text") if formatter == "text" else _BY_FORMATTER.get(formatter, "text")
