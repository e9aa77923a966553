"""Menus over services, proved: nobody hears a screen that does not fit, leads nowhere or is not said in a language."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sms.keywords
from assembly.departments import unknown_departments
from assembly.forms import asked_by
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
from services.catalogue.reading import read
from services.catalogue.shelf import Edition, Shelf
from settings import CatalogueFolder, Settings
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
    shelf = Shelf(edition_of(settings.catalogue))
    if unknown := tuple(unknown_departments(settings, shelf.now.departments)):
        raise Broken(unknown)
    spoken = words.load_all(names_of(shelf))
    services = services_of(settings, ground, shelf, spoken)
    conversation = Conversation(tree(plan, calls_of(services, settings)), spoken, services)
    _refuse(proof_of(conversation.menu, shelf.edition, spoken))
    return conversation


def edition_of(where: CatalogueFolder) -> Edition:
    """What the folders of the catalogue hold now.

    Raises:
        Broken: with every fault of every file.
    """
    return read(*folders_of(where))


def folders_of(where: CatalogueFolder) -> tuple[Path, Path]:
    """Whatever an edition is read from."""
    return (ROOT / where.folder, ROOT / where.centres)


def proved_again(conversation: Conversation, edition: Edition) -> None:
    """Returns where every screen is as it must be with this edition too; it is not in force yet.

    Raises:
        Broken: with everything that is wrong.
    """
    spoken = words.renamed(conversation.words, names_of(Shelf(edition)))
    _refuse(proof_of(conversation.menu, edition, spoken))


def _refuse(proof: check.Proof) -> None:
    faults = tuple(check.faults(proof))
    if faults:
        raise Broken(faults)


def proof_of(menu: Menu, edition: Edition, spoken: Mapping[str, Words]) -> check.Proof:
    """What is proved. Texts are held to the screen they are written for; on a smaller one they are paged."""
    catalogue = edition.catalogue
    codes = {
        "service": tuple(catalogue.services),
        "sector": tuple(catalogue.sectors),
        "office": tuple(catalogue.offices),
        "biller": tuple(catalogue.billers),
        "documents": tuple(catalogue.services),
        "papers": tuple(it.document_codes for it in catalogue.services.values()),
        "bring": tuple(catalogue.services),
        "centre": tuple(edition.centres.by_code),
        "centre_address": tuple(edition.centres.by_code),
        **{kind: tuple(terms) for kind, terms in spoken["en"].terms.items()},
    }
    labels = [
        (f"{code}.{field.name}", field.labels) for code, it in catalogue.services.items() for field in asked_by(it)
    ]
    sources = {form: (words.LOCALES / f"{form}.toml").read_text(encoding="utf-8") for form in words.FORMS}
    return check.Proof(menu, spoken, sources, codes, labels, sms=Segments())
