"""The facts that each SMS, e-mail and refusal can have, derived from the code that sends it."""

import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Final

from app import texts
from menus.rendering.localization import Locale
from menus.validation.code_facts import OWN_PACKAGES, find_module_names
from menus.validation.report import LocaleKey

_MESSAGE_TABLES: Final = ("sms", "mail", "refused", "common")


def derive_message_facts(locale: Locale) -> Mapping[LocaleKey, frozenset[str]]:
    """The names of the facts of each message: the strings of the modules that name it, and of those next to them.

    A module is next to another if one of the two imports something of the other: facts are made by one and sent by the other.
    """
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in OWN_PACKAGES}
    strings = {name: find_module_names(module) for name, module in modules.items()}
    imported = {name: _imported_modules(module) & modules.keys() for name, module in modules.items()}
    always = find_module_names(texts)
    facts: dict[LocaleKey, frozenset[str]] = {}
    for table, keys in zip(
        _MESSAGE_TABLES, (locale.sms, locale.mail, locale.validation_messages, locale.common), strict=True
    ):
        for key in keys:
            senders = _find_senders(key, strings)
            facts[table, key] = always.union(*(strings[name] for name in _with_neighbours(senders, imported)))
    return facts


def _find_senders(key: str, strings: Mapping[str, frozenset[str]]) -> set[str]:
    """The modules that name a message; if none does, those that name the beginning of it, as in `f"unpaid_{kind}"`."""
    senders = {name for name, known in strings.items() if key in known}
    beginnings = {key[: place + 1] for place, letter in enumerate(key) if letter == "_"}
    return senders or {name for name, known in strings.items() if beginnings & known}


def _imported_modules(module: ModuleType) -> set[str]:
    """The modules that the values of a module come from."""
    return {_name_module(value) for value in vars(module).values()}


def _name_module(value: object) -> str:
    """The name of a module, or of the module of what stands in one. A logger is not asked for `__name__`: that binds it."""
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))


def _with_neighbours(senders: Iterable[str], imported: Mapping[str, set[str]]) -> set[str]:
    senders = set(senders)
    importers = {name for name, used in imported.items() if used & senders}
    return senders.union(importers, *(imported[name] for name in senders))
