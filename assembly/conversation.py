"""Menus over services, proved: nobody hears a screen that does not fit, leads nowhere or is not said in a language."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sms.keywords
from assembly.forms import fields_of
from assembly.ground import Ground
from assembly.journeys import calls_of
from assembly.plan import possible
from assembly.services import Services, services_of
from assembly.texts import names_of
from faults import Broken
from menus import check, words
from menus.model import Menu
from menus.tree import tree
from menus.words import Words
from services.catalogue.load import load
from services.catalogue.model import Catalogue
from settings import Settings
from sms.room import Segments

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Conversation:
    """Menus that were proved, the words they are said in, and the services they reach."""

    menu: Menu
    words: Mapping[str, Words]
    services: Services


def proved(settings: Settings, ground: Ground) -> Conversation:
    """The menus over the services, once nothing is wrong with either.

    Raises:
        Broken: something is, with every fault there is.
    """
    plan = possible(settings)
    sms.keywords.prepare()
    catalogue = load(ROOT / settings.catalogue.folder)
    spoken = words.load_all(names_of(catalogue))
    services = services_of(settings, ground, catalogue, spoken)
    menu = tree(plan, calls_of(services, settings))
    faults = tuple(check.faults(proof_of(menu, catalogue, spoken)))
    if faults:
        raise Broken(faults)
    return Conversation(menu, spoken, services)


def proof_of(menu: Menu, catalogue: Catalogue, spoken: Mapping[str, Words]) -> check.Proof:
    """What is proved. Texts are held to the screen they are written for; on a smaller one they are paged."""
    fields = fields_of(catalogue)
    codes = {
        "service": tuple(catalogue.services),
        "sector": tuple(catalogue.sectors),
        "office": tuple(catalogue.offices),
        "documents": tuple(catalogue.services),
        **{kind: tuple(terms) for kind, terms in spoken["en"].terms.items()},
    }
    labels = [(f"{code}.{field.name}", field.labels) for code in catalogue.services for field in fields(code)]
    sources = {form: (words.LOCALES / f"{form}.toml").read_text(encoding="utf-8") for form in words.FORMS}
    return check.Proof(menu, spoken, sources, codes, labels, sms=Segments())
