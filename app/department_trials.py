"""Build what `departments try` needs. A gateway may run at the same time, and sends the messages that are queued."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.adapters import build_wallet, status_poll_interval
from app.cli import CommandContext, open_command_context
from app.container import build_payable_check
from app.limits import build_beneficiary_guard
from app.localization import build_calendar, build_default_language_lookup, build_department_zones
from app.resources import MAX_RESPONSE_BYTES
from config.settings import Settings
from core.http.aiohttp_client import open_http_client
from services.applications.forms import ApplicationForms
from services.applications.submission import ApplicationSubmission, EnqueueDelivery
from services.audit.audit import AuditLog
from services.catalogue.models import Catalogue
from services.citizens.accounts import Accounts
from services.citizens.contacts import Contacts
from services.citizens.pins import SecretHasher
from services.citizens.profiles import Profiles
from services.departments.api_keys import ApiKeys
from services.departments.deliveries import DeliveryRepository
from services.departments.trials import BuildForms, DepartmentTrials
from services.payments.wallets.base import Wallet
from web.simulator.routes import PAGE_PATH, SAMPLE_MSISDNS


@dataclass(frozen=True, slots=True)
class TrialCommands:
    """The services behind `departments try`. `url` is the gateway's; `simulator_url` is empty where there is no simulator."""

    trials: DepartmentTrials
    catalogue: Catalogue
    url: str
    simulator_url: str


@asynccontextmanager
async def open_trial_commands(settings: Settings) -> AsyncIterator[TrialCommands]:
    """Open the services behind `departments try`.

    Raises:
        ValidationFailedError: the catalogue or a locale is invalid.
        MigrationsPendingError: the tables are older than this program.
    """
    http_client = open_http_client(deadline=settings.payments.deadline, max_bytes=MAX_RESPONSE_BYTES)
    async with open_command_context(settings) as context, http_client as http:
        with closing(SecretHasher(context.cipher)) as hasher:
            trials = build_trials(settings, context, hasher, build_wallet(settings, context.database, http))
            simulator_url = f"{settings.server.url}{PAGE_PATH}" if settings.is_simulator_enabled else ""
            yield TrialCommands(trials, context.current_catalogue.catalogue, settings.server.url, simulator_url)


def build_trials(
    settings: Settings, context: CommandContext, hasher: SecretHasher, wallet: Wallet | None
) -> DepartmentTrials:
    """The trials, over open resources."""
    database, cipher = context.database, context.cipher
    accounts = Accounts(database, context.messages, hasher, cipher, context.render_text)
    contacts = Contacts(database, build_default_language_lookup(settings), offered=settings.languages.offered)
    intervals = {code: status_poll_interval(one) for code, one in settings.departments.items()}
    return DepartmentTrials(
        database=database,
        catalogue=context.current_catalogue,
        api_keys=ApiKeys(database, zone=ZoneInfo(settings.countries.time_zone)),
        accounts=accounts,
        contacts=contacts,
        build_forms=_forms_builder(settings, context, accounts, contacts, wallet),
        enqueue_delivery=DeliveryRepository(database, cipher, intervals).enqueue,
        msisdns=SAMPLE_MSISDNS,
        today=build_calendar(settings),
    )


def _forms_builder(
    settings: Settings, context: CommandContext, accounts: Accounts, contacts: Contacts, wallet: Wallet | None
) -> BuildForms:
    """The forms as in the gateway. The profile of the sample citizen learns nothing from the sample answers."""
    database, current_catalogue = context.database, context.current_catalogue
    is_payable_here = build_payable_check(current_catalogue, wallet)
    guard = build_beneficiary_guard(settings, database)

    def is_payable(service: str, msisdn: str) -> bool:
        currency = current_catalogue.get_service(service).currency
        return wallet is not None and is_payable_here(service) and wallet.can_pay(msisdn, currency)

    def build_forms(enqueue_delivery: EnqueueDelivery) -> ApplicationForms:
        submission = ApplicationSubmission(
            database=database,
            messages=context.messages,
            cipher=context.cipher,
            render_text=context.render_text,
            find_zone=build_department_zones(settings, current_catalogue),
            enqueue_delivery=enqueue_delivery,
            find_language=contacts.get_language,
            beneficiary_guard=guard,
        )
        return ApplicationForms(
            catalogue=current_catalogue,
            profiles=Profiles(database, accounts, AuditLog(database), context.cipher, current_catalogue.document_codes),
            submission=submission,
            beneficiary_guard=guard,
            is_payable=is_payable,
            find_language=contacts.get_language,
            today=build_calendar(settings),
        )

    return build_forms
