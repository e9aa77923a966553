"""The words for what is answered by SMS: what is typed there stays in the phone, so it is said to delete what is secret."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from menus.model import Menu, Question
from menus.words import Words, for_screens, template

SECRET: Final = frozenset({"pin", "answer", "recovery_1", "aadhaar", "identity"})
"""Facts that somebody else must not find in the phone. A one-time code is none once it is used."""


def for_sms(words: Mapping[str, Words], menu: Menu) -> Mapping[str, Words]:
    """The words of every form, as `menus.words.for_screens` has them, with that advice above every answer that wants it."""
    names = [screen.name for screen in menu.listed if isinstance(screen, Question) and screen.saves in SECRET]
    return {form: _advising(spoken, names) for form, spoken in for_screens(words).items()}


def _advising(words: Words, names: list[str]) -> Words:
    asked = {name: words.screens[name] for name in names}
    texts = {name: f"{screen.text.source}\n{words.common['delete_it']}" for name, screen in asked.items()}
    advised = {name: replace(screen, text=template(texts[name])) for name, screen in asked.items()}
    return replace(words, screens={**words.screens, **advised})
