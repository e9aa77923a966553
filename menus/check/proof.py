"""What is proved, and how a fault in it is told: by file and line for words, by screen for the tree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from faults import Fault
from menus.model import Fact, Menu, Texts
from menus.words import Words, file_of
from screens.pages import Budget, Room
from toml_lines import line_of, lines

LATIN_FORMS = frozenset({"en", "bn_Latn", "hi_Latn"})
REFERENCE = "en"
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proved: the tree, its words with their sources, the names it can say, and every form it can ask.

    `budget` is what a screen holds, `sms` what an SMS does; without it nothing is proved of SMS.
    """

    menu: Menu
    words: Mapping[str, Words]
    sources: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Sequence[Fact]] = field(default_factory=dict)
    labels: Iterable[tuple[str, Texts]] = ()
    budget: Budget = field(default_factory=Budget)
    sms: Room | None = None


def in_words(proof: Proof, form: str, key: Key, problem: str, right: str) -> Fault:
    """A fault at the key of a locale."""
    line = line_of(key, lines(proof.sources.get(form, "")))
    return Fault(file_of(form), line, ".".join(key), problem, right)


def meant(name: str, known: Iterable[str]) -> str:
    """What whoever wrote `name` may have meant, as what would be right."""
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else "name one that is there"
