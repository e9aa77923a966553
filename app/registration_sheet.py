"""The sheet of the SMS texts that are registered with the operators of India, and what of it is not registered yet."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Final, NamedTuple, TextIO

from app.dlt import build_dlt_registry
from app.localization import replace_not_offered
from config.settings import Settings
from core.languages import DEFAULT_LANGUAGE, language_of_locale
from core.types import Template as MessageTemplate
from menus.rendering.localization import Locale
from menus.rendering.message_templates import Line, Variable, build_form, list_variables, write_form
from menus.rendering.variable_tags import VariableTag, tag_variable
from services.catalogue.current import CurrentCatalogue
from services.messaging.dlt import COUNTRY, find_category
from services.messaging.sms_texts import TEXT_RULES

MARK: Final = "{#var#}"
"""A variable in a registered text, before it gets its tag."""


class RegistrationRow(NamedTuple):
    """One text to register, as a line of the sheet; lists are joined by a comma or a line break.

    `tagged_text` has the tags in the place of the marks, as Airtel, Jio, Vi and BSNL take it; Tata takes `text`, and the tags
    in their order. `same_as` names an earlier row with the same text: it is registered once, and its id is written for both.
    `long` are the variables whose values may be too long for one.
    """

    name: str
    headers: str
    category: str
    text: str
    variables: int
    tags: str
    tagged_text: str
    meanings: str
    long: str
    links: str
    call_back_numbers: str
    same_as: str
    template_id: str


class Whitelist(NamedTuple):
    """What texts may name: the beginning of our links, the help line, and the phones of the service centres."""

    links: str
    helpdesk: str
    centres: Sequence[str]


def build_rows(
    settings: Settings, locales: Mapping[str, Locale], centre_phones: Iterable[str] = ()
) -> Iterator[RegistrationRow]:
    """Every variant of every text in every form that citizens can choose, by text and then by form."""
    first_names: dict[str, str] = {}
    whitelist = Whitelist(settings.server.url, settings.helpdesk.phone, sorted(set(centre_phones)))
    for key in TEXT_RULES:
        for locale in list_forms(settings, locales):
            names = [variable.name for variable in list_variables(locale.sms[key])]
            for omitted in TEXT_RULES[key].list_omissions(names):
                row = _build_row(settings, locale, MessageTemplate(key, locale.code, (), omitted), whitelist)
                first = first_names.setdefault(row.text, row.name)
                yield row if first == row.name else row._replace(same_as=first)


def list_forms(settings: Settings, locales: Mapping[str, Locale]) -> Sequence[Locale]:
    """The locales in which SMS are written, in the order of the language screen, each followed by its Latin letters."""
    spoken = replace_not_offered(locales, settings.languages)
    forms: dict[str, Locale] = {}
    for code in settings.languages.offered:
        latin = language_of_locale(code).latin_locale
        for locale in (spoken[code], spoken.get(latin, spoken[DEFAULT_LANGUAGE])):
            forms.setdefault(locale.code, locale)
    return list(forms.values())


def write_sheet(rows: Iterable[RegistrationRow], file: TextIO) -> int:
    """Write the rows as CSV with a line of column names; return the number of rows."""
    writer, count = csv.writer(file), 0
    writer.writerow(RegistrationRow._fields)
    for row in rows:
        writer.writerow(row)
        count += 1
    return count


def build_sheet(settings: Settings, locales: Mapping[str, Locale], current_catalogue: CurrentCatalogue) -> str:
    """The sheet of the country whose operators register texts."""
    file = StringIO()
    write_sheet(build_rows(settings, locales, list_centre_phones(current_catalogue, COUNTRY)), file)
    return file.getvalue()


def list_centre_phones(current_catalogue: CurrentCatalogue, country: str) -> Sequence[str]:
    """The phones of the service centres in a country, which texts may name."""
    return [centre.phone for centre in current_catalogue.centres.by_code.values() if centre.country == country]


def _build_row(settings: Settings, locale: Locale, template: MessageTemplate, whitelist: Whitelist) -> RegistrationRow:
    registry = build_dlt_registry(settings)
    kinds = TEXT_RULES[template.key].kinds
    form = build_form(locale.sms[template.key], template.omitted)
    tagged = [
        (piece.name, tag_variable(piece, locale.code)) for line in form for piece in line if isinstance(piece, Variable)
    ]
    meanings = {tag.meaning for _, tag in tagged}
    return RegistrationRow(
        name=template.name,
        headers=", ".join(dict.fromkeys(filter(None, map(registry.find_header, kinds)))),
        category=find_category(kinds[0]),
        text=write_form(form, MARK),
        variables=len(tagged),
        tags=", ".join(tag.tag for _, tag in tagged),
        tagged_text=_write_tagged(form, [tag for _, tag in tagged]),
        meanings=", ".join(f"{name}: {tag.meaning}" for name, tag in tagged),
        long=", ".join(name for name, tag in tagged if tag.may_be_long),
        links=whitelist.links if "link" in meanings else "",
        call_back_numbers=", ".join(_find_phones(template.key, whitelist) if "phone" in meanings else ()),
        same_as="",
        template_id=registry.templates.get(template.name, ""),
    )


def _write_tagged(form: Sequence[Line], tags: Sequence[VariableTag]) -> str:
    text = write_form(form, MARK)
    for tag in tags:
        text = text.replace(MARK, f"{{{tag.tag}}}", 1)
    return text


def _find_phones(key: str, whitelist: Whitelist) -> Sequence[str]:
    return whitelist.centres if key == "centre" else (whitelist.helpdesk,)
