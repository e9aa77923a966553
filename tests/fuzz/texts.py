"""Texts that nobody would write, and the checks of what reads a text: keywords, and SMS segments."""

from collections.abc import Callable, Sequence
from random import Random
from unicodedata import normalize

import regex
import smsutil

from core.gsm7 import BASIC_CHARACTERS, EXTENSION_CHARACTERS, count_septets, count_utf16_units
from menus.keywords import KEYWORD_NAMES
from sms.keywords.parser import KeywordRequest, KeywordSuggestions, parse_keyword, warm_up
from sms.keywords.vocabulary import get_vocabulary
from sms.segments import fold_to_gsm7, measure, split_segments
from tests.support.misspelt_keywords import HELD_OUT_MISSPELLINGS, HELD_OUT_SENTENCES, MISSPELLINGS, ORDINARY_SENTENCES

MAX_TEXT_LENGTH = 4000  # characters of a text; most are far shorter

warm_up()  # so that no input's time has it
WORDS = [
    *(word.spelling for word in get_vocabulary().words.values()),
    *(word.spelling for word in get_vocabulary().languages.values()),
    *(*MISSPELLINGS, *ORDINARY_SENTENCES, *HELD_OUT_MISSPELLINGS, *HELD_OUT_SENTENCES),
    *("1234 5678 9012", "১২৩৪৫৬৭৮৯০১২", "१२३४ ५६७८ ९०१२", "O", "l23", "+8801700000001", "12:30", "😀", "👍🏽", "👨\u200d👩\u200d👧", "🇧🇩"),
]  # fmt: skip
ODD = [
    *("\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066", "\ufeff", "\u00ad", "\ufe0f", "\u20e3", "\ufffd", "\x00", "\x1b"),
    *("\u0301", "\u093c", "\u09bc", "\u09cd", "\u094d", "\u09be", "\u093f", "\u1100", "\u1161", "\u0e33", "\U000e0020", "\ud83d", "\ude00"),
    *("’", "“", "—", "…", "\u00a0", "«", "»", "₹", "৳", "ç", "é", "€", "[", "~", "\\", "\f", "\r\n", "\n", "\u2028", "\t", "#", "+", "*"),
    *("İ", "ß", "ﬁ", "①", "½", "٣", "𝟗", "Ａ", "ব\u09bc", "অা", "एे"),
]  # fmt: skip


def random_text(random: Random) -> str:
    """Words of the vocabulary and ordinary words, separated or not, then mutated; sometimes very long."""
    said = random.choice(("", " ", " ", "\n", "#", "-")).join(random.choices(WORDS, k=random.randint(0, 6)))
    for _ in range(random.choice((0, 0, 1, 2, 5))):
        said = random.choice(MUTATIONS)(said, random)[:MAX_TEXT_LENGTH]
    return said


def random_gsm_text(random: Random) -> str:
    """GSM-7 characters, about as many as fit into one or two segments."""
    return "".join(
        random.choices(
            BASIC_CHARACTERS + EXTENSION_CHARACTERS * 4, k=random.choice((5, 150, 153, 160, 161, 306, 307, 700))
        )
    )


def random_long_text(random: Random) -> str:
    """A text of any kind, repeated until it takes several segments."""
    made = random.choice((random_text, random_gsm_text))(random)
    return (made * random.randint(1, 4))[: MAX_TEXT_LENGTH // 2]


def _insert(said: str, random: Random) -> str:
    at = random.randint(0, len(said))
    new = random.choice(ODD) if random.random() < 0.7 else chr(random.randrange(0x11_0000))
    return said[:at] + new * random.choice((1, 1, 1, 2, 60)) + said[at:]


def _cut_piece(said: str, random: Random) -> str:
    first, last = sorted(random.choices(range(len(said) + 1), k=2))
    return said[:first] + said[last:]


def _swap_pieces(said: str, random: Random) -> str:
    at = random.randint(0, len(said))
    return said[at:] + said[:at]


def _repeat_piece(said: str, random: Random) -> str:
    return said * random.choice((2, 2, 3, 50))


def _change_case(said: str, random: Random) -> str:
    return random.choice((str.upper, str.swapcase, str.title))(said)


def _change_normalization(said: str, random: Random) -> str:
    return normalize(random.choice(("NFC", "NFD", "NFKC", "NFKD")), said)


MUTATIONS: Sequence[Callable[[str, Random], str]] = (
    _insert,
    _insert,
    _cut_piece,
    _swap_pieces,
    _repeat_piece,
    _change_case,
    _change_normalization,
)


async def check_keyword(text: str) -> object:
    """The result is valid; STOP has no other words beside it; other normalisation forms give the same result."""
    answer = parse_keyword(text)
    assert keyword_names(parse_keyword(normalize("NFC", text))) == keyword_names(answer)
    if isinstance(answer, KeywordSuggestions):
        assert 0 < len(answer.names) == len(answer.words) == len(set(answer.names)) <= 3
    if isinstance(answer, KeywordRequest):
        assert answer.language in {"en", "bn", "hi"}
        assert answer.rest == answer.rest.strip()
        if answer.name == "stop":
            assert not answer.rest
            assert not regex.search(r"\p{Nd}", text[:200]), "a number beside it"
    assert set(keyword_names(answer)) <= set(KEYWORD_NAMES)
    return keyword_names(answer), type(answer).__name__, getattr(answer, "language", "")


def keyword_names(answer: KeywordRequest | KeywordSuggestions | None) -> tuple[str, ...]:
    """The keywords that a result names."""
    return answer.names if isinstance(answer, KeywordSuggestions) else (answer.name,) if answer else ()


async def check_segments(text: str) -> object:
    """The parts make the text, each fits, no grapheme is cut, and there are not fewer than another library counts."""
    sent, cut, size = fold_to_gsm7(text), split_segments(text), measure(text)
    cost = count_utf16_units if size.alphabet == "ucs2" else lambda part: count_septets(part) or 0
    assert "".join(cut) == sent
    assert len(cut) == size.segments
    assert all(0 < cost(part) <= size.units_per_segment for part in cut)
    assert not _begins(cut) & _inside(sent, lambda grapheme: cost(grapheme) <= size.units_per_segment)
    if sent and "\x1b" not in sent:
        assert len(smsutil.split(sent).parts) <= size.segments
    return size.alphabet, size.segments


def _begins(cut: Sequence[str]) -> set[int]:
    return {sum(map(len, cut[:place])) for place in range(1, len(cut))}


def _inside(text: str, whole: Callable[[str], bool]) -> set[int]:
    found = regex.finditer(r"\X", text)
    return {at for grapheme in found if whole(grapheme[0]) for at in range(grapheme.start() + 1, grapheme.end())}
