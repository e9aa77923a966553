"""The background workers of the gateway: outbox, e-mail, payments, deliveries to departments.

Each `run_*` is a context manager: the worker runs inside the block, and its rows in flight are finished at the end.
"""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from email.headerregistry import Address
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from app.adapters import MAX_CONNECTOR_RESPONSE_BYTES, build_connector
from app.container import ComplaintServices, PaymentServices
from app.context import AppContext
from app.dlt import find_dlt_registry
from app.sms_routing import concurrency, segments_per_second
from config.settings import MailSettings, Settings
from core.claim_worker import running_worker
from core.crypto import Cipher
from core.errors import KeyPath, ValidationFailedError
from core.http.aiohttp_client import open_http_client
from core.metrics import CounterExporter, CounterSpec
from core.periodic import PeriodicJob, background, run_periodically
from core.types import utc_now
from mail.message import EmailTemplate, InvalidAddressError, parse_sender
from mail.smtp import SmtpProvider, SmtpServer
from services.assisted.consents import Consents
from services.catalogue.usage import ServiceUsage
from services.departments.circuit_breaker import DepartmentCircuit
from services.departments.delivery_supervisor import MAINTENANCE_INTERVAL, POLL_INTERVAL, DeliverySupervisor
from services.departments.delivery_worker import DeliveryWorker
from services.departments.metrics import DeliveryMetrics
from services.departments.status_polling import StatusPoller
from services.menu_traffic.counter import MoveCounter
from services.messaging.messages import Messages
from services.messaging.metrics import OutboxMetrics
from services.messaging.outbox import Outbox
from services.messaging.throttle import Throttle
from services.payments.worker import PaymentWorker
from services.privacy.metrics import RetentionMetrics
from services.privacy.retention import DataRetention
from services.privacy.silent_numbers import SilentNumbers
from sessions.live_sessions import WRITE_INTERVAL, LiveSessions
from sms.segments import fold_characters, fold_to_gsm7
from web.health import NotReadyError

# Seconds that payment requests in flight get at a stop. A request that M-Pesa took, and whose answer is lost, cannot be
# queried later.
PAYMENT_GRACE_PERIOD: Final = 12.0
DELIVERY_GRACE_PERIOD: Final = 10.0  # seconds that deliveries in flight get at a stop; later ones are sent again
# Seconds between looks where no department is connected: deliveries to a department that was connected may still wait.
UNCONNECTED_INTERVAL: Final = 60.0

USAGE_INTERVAL: Final = 3600.0  # seconds between two counts of the most used services; they change at midnight
USAGE_TIMEOUT: Final = 60.0  # seconds
MOVE_COUNTS_INTERVAL: Final = 15.0  # seconds; what was counted since is lost where a process is killed
ESCALATION_INTERVAL: Final = 60.0  # seconds
CONSENT_INTERVAL: Final = 60.0  # seconds
CALLER_ACTIVITY_INTERVAL: Final = 60.0  # seconds
UNWRITTEN_LANGUAGES_INTERVAL: Final = 5.0  # seconds until a choice is written that the database did not take
SILENT_NUMBERS_INTERVAL: Final = 600.0  # seconds
RETENTION_DELAY: Final = 30.0  # seconds after a start; the first calls of a process that starts under load come first
RETENTION_INTERVAL: Final = 300.0  # seconds
RETENTION_TIMEOUT: Final = 240.0  # seconds for one run; a rule that is cut short goes on in the next one
RETENTION_PAUSE: Final = timedelta(seconds=270)  # no process runs a rule again sooner


MAX_DUE: Final = timedelta(minutes=5)  # far longer than a process that took over needs


class SmsNotTakenError(NotReadyError):
    """SMS wait for a provider's own process, which seems not to run: start it."""


class SmsSuspendedError(NotReadyError):
    """No SMS is sent until a person fixes the account at the provider; the outbox's log has the reason."""


def export_report_metrics(messages: Messages, registry: CollectorRegistry) -> None:
    """Count the delivery reports that this process records."""
    description = "Delivery reports by what they say became of the SMS; a provider may report one twice."
    CounterExporter(registry, CounterSpec("ekdial_sms_reports", description, "status", messages.report_counts))


def build_sms_outboxes(context: AppContext) -> Mapping[str, Outbox]:
    """Return the SMS outboxes of this process by the names of their providers."""
    metrics = OutboxMetrics(context.registry)
    return {name: build_sms_outbox(context, name, metrics) for name in context.sms_providers}


def build_sms_outbox(context: AppContext, provider_name: str, metrics: OutboxMetrics | None = None) -> Outbox:
    """Return the outbox that sends the SMS of one provider of `context.sms_providers`.

    Without `metrics` it gets metrics of its own: the registry takes them once.
    """
    settings, provider = context.settings, context.sms_providers[provider_name]
    return Outbox(
        context.checked_menu.services.messages,
        provider,
        queue=provider_name,
        throttle=Throttle(segments_per_second(settings, provider_name)),
        metrics=metrics or OutboxMetrics(context.registry),
        prepare_text=fold_to_gsm7,
        prepare_variable=fold_characters,
        dlt=find_dlt_registry(settings, provider_name),
        worker=worker_name(),
        concurrency=concurrency(settings, provider_name),
        grace_period=provider.send_deadline + 5,
    )


async def check_not_suspended(outbox: Outbox) -> None:
    """Return while SMS are sent.

    Raises:
        SmsSuspendedError: sending is suspended.
    """
    if outbox.suspension_reason:
        raise SmsSuspendedError(f"no SMS is sent until somebody mends the account: {outbox.suspension_reason}")


async def check_queue_moves(messages: Messages, provider_name: str) -> None:
    """Return while the process that sends this provider's SMS takes them from the queue.

    Raises:
        SmsNotTakenError: the oldest one that is due has waited for MAX_DUE.
    """
    if (age := await messages.longest_wait(provider_name)) > MAX_DUE:
        minutes = int(age.total_seconds() // 60)
        raise SmsNotTakenError(
            f"SMS have waited for {minutes} minutes: the process of this provider does not take them"
        )


@asynccontextmanager
async def run_payment_worker(payment_services: PaymentServices) -> AsyncIterator[None]:
    """Run the payment worker, if a wallet is configured."""
    if payment_services.wallet is None:
        yield
        return
    worker = PaymentWorker(
        payments=payment_services.payments,
        refunds=payment_services.refunds,
        wallet=payment_services.wallet,
        jobs=[payment_services.bills.post_due],
    )
    async with running_worker(worker, PAYMENT_GRACE_PERIOD):
        yield


@asynccontextmanager
async def run_department_deliveries(context: AppContext) -> AsyncIterator[None]:
    """Run a delivery worker for each connected department, each with an HTTP client of its own."""
    services = context.checked_menu.services
    workers: list[DeliveryWorker] = []
    pollers: list[StatusPoller] = []
    async with AsyncExitStack() as stack:
        for code, connector in context.settings.departments.items():
            opening = open_http_client(deadline=connector.deadline, max_bytes=MAX_CONNECTOR_RESPONSE_BYTES)
            circuit = DepartmentCircuit(
                code,
                build_connector(connector, await stack.enter_async_context(opening)),
                services.deliveries.unreachable,
                probe_interval=connector.health_check_interval,
            )
            worker = DeliveryWorker(
                circuit,
                services.deliveries,
                worker=worker_name(),
                concurrency=connector.concurrency,
                grace_period=DELIVERY_GRACE_PERIOD,
            )
            workers.append(worker)
            if connector.poll_minutes:
                pollers.append(StatusPoller(circuit, services.deliveries, services.department_applications.move))
        supervisor = DeliverySupervisor(
            services.deliveries,
            workers,
            pollers,
            poll_interval=POLL_INTERVAL if workers else UNCONNECTED_INTERVAL,
            maintenance_interval=MAINTENANCE_INTERVAL if workers else UNCONNECTED_INTERVAL,
        )
        DeliveryMetrics(context.registry, supervisor)
        await stack.enter_async_context(background(supervisor.run()))
        yield


@asynccontextmanager
async def run_email_worker(
    settings: Settings, messages: Messages, cipher: Cipher, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Run the e-mail outbox, if a mail server is configured.

    Raises:
        ValidationFailedError: mail.certificates cannot be used, or an address in the settings is not valid.
    """
    if not settings.mail.host:
        yield
        return
    smtp = _build_smtp_provider(settings, cipher)
    CounterExporter(
        registry,
        CounterSpec("ekdial_mail_sends", "Attempts to send an e-mail, by outcome.", "outcome", smtp.send_counts),
    )
    async with smtp, running_worker(_build_email_outbox(settings.mail, messages, smtp)):
        yield


@asynccontextmanager
async def track_usage(usage: ServiceUsage) -> AsyncIterator[None]:
    """Count the most used services before the block begins, and from time to time inside it.

    Where the first count fails, lists keep the order of the catalogue until the next one.
    """
    job = PeriodicJob(usage.refresh, "service_usage_count_failed", USAGE_TIMEOUT)
    await job.run_once()
    async with run_periodically(USAGE_INTERVAL, job, initial_delay=USAGE_INTERVAL):
        yield


@asynccontextmanager
async def count_live_sessions(live_sessions: LiveSessions) -> AsyncIterator[None]:
    """Count the sessions under way while the block lasts."""
    async with run_periodically(WRITE_INTERVAL, PeriodicJob(live_sessions.write, "live_sessions_not_counted")):
        yield


@asynccontextmanager
async def write_move_counts(counter: MoveCounter) -> AsyncIterator[None]:
    """Write the moves between screens from time to time while the block lasts, and a last time at its end."""
    job = PeriodicJob(counter.write_pending, "move_counts_not_written")
    async with run_periodically(MOVE_COUNTS_INTERVAL, job, initial_delay=MOVE_COUNTS_INTERVAL):
        yield
    await job.run_once()


@asynccontextmanager
async def run_escalation(complaint_services: ComplaintServices) -> AsyncIterator[None]:
    """Escalate overdue complaints and send feedback digests while the block lasts."""
    jobs = [PeriodicJob(complaint_services.escalation.escalate_overdue, "complaint_escalation_failed")]
    if complaint_services.digests:
        jobs.append(PeriodicJob(complaint_services.digests.queue_due, "feedback_digest_failed"))
    async with run_periodically(ESCALATION_INTERVAL, *jobs):
        yield


@asynccontextmanager
async def expire_consents(consents: Consents) -> AsyncIterator[None]:
    """End visits whose time is over while the block lasts; the citizens get a summary."""
    async with run_periodically(CONSENT_INTERVAL, PeriodicJob(consents.expire, "consent_expiry_failed")):
        yield


@asynccontextmanager
async def run_retention(context: AppContext) -> AsyncIterator[None]:
    """End records that have been stored long enough, while the block lasts; see `[retention]` in config.toml."""
    retention = DataRetention(
        context.resources.database,
        context.settings.retention.days(),
        metrics=RetentionMetrics(context.registry),
        interval=RETENTION_PAUSE,
    )
    job = PeriodicJob(retention.delete_expired, "retention_failed", RETENTION_TIMEOUT)
    async with run_periodically(RETENTION_INTERVAL, job, initial_delay=RETENTION_DELAY):
        yield


@asynccontextmanager
async def release_silent_numbers(context: AppContext) -> AsyncIterator[None]:
    """Release silent numbers, and delete released accounts that nobody claims, while the block lasts."""
    services, settings = context.checked_menu.services, context.settings
    days = settings.accounts.release_after_days
    silent_numbers = SilentNumbers(
        database=context.resources.database,
        releases=services.number_releases,
        delete_account=services.privacy.delete_account,
        release_after=timedelta(days=days) if days else None,
        delete_after=timedelta(days=settings.retention.released_numbers),
    )
    seen = PeriodicJob(services.caller_activity.write_pending, "caller_activity_not_written")
    chosen = PeriodicJob(services.accounts.languages.write_pending, "languages_not_written")
    jobs = (
        PeriodicJob(silent_numbers.release_due, "silent_numbers_not_released", RETENTION_TIMEOUT),
        PeriodicJob(silent_numbers.delete_unclaimed, "released_accounts_not_deleted", RETENTION_TIMEOUT),
    )
    async with (
        run_periodically(CALLER_ACTIVITY_INTERVAL, seen, initial_delay=CALLER_ACTIVITY_INTERVAL),
        run_periodically(UNWRITTEN_LANGUAGES_INTERVAL, chosen, initial_delay=UNWRITTEN_LANGUAGES_INTERVAL),
        run_periodically(SILENT_NUMBERS_INTERVAL, *jobs, initial_delay=SILENT_NUMBERS_INTERVAL),
    ):
        yield


def _build_email_outbox(mail: MailSettings, messages: Messages, smtp: SmtpProvider) -> Outbox:
    grace_period = 2 * mail.deadline + 5  # an e-mail may need a second connection
    return Outbox(
        messages,
        smtp,
        worker=f"{worker_name()}:mail",
        medium="email",
        concurrency=mail.concurrency,
        grace_period=grace_period,
    )


def _build_smtp_provider(settings: Settings, cipher: Cipher) -> SmtpProvider:
    mail = settings.mail
    password = mail.password.get_secret_value()
    server = SmtpServer(mail.host, mail.port, mail.security, mail.username, password, mail.certificates, mail.deadline)
    try:
        return SmtpProvider(server, _build_email_template(settings), partial(cipher.keyed_hash, "letter"), utc_now)
    except OSError as error:
        problem = f"{mail.certificates} cannot be used: {error.strerror or error}"
        fix = "name a PEM file of certificates"
        raise ValidationFailedError([settings.problem_at(("mail", "certificates"), problem, fix)]) from None


def _build_email_template(settings: Settings) -> EmailTemplate:
    key = ("mail", "reply_to") if settings.mail.reply_to else ("helpdesk", "email")
    reply_to = _parse_mailbox(settings, key, settings.mail.reply_to or settings.helpdesk.email)
    return EmailTemplate(_parse_mailbox(settings, ("mail", "sender"), settings.mail.sender), reply_to.addr_spec)


def _parse_mailbox(settings: Settings, key: KeyPath, text: str) -> Address:
    try:
        return parse_sender(text)
    except InvalidAddressError:
        problem, fix = f"{text!r} is no e-mail address", "write one such as help@example.org"
        raise ValidationFailedError([settings.problem_at(key, problem, fix)]) from None


def worker_name() -> str:
    """Return the name that claimed rows carry: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"
