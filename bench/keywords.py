"""How well misspelt keywords are told from ordinary sentences, and how long it takes to understand an SMS.

python -m bench.keywords
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from timeit import Timer

from sms.keywords import Meant, understood
from tests.sms.misspelt import LATER_MISSPELT, LATER_ORDINARY, MISSPELT, ORDINARY, names, one_finger, told_apart

LONG = 8  # letters: the slips in longer words are counted together
TIMES = 200
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
    """Print both."""
    _apart("chosen over", MISSPELT, ORDINARY)
    _apart("written later", LATER_MISSPELT, LATER_ORDINARY)
    alone = {word.strip(".,?!") for text in (*ORDINARY, *LATER_ORDINARY) for word in text.casefold().split()}
    back = sum(isinstance(understood(word), Meant) for word in alone)
    print(f"{len(alone)} words of these sentences, each sent alone: {back} are asked back")
    slips = [(min(len(slip), LONG), name in names(understood(slip))) for slip, name in one_finger()]
    for length, of in sorted(Counter(length for length, _ in slips).items()):
        more = " and more" if length == LONG else ""
        print(
            f"one slip of a finger in {length} letters{more}: {slips.count((length, True)) / of:.1%} of {of} told right"
        )
    for what, text in TEXTS.items():
        least = min(Timer(lambda text=text: understood(text)).repeat(5, TIMES)) / TIMES
        print(f"{what}: {least * 1e6:.0f} µs")


def _apart(which: str, misspelt: Mapping[str, str], ordinary: Sequence[str]) -> None:
    told = told_apart(misspelt, ordinary)
    print(f"{which}: {len(misspelt)} misspellings, {told.recall:.1%} told right ({told.first} named first);", end=" ")
    print(f"{len(ordinary)} sentences, {len(told.mistaken)} taken for keywords; precision {told.precision:.1%}")
    for text in told.missed:
        print(f"  missed: {text} ({misspelt[text]})")
    for text in told.mistaken:
        print(f"  mistaken: {text} ({', '.join(names(understood(text)))})")


if __name__ == "__main__":
    main()
