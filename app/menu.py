"""Build the menu over the services and check it: a screen that fails a check is never served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from app.container import Services, build_services
from app.localization import build_time_formatter
from app.menu_plan import find_unknown_departments, validated_plan
from app.message_facts import derive_message_facts
from app.resources import Resources
from app.sms_routing import build_code_names
from app.texts import build_name_lookups
from config.settings import CatalogueSettings, NetworkSettings, Settings, UssdSettings
from core.errors import Problem, ValidationFailedError
from core.languages import DEFAULT_LANGUAGE, LOCALE_CODES
from core.phone_numbers import build_supported_number_check
from menus.journeys.services import JourneyServices
from menus.model import Menu
from menus.rendering import localization
from menus.rendering.labels import LocaleLabels
from menus.rendering.localization import Locale
from menus.rendering.paging import ScreenBudget
from menus.tree import build_menu_tree
from menus.validation import check, fact_names
from menus.validation.report import LocaleKey
from menus.validation.screen_facts import derive_screen_facts
from services.audit.audit import act_as_operator
from services.catalogue.current import CatalogueSnapshot, CurrentCatalogue
from services.catalogue.edition_loader import load_snapshot
from services.catalogue.form_fields import CatalogueFormField, build_form_fields
from services.catalogue.profile_fields import PROFILE_FIELDS
from sms.conversation_size import SegmentLimit
from sms.keywords import parser as keyword_parser

ROOT = Path(__file__).parent.parent
DEFAULT_BUDGET: Final = ScreenBudget()


@dataclass(frozen=True, slots=True)
class CheckedMenu:
    """A menu that passed every check, its locales, and its services."""

    menu: Menu
    locales: Mapping[str, Locale]
    services: Services
    smallest_budget: ScreenBudget = DEFAULT_BUDGET


def build_menu(settings: Settings, resources: Resources) -> CheckedMenu:
    """The checked menu over the services.

    Raises:
        ValidationFailedError: lists every problem of the settings, the catalogue, the menu and its texts.
    """
    plan = validated_plan(settings)
    keyword_parser.warm_up()
    current_catalogue = CurrentCatalogue(read_catalogue(settings.catalogue))
    if unknown := tuple(find_unknown_departments(settings, current_catalogue.catalogue.departments)):
        raise ValidationFailedError(unknown)
    locales = localization.load_locales(build_name_lookups(current_catalogue))
    services = build_services(settings, resources, current_catalogue, locales)
    menu = build_menu_tree(plan, build_journey_services(services, settings), LocaleLabels(locales))
    smallest_budget = find_smallest_budget(settings.ussd)
    _raise_if_invalid(build_menu_definition(menu, current_catalogue.snapshot, locales, smallest_budget))
    return CheckedMenu(menu, locales, services, smallest_budget)


def build_journey_services(services: Services, settings: Settings) -> JourneyServices:
    """Everything that the steps of the menu call."""
    payments = services.payments
    return JourneyServices(
        accounts=services.accounts,
        act_as_operator=act_as_operator,
        app_links=services.app_links,
        application_forms=services.application_forms,
        application_status=services.application_status,
        billers=payments.billers,
        bills=payments.bills,
        cash=payments.cash,
        catalogue=services.current_catalogue,
        codes=services.codes,
        complaint_status=services.complaints.status,
        complaints=services.complaints.submission,
        consents=services.consents,
        contacts=services.contacts,
        deliveries=services.deliveries,
        document_sign_ins=services.document_sign_ins,
        documents=services.documents,
        drafts=services.drafts,
        emails=services.emails,
        fees=payments.fees,
        find_sms_code=build_code_names(settings).sms.find,
        format_time_of_day=build_time_formatter(settings),
        info_messages=services.info_messages,
        is_supported_number=build_supported_number_check(settings.countries.allowed),
        listings=services.listings,
        number_checks=services.number_checks,
        operators=services.operators,
        opt_outs=services.opt_outs,
        privacy=services.privacy,
        profile_fields={key: CatalogueFormField(field) for key, field in PROFILE_FIELDS.items()},
        profiles=services.profiles,
        tracking=services.tracking,
        verdicts=services.complaints.verdicts,
        withdrawals=services.withdrawals,
        answers=services.answers,
    )


def read_catalogue(settings: CatalogueSettings) -> CatalogueSnapshot:
    """The catalogue in the folders as they are now.

    Raises:
        ValidationFailedError: lists every problem of every file.
    """
    return load_snapshot(*catalogue_folders(settings))


def catalogue_folders(settings: CatalogueSettings) -> tuple[Path, Path]:
    """The folders of services and of centres."""
    return (ROOT / settings.folder, ROOT / settings.centres)


def derive_text_facts(menu: Menu, locales: Mapping[str, Locale]) -> Mapping[LocaleKey, frozenset[str]]:
    """The names of the facts of each text of the menu and of each message."""
    return {**derive_screen_facts(menu), **derive_message_facts(locales[DEFAULT_LANGUAGE])}


def check_menu(checked_menu: CheckedMenu, snapshot: CatalogueSnapshot) -> None:
    """Check the menu with another snapshot of the catalogue before it replaces the current one.

    Raises:
        ValidationFailedError: lists every problem.
    """
    locales = localization.with_names(checked_menu.locales, build_name_lookups(CurrentCatalogue(snapshot)))
    _raise_if_invalid(build_menu_definition(checked_menu.menu, snapshot, locales, checked_menu.smallest_budget))


def find_fact_problems(checked_menu: CheckedMenu) -> list[Problem]:
    """Every placeholder of a text that names no fact of its screen or message."""
    snapshot = checked_menu.services.current_catalogue.snapshot
    definition = build_menu_definition(checked_menu.menu, snapshot, checked_menu.locales, checked_menu.smallest_budget)
    facts = derive_text_facts(checked_menu.menu, checked_menu.locales)
    return [
        problem
        for code in LOCALE_CODES
        for problem in fact_names.find_fact_problems(replace(definition, facts=facts), code)
    ]


def _raise_if_invalid(definition: check.MenuDefinition) -> None:
    """Raise if something is wrong. Only then, because it takes a while, the facts of each text are derived to say what.

    Raises:
        ValidationFailedError: lists every problem.
    """
    if any(check.find_problems(definition)):
        facts = derive_text_facts(definition.menu, definition.locales)
        raise ValidationFailedError(check.find_problems(replace(definition, facts=facts)))


def build_menu_definition(
    menu: Menu,
    snapshot: CatalogueSnapshot,
    locales: Mapping[str, Locale],
    smallest_budget: ScreenBudget = DEFAULT_BUDGET,
) -> check.MenuDefinition:
    """The input of the checks. Screens must fit the default budget; on a smaller screen those are paged that may be."""
    catalogue = snapshot.catalogue
    codes = {
        "service": tuple(catalogue.services),
        "sector": tuple(catalogue.sectors),
        "office": tuple(catalogue.offices),
        "biller": tuple(catalogue.billers),
        "documents": tuple(catalogue.services),
        "papers": tuple(service.document_codes for service in catalogue.services.values()),
        "bring": tuple(catalogue.services),
        "centre": tuple(snapshot.centres.by_code),
        "centre_address": tuple(snapshot.centres.by_code),
        **{kind: tuple(terms) for kind, terms in locales["en"].terms.items()},
    }
    labels = [
        (f"{code}.{field.name}", field.labels)
        for code, service in catalogue.services.items()
        for field in build_form_fields(service)
    ]
    sources = {
        code: (localization.LOCALES_FOLDER / f"{code}.toml").read_text(encoding="utf-8") for code in LOCALE_CODES
    }
    return check.MenuDefinition(
        menu, locales, sources, codes, labels, sms_limit=SegmentLimit(), smallest_budget=smallest_budget
    )


def find_smallest_budget(ussd: UssdSettings) -> ScreenBudget:
    """The smallest screen of any network, in septets and in units."""
    screens: Sequence[UssdSettings | NetworkSettings] = (ussd, *ussd.networks.values())
    return ScreenBudget(
        min(screen.screen_septets for screen in screens if screen.screen_septets is not None),
        min(screen.screen_units for screen in screens if screen.screen_units is not None),
    )
