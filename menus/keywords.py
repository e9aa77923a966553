"""The SMS keywords: one row a keyword. The words of each are in `sms/keywords/words/`, its screens in the journeys.

To add a keyword, see docs/how-to/add-a-keyword.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ArgumentKind: TypeAlias = Literal[
    "nothing",  # any further word makes it a sentence, not the keyword
    "repeated",  # nothing, or the keyword once more
    "tracking_number",  # a tracking number; else the rest of the line
    "tracking_number_alone",  # a tracking number; with anything else it is not the keyword
    "name",  # a person's name
    "line",  # the rest of the line
    "payment",  # a tracking number, wherever it stands; else a short line
    "short_line",  # the rest of the line, of at most three words
    "text",  # everything that follows
    "polite_text",  # everything that follows, unless it contains only courtesies
    "complaint",  # everything that follows, with a tracking number first
    "numbered_text",  # a tracking number first, then everything that follows; a sentence without one is not the keyword
    "language",  # the name of a language
]
"""How the text after a keyword is read. See `sms.keywords.arguments.ARGUMENT_PARSERS`."""

TailKind: TypeAlias = Literal["nothing", "number", "few_words", "language", "anything"]
"""What may follow a misspelt keyword. Sentences begin with words that look like a keyword; they are no keyword."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A keyword, how the text after it is read, and the screen at which it enters the menus.

    Without a screen, `sms.inbound_handler` answers the keyword. `interrupts`: the keyword is a command even where a screen
    asks for a text, if it stands alone, or if a number follows it. `is_common_word`: people use the word for other things,
    so the keyword is never suggested.
    """

    name: str
    argument: ArgumentKind
    misspelt_before: TailKind = "nothing"
    screen: str = ""
    interrupts: Literal["never", "alone", "with_number"] = "never"
    is_common_word: bool = False


KEYWORDS: Final = (
    Keyword(
        name="status",
        argument="tracking_number",
        misspelt_before="number",
        screen="texted_status",
        interrupts="with_number",
    ),
    Keyword(name="reg", argument="name", misspelt_before="few_words", screen="texted_register"),
    Keyword(name="pin", argument="nothing", screen="recover"),
    Keyword(
        name="apply", argument="line", misspelt_before="few_words", screen="texted_apply", interrupts="with_number"
    ),
    Keyword(name="services", argument="short_line", misspelt_before="few_words", screen="texted_services"),
    Keyword(name="documents", argument="short_line", screen="documents_start"),
    Keyword(name="pay", argument="payment", misspelt_before="number", screen="texted_pay", interrupts="with_number"),
    Keyword(name="complain", argument="complaint", misspelt_before="anything", screen="texted_complaint"),
    Keyword(
        name="answer",
        argument="numbered_text",
        misspelt_before="number",
        screen="texted_answer",
        interrupts="with_number",
    ),
    Keyword(name="feedback", argument="text", misspelt_before="anything", screen="texted_feedback"),
    Keyword(name="app", argument="short_line"),
    Keyword(name="menu", argument="short_line", screen="main", interrupts="alone"),
    Keyword(name="lang", argument="language", misspelt_before="language", screen="texted_language"),
    Keyword(name="refuse", argument="tracking_number_alone", screen="texted_refusal", is_common_word=True),
    Keyword(name="help", argument="polite_text", interrupts="alone"),
    Keyword(name="stop", argument="repeated"),
    Keyword(name="start", argument="nothing", interrupts="alone"),
    Keyword(name="operator", argument="nothing", screen="operator"),
)

KEYWORD_BY_NAME: Final[Mapping[str, Keyword]] = {keyword.name: keyword for keyword in KEYWORDS}
KEYWORD_NAMES: Final = tuple(KEYWORD_BY_NAME)
KEYWORD_SCREENS: Final = tuple(keyword.screen for keyword in KEYWORDS if keyword.screen)
