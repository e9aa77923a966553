"""Locales for replies by SMS: a typed SMS stays in the phone, so questions for secrets advise the sender to delete it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from menus.model import Menu, Question
from menus.rendering.localization import Locale, build_screen_locales, parse_template

SECRET_FACTS: Final = frozenset({"pin", "answer", "recovery_1", "aadhaar", "identity"})
"""Facts that nobody else may find in the phone. A used one-time code is not one."""


def build_sms_locales(locales: Mapping[str, Locale], menu: Menu) -> Mapping[str, Locale]:
    """The locales of `localization.build_screen_locales`, with that advice in every question for a secret."""
    names = [
        screen.name for screen in menu.screen_list if isinstance(screen, Question) and screen.save_as in SECRET_FACTS
    ]
    return {form: _with_delete_advice(locale, names) for form, locale in build_screen_locales(locales).items()}


def _with_delete_advice(locale: Locale, names: list[str]) -> Locale:
    questions = {name: locale.screens[name] for name in names}
    texts = {name: f"{screen.text.source}\n{locale.common['delete_it']}" for name, screen in questions.items()}
    advised = {name: replace(screen, text=parse_template(texts[name])) for name, screen in questions.items()}
    return replace(locale, screens={**locale.screens, **advised})
