"""Proves every screen before it is served: that the tree leads somewhere, that every language says all of it, that it fits.

Refused: a name that leads nowhere, a screen nobody can reach, a step's way that is not mapped,
a text that is missing, left over or says other facts than the English one, `CON`, `END` or option digits written into a
text, and a screen that is over its budget with the longest facts it is likely to say.
"""

from collections.abc import Iterator

from faults import Fault
from menus.check.proof import Proof
from menus.check.sizes import sizes
from menus.check.texts import keys_said, texts
from menus.check.tree import tree
from menus.words import FORMS

__all__ = ["Proof", "faults"]


def faults(proof: Proof) -> Iterator[Fault]:
    """Everything that is wrong, one fault a place."""
    in_the_tree = list(tree(proof.menu))
    yield from in_the_tree
    for form in FORMS:
        in_the_words = [*keys_said(proof, form), *texts(proof, form)]
        yield from in_the_words
        if not in_the_tree and not in_the_words:
            yield from sizes(proof, form)
