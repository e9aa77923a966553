"""The words by which an option or a row may be chosen: its labels in every locale."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.languages import LATIN_SUFFIX
from menus.model import Facts
from menus.rendering.localization import Locale


@dataclass(frozen=True, slots=True)
class LocaleLabels:
    """The labels of `locales`, by code. A label with placeholders has no words of its own."""

    locales: Mapping[str, Locale]

    def of_options(self, screen: str) -> Mapping[str, Collection[str]]:
        """The labels of each option of a screen, by the option's name."""
        labels: dict[str, set[str]] = {}
        for locale in self.locales.values():
            if texts := locale.screens.get(screen):
                for name, label in texts.options.items():
                    if not label.placeholders:
                        labels.setdefault(name, set()).add(label.source)
        return labels

    def of_row(self, screen: str, row: Facts, language: str) -> Collection[str]:
        """The labels of a row of a list in a language, in its own script and in Latin letters."""
        locales = [self.locales[code] for code in (language, language + LATIN_SUFFIX) if code in self.locales]
        templates = [(locale, locale.screens[screen].row) for locale in locales]
        return {locale.render(template, row) for locale, template in templates if template}
