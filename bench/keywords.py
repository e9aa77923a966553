"""Measure what happens to the phrases that people send, how well misspelt keywords are told from sentences, and the time.

python -m bench.keywords
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from timeit import Timer

from sms.keywords.parser import KeywordSuggestions, parse_keyword
from tests.support.keyword_phrases import PHRASES, PhraseOutcome, judge_phrase
from tests.support.misspelt_keywords import (
    HELD_OUT_MISSPELLINGS,
    HELD_OUT_SENTENCES,
    MISSPELLINGS,
    ORDINARY_SENTENCES,
    keyword_names,
    measure_recognition,
    single_typos,
)

LONG_WORD = 8  # letters; longer words are counted together
REPEATS = 200
TEXTS = {
    "a keyword and a number": "STATUS 1234 5678 9012",
    "a Bengali complaint": "অভিযোগ ১২৩৪৫৬৭৮৯০১২ রাস্তা খারাপ অনেক দিন",
    "a misspelt keyword": "abedhon 106",
    "a sentence": "When will the office in our ward open tomorrow, please?",
    "2,000 characters": "কখন খুলবে? " * 182,
    "one word of 2,000 letters": "a" * 2000,
    "2,000 accents": "a" + "\u0301" * 1999,
}


def main() -> None:
    """Print the three measurements."""
    _print_phrases()
    _print_recognition("chosen over", MISSPELLINGS, ORDINARY_SENTENCES)
    _print_recognition("written later", HELD_OUT_MISSPELLINGS, HELD_OUT_SENTENCES)
    alone = {
        word.strip(".,?!") for text in (*ORDINARY_SENTENCES, *HELD_OUT_SENTENCES) for word in text.casefold().split()
    }
    back = sum(isinstance(parse_keyword(word), KeywordSuggestions) for word in alone)
    print(f"{len(alone)} words of these sentences, each sent alone: {back} are asked back")
    slips = [(min(len(slip), LONG_WORD), name in keyword_names(parse_keyword(slip))) for slip, name in single_typos()]
    for length, of in sorted(Counter(length for length, _ in slips).items()):
        more = " and more" if length == LONG_WORD else ""
        print(
            f"one slip of a finger in {length} letters{more}: {slips.count((length, True)) / of:.1%} of {of} told right"
        )
    for what, text in TEXTS.items():
        least = min(Timer(lambda text=text: parse_keyword(text)).repeat(5, REPEATS)) / REPEATS
        print(f"{what}: {least * 1e6:.0f} µs")


def _print_phrases() -> None:
    judged = [(judge_phrase(meaning, text), meaning, text) for meaning, texts in PHRASES.items() for text in texts]
    counts = Counter(outcome for outcome, _, _ in judged)
    print(f"{len(judged)} phrases: {', '.join(f'{counts[outcome]} {outcome}' for outcome in PhraseOutcome)}")
    for wanted in (PhraseOutcome.WRONG_ACTION, PhraseOutcome.NOT_UNDERSTOOD):
        for outcome, meaning, text in judged:
            if outcome is wanted:
                print(f"  {outcome}: {text} ({meaning})")


def _print_recognition(label: str, misspelt: Mapping[str, str], ordinary: Sequence[str]) -> None:
    told = measure_recognition(misspelt, ordinary)
    print(f"{label}: {len(misspelt)} misspellings, {told.recall:.1%} told right ({told.first} named first);", end=" ")
    print(f"{len(ordinary)} sentences, {len(told.mistaken)} taken for keywords; precision {told.precision:.1%}")
    for text in told.missed:
        print(f"  missed: {text} ({misspelt[text]})")
    for text in told.mistaken:
        print(f"  mistaken: {text} ({', '.join(keyword_names(parse_keyword(text)))})")


if __name__ == "__main__":
    main()
