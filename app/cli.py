"""Build what the commands of operators, payments and departments need. A gateway may run at the same time.

Messages that a command queues are sent by the gateway.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.adapters import (
    AMOUNT_STEPS,
    MAX_CONNECTOR_RESPONSE_BYTES,
    build_connector,
    build_wallet,
    find_pay_bill,
    status_poll_interval,
)
from app.citizen_commands import CitizenCommands, build_citizen_commands
from app.container import build_messages, build_recovery_policy
from app.context import AppContext
from app.keys import open_cipher
from app.localization import build_default_language_lookup
from app.menu import read_catalogue
from app.resources import MAX_RESPONSE_BYTES
from app.texts import build_name_lookups, build_sms_renderer
from config.settings import Settings
from core.crypto import Cipher
from core.errors import CommandError
from core.http.aiohttp_client import open_http_client
from core.phone_numbers import build_supported_number_check
from core.types import TextRenderer
from db.database import Database
from menus.rendering import localization
from providers.registry import open_sim_swap_provider
from services.assisted.activity_report import OperatorActivity
from services.assisted.operators import Operators
from services.audit.audit import AuditLog
from services.catalogue.current import CurrentCatalogue
from services.citizens.accounts import Accounts
from services.citizens.contacts import Contacts
from services.citizens.number_checks import NumberChecks
from services.citizens.number_release import NumberReleases
from services.citizens.pins import SecretHasher
from services.departments.base import Department, TemporaryError
from services.departments.deliveries import DeliveryRepository
from services.departments.registry import BuiltInRegistry
from services.messaging.messages import Messages
from services.payments.cash import CashPayments
from services.payments.ledger import Ledger
from services.payments.notifications import PaymentNotifier
from services.payments.payment_history import PaymentHistories
from services.payments.payment_list import PaymentList
from services.payments.payments import Payments
from services.payments.reconciliation import PaymentReconciler
from services.payments.refunds import Refunds
from services.payments.statement_reconciler import StatementReconciler
from services.payments.unmatched_money import UnmatchedMoney
from services.payments.wallets import daraja, daraja_c2b
from sessions.message_turns import forget_caller
from sessions.redis_store import OpenStore, open_session_store


class CommandContext(NamedTuple):
    """The resources of a command that writes to the database."""

    database: Database
    messages: Messages
    cipher: Cipher
    render_text: TextRenderer
    current_catalogue: CurrentCatalogue
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class LedgerCommands:
    """The services behind `payments`; `zone` is the time zone of its dates, `wallet` the one in use."""

    ledger: Ledger
    listing: PaymentList
    histories: PaymentHistories
    reconciler: StatementReconciler
    payments: Payments
    refunds: Refunds
    cash: CashPayments
    unmatched: UnmatchedMoney
    register_urls: Callable[[], Awaitable[tuple[str, str]]]
    wallet: str
    zone: ZoneInfo

    def find_amount_step(self, wallet: str, currency: str) -> int:
        """Return the smallest amount of a currency that a wallet can pay, in hundredths."""
        return AMOUNT_STEPS.get(wallet, {}).get(currency, 1)


@dataclass(frozen=True, slots=True)
class OperatorCommands:
    """The services behind `operator`. `is_sandbox`: no SMS leaves the machine, so the command prints the PIN."""

    operators: Operators
    activity: OperatorActivity
    find_language: Callable[[str], Awaitable[str]]
    is_supported_number: Callable[[str], bool]
    current_catalogue: CurrentCatalogue
    zone: ZoneInfo
    is_sandbox: bool

    def check_centre(self, code: str) -> None:
        """Check that the catalogue has a centre with this code.

        Raises:
            CommandError: it has none.
        """
        centres = self.current_catalogue.centres.by_code
        if code not in centres:
            nearest = get_close_matches(code, centres, n=1) or sorted(centres)[:1]
            example = f"such as {nearest[0]!r}" if nearest else "once one is in catalogue.centres"
            raise CommandError(f"There is no centre {code!r}; write the code of one that there is, {example}")


class DepartmentState(NamedTuple):
    """Where the applications of a department go, whether it answers, and its deliveries: state to count."""

    code: str
    address: str
    health: str
    waiting: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DepartmentCommands:
    """The services behind `departments`: by code, where the applications of a department go, and its system."""

    departments: Mapping[str, tuple[str, Department]]
    deliveries: DeliveryRepository

    async def check_all(self) -> Sequence[DepartmentState]:
        """The state of every department; all systems are asked at the same time."""
        depth = await self.deliveries.depth()
        healths = await asyncio.gather(*(_check_health(department) for _, department in self.departments.values()))
        return [
            DepartmentState(code, address, health, {it.state: it.rows for it in depth if it.department == code})
            for (code, (address, _)), health in zip(self.departments.items(), healths, strict=True)
        ]


@asynccontextmanager
async def open_ledger_commands(settings: Settings) -> AsyncIterator[LedgerCommands]:
    """Open the services behind `payments`.

    Raises:
        ValidationFailedError: the catalogue or a locale is invalid.
        MigrationsPendingError: the tables are older than this program.
    """
    async with open_command_context(settings) as context:
        yield build_ledger_commands(settings, context)


def build_ledger_commands(settings: Settings, context: CommandContext) -> LedgerCommands:
    """The services behind `payments`, over open resources."""
    notifier = PaymentNotifier(context.messages, context.render_text)
    billers = sorted(context.current_catalogue.catalogue.billers)
    reconciler = PaymentReconciler(context.database, context.cipher, notifier, AuditLog(context.database))
    listing = PaymentList(context.database, context.cipher, billers)
    return LedgerCommands(
        ledger=Ledger(context.database),
        listing=listing,
        histories=PaymentHistories(context.database, listing),
        reconciler=StatementReconciler(context.database, context.zone),
        wallet=settings.payments.wallet,
        payments=Payments(context.database, context.cipher, settings.payments.wallet, notifier),
        refunds=Refunds(context.database, notifier),
        cash=CashPayments(context.database, reconciler),
        unmatched=UnmatchedMoney(context.database, reconciler, notifier, wallet=settings.payments.wallet),
        register_urls=partial(_register_reference_urls, settings, context.database),
        zone=context.zone,
    )


@asynccontextmanager
async def open_operator_commands(settings: Settings) -> AsyncIterator[OperatorCommands]:
    """Open the services behind `operator`.

    Raises:
        ValidationFailedError: the catalogue or a locale is invalid.
        MigrationsPendingError: the tables are older than this program.
    """
    async with open_command_context(settings) as context:
        with closing(SecretHasher(context.cipher)) as hasher:
            yield build_operator_commands(settings, context, hasher)


def build_operator_commands(settings: Settings, context: CommandContext, hasher: SecretHasher) -> OperatorCommands:
    """The services behind `operator`, over open resources."""
    contacts = Contacts(context.database, build_default_language_lookup(settings), offered=settings.languages.offered)
    return OperatorCommands(
        operators=Operators(context.database, context.messages, hasher, context.cipher, context.render_text),
        activity=OperatorActivity(context.database, context.zone),
        find_language=contacts.get_language,
        is_supported_number=build_supported_number_check(settings.countries.allowed),
        current_catalogue=context.current_catalogue,
        zone=context.zone,
        is_sandbox=settings.sms.provider == "sandbox",
    )


@asynccontextmanager
async def open_citizen_commands(settings: Settings) -> AsyncIterator[CitizenCommands]:
    """Open the services behind `citizen`.

    Raises:
        ValidationFailedError: the catalogue or a locale is invalid.
        MigrationsPendingError: the tables are older than this program.
    """
    async with (
        open_command_context(settings) as context,
        _open_store(settings, context.cipher) as store,
        open_sim_swap_provider(settings) as provider,
    ):
        database, cipher = context.database, context.cipher
        with closing(SecretHasher(cipher)) as hasher:
            accounts = Accounts(
                database,
                context.messages,
                hasher,
                cipher,
                context.render_text,
                recovery_policy=build_recovery_policy(settings),
            )
            forget_sessions = partial(forget_caller, store.sessions)
            yield build_citizen_commands(
                settings,
                database=database,
                cipher=cipher,
                messages=context.messages,
                accounts=accounts,
                releases=NumberReleases(database, cipher, forget_sessions=forget_sessions),
                hasher=hasher,
                number_checks=NumberChecks(store.client, cipher.keyed_hash, provider),
                render_text=context.render_text,
            )


@asynccontextmanager
async def open_messages(settings: Settings) -> AsyncIterator[Messages]:
    """Open the messages, for `messages`.

    Raises:
        MigrationsPendingError: the tables are older than this program.
    """
    async with _open_database(settings) as database:
        yield build_messages(settings, database, await open_cipher(settings))


@asynccontextmanager
async def open_department_commands(settings: Settings) -> AsyncIterator[DepartmentCommands]:
    """Open the services behind `departments`.

    Raises:
        ValidationFailedError: the catalogue is invalid.
        MigrationsPendingError: the tables are older than this program.
    """
    codes = sorted(read_catalogue(settings.catalogue).catalogue.departments)
    poll_intervals = {code: status_poll_interval(one) for code, one in settings.departments.items()}
    cipher = await open_cipher(settings)
    async with _open_database(settings) as database, AsyncExitStack() as stack:
        departments = {code: await _open_department(settings, database, code, stack) for code in codes}
        yield DepartmentCommands(departments, DeliveryRepository(database, cipher, poll_intervals))


@asynccontextmanager
async def open_command_context(settings: Settings) -> AsyncIterator[CommandContext]:
    """Open what a command that writes to the database needs; raises as `open_operator_commands` does."""
    current_catalogue = CurrentCatalogue(read_catalogue(settings.catalogue))
    locales = localization.load_locales(build_name_lookups(current_catalogue))
    cipher = await open_cipher(settings)
    async with _open_database(settings) as database:
        yield CommandContext(
            database=database,
            messages=build_messages(settings, database, cipher),
            cipher=cipher,
            render_text=build_sms_renderer(locales, settings),
            current_catalogue=current_catalogue,
            zone=ZoneInfo(settings.countries.time_zone),
        )


def build_command_context(context: AppContext) -> CommandContext:
    """The resources of a gateway that runs, as commands take them: its console does what the commands do."""
    services = context.checked_menu.services
    return CommandContext(
        database=context.resources.database,
        messages=services.messages,
        cipher=context.resources.cipher,
        render_text=build_sms_renderer(context.checked_menu.locales, context.settings),
        current_catalogue=services.current_catalogue,
        zone=ZoneInfo(context.settings.countries.time_zone),
    )


@asynccontextmanager
async def _open_store(settings: Settings, cipher: Cipher) -> AsyncIterator[OpenStore]:
    """The Redis of the gateway. An embedded one is in the gateway's process: this one is empty."""
    redis = settings.redis
    url = redis.url.get_secret_value()
    async with open_session_store(url, cipher, cluster=redis.cluster, deadline=redis.deadline) as store:
        yield store


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    async with Database(settings.database.url.get_secret_value()) as database:
        yield database


async def _open_department(
    settings: Settings, database: Database, code: str, stack: AsyncExitStack
) -> tuple[str, Department]:
    connected = settings.departments.get(code)
    if connected is None:
        return "built-in registry", BuiltInRegistry(database, code)
    client = open_http_client(deadline=connected.deadline, max_bytes=MAX_CONNECTOR_RESPONSE_BYTES)
    return connected.url, build_connector(connected, await stack.enter_async_context(client))


async def _register_reference_urls(settings: Settings, database: Database) -> tuple[str, str]:
    """Register the addresses of payments by reference with M-Pesa, and return them without their token.

    Raises:
        CommandError: nobody pays by reference here, an address has a word that M-Pesa refuses, or M-Pesa rejects them.
    """
    if not find_pay_bill(settings):
        raise CommandError(
            "Nobody pays by reference here; set payments.wallet to daraja and payments.daraja.c2b to true"
        )
    urls = daraja_c2b.build_reference_urls(settings.server.url, settings.webhooks.first_token)
    if word := next(filter(None, map(daraja_c2b.find_forbidden_word, urls)), ""):
        raise CommandError(f"Safaricom refuses addresses with {word!r}; change server.public_url, or the webhook token")
    async with open_http_client(deadline=settings.payments.deadline, max_bytes=MAX_RESPONSE_BYTES) as http:
        wallet = build_wallet(settings, database, http)
        assert isinstance(wallet, daraja.Daraja)  # nosec B101  # noqa: S101 - `find_pay_bill` says so
        if code := await wallet.register_urls(*urls, daraja_c2b.IF_UNREACHABLE):
            raise CommandError(f"M-Pesa did not take the addresses: {code}. In production a change goes by its support")
    validation, confirmation = (url.partition("?")[0] for url in urls)
    return validation, confirmation


async def ask_department(settings: Settings, database: Database, code: str) -> str:
    """Ask the system of a department whether it is there: empty where it answers, otherwise why it does not."""
    async with AsyncExitStack() as stack:
        _, department = await _open_department(settings, database, code, stack)
        try:
            await department.check_health()
        except TemporaryError as error:
            return error.reason
    return ""


async def _check_health(department: Department) -> str:
    try:
        await department.check_health()
    except TemporaryError as error:
        return f"does not answer: {error.reason}"
    return "answers"
