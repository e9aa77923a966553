"""A process that holds one bind of SMPP: it waits for the lease of the bind, and serves it for as long as it has that.

It has what every process has that answers callers: menus, services, sessions. It sends the SMS of the provider over its
bind, and takes the SMS and the key presses that are delivered there. Everything else is done by the web processes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import structlog
from aiohttp import web
from prometheus_client import Gauge

from app.admin import build_admin_application, open_metrics
from app.bootstrap import open_context, start_caller_workers
from app.channels import build_short_code_config, build_ussd_handler
from app.context import AppContext
from app.workers import build_sms_outbox, worker_name
from config.settings import Settings
from core.claim_worker import running_worker
from core.logging import error_facts
from core.periodic import PeriodicJob, background, run_periodically
from db.leases import Lease, Leases, LeaseTimes
from providers.smpp import statuses
from providers.smpp.calls import Calls
from providers.smpp.dialects import Dialect
from providers.smpp.link import SmppLink, open_link
from providers.smpp.pdus import Deliver
from providers.smpp.settings import SmppSettings
from providers.smpp.sms import SmppSms, build_text_rules
from providers.smpp.sms_inbound import SmppInbound
from providers.smpp.ussd import INVALID_PARAMETER, SmppUssd
from providers.smpp.ussd_pdus import is_ussd
from services.messaging.inbound import InboundSmsRepository
from services.messaging.inbound_parts import InboundParts
from services.messaging.metrics import OutboxMetrics
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from sms.inbound_worker import InboundWorker
from ussd.admission import Admission
from ussd.routes import UssdHandler
from web.health import NotReadyError

INCOMPLETE_INTERVAL: Final = 60.0  # seconds between looks for long SMS of which a part is missing

RETRY_AFTER: Final = 1.0  # seconds after a failure of ours

log = structlog.get_logger()


class NotBoundError(NotReadyError):
    """This process holds the bind, and the SMSC is not connected; the log has the reason."""


class BindHolder:
    """Holds one bind for as long as this process has its lease, again and again."""

    def __init__(
        self, *, context: AppContext, name: str, inbound: InboundWorker, handler: UssdHandler, leases: Leases
    ) -> None:
        settings = context.settings.provider_section(SmppSettings)
        self._context = context
        self._name = name
        self._bind = settings.binds[name]
        self._password = settings.find_password(name)
        self._dialect = settings.find_dialect(self._bind.ussd)
        self._inbound_worker = inbound
        self._handler = handler
        self._leases = leases
        self._outbox_metrics = OutboxMetrics(context.registry)
        self._calls = Calls(bind=name, store=context.resources.store.sessions, ttl=context.settings.ussd.session_ttl)
        self._link: SmppLink | None = None
        self._stopping = asyncio.Event()
        self._add_gauges()

    async def run(self) -> None:
        """Wait for the lease, serve the bind while it lasts, and wait again, until `stop` is called."""
        while not self._stopping.is_set():
            try:
                await self._hold_once()
            except Exception as error:  # noqa: BLE001 - whatever failed, nobody else may hold the bind
                log.error("smpp_bind_failed", bind=self._name, **error_facts(error))
                await asyncio.sleep(RETRY_AFTER)

    async def _hold_once(self) -> None:
        async with AsyncExitStack() as stack:
            lease = await self._wait_for_lease(stack)
            if lease is not None:
                await self._serve(lease)

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Make `run` finish what is in work, and return."""
        self._stopping.set()

    async def check_bound(self) -> None:
        """Return while the bind is bound, or another process holds it and this one is ready to take over.

        Raises:
            NotBoundError: this process holds the bind, and it is not bound.
        """
        if self._link is not None and self._link.state != "bound":
            raise NotBoundError(f"the bind is {self._link.state}: the log has the reason of the SMSC")

    async def _wait_for_lease(self, stack: AsyncExitStack) -> Lease | None:
        """The lease, which is given back when `stack` is closed; None where `stop` is called first."""
        waiting = asyncio.create_task(stack.enter_async_context(self._leases.hold(f"smpp/{self._name}")))
        await self._wait_for_either(waiting)
        if waiting.done():
            return await waiting
        waiting.cancel()
        await asyncio.wait({waiting})
        return None

    async def _serve(self, lease: Lease) -> None:
        """Serve the bind until the lease is lost, or `stop` is called: then finish what is in work."""
        self._calls.forget_all()
        delivery = BindDelivery(lease)
        async with open_link(
            self._bind, delivery.take, name=self._name, password=self._password, may_submit=lambda: lease.is_held
        ) as link:
            self._link = link
            try:
                async with AsyncExitStack() as stack:
                    await self._start(delivery, link, stack)
                    async with background(lease.wait_until_lost()) as lost:
                        await self._wait_for_either(lost)
                    delivery.is_stopping = True
                    if not lease.is_held:
                        link.abort()
                    await self._handler.finish_pushes()
            finally:
                self._link = None

    async def _wait_for_either(self, task: "asyncio.Task[Any]") -> None:
        """Return when the task is done or `stop` is called."""
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()

    async def _start(self, delivery: "BindDelivery", link: SmppLink, stack: AsyncExitStack) -> None:
        """Start what works over the link: USSD, SMS in, SMS out."""
        if self._dialect is not None:
            delivery.ussd = self._build_ussd(self._dialect, link)
        if self._bind.sms:
            delivery.sms = self._build_inbound()
            job = PeriodicJob(delivery.sms.pass_on_incomplete, "inbound_parts_not_passed_on")
            await stack.enter_async_context(run_periodically(INCOMPLETE_INTERVAL, job))
        if self._bind.sms and self._bind.mode != "receiver":
            context = replace(self._context, sms_providers={SmppSms.name: SmppSms(link)})
            outbox = build_sms_outbox(context, SmppSms.name, self._outbox_metrics)
            await stack.enter_async_context(running_worker(outbox))

    def _build_ussd(self, dialect: Dialect, link: SmppLink) -> SmppUssd:
        return SmppUssd(
            bind=self._name,
            dialect=dialect,
            rules=build_text_rules(self._bind),
            country_code=self._bind.country_code,
            network=self._bind.network,
            config=build_short_code_config(self._context.settings, SmppSettings.provider),
            calls=self._calls,
            handler=self._handler,
            submit=link.submit,
        )

    def _build_inbound(self) -> SmppInbound:
        resources, messages = self._context.resources, self._context.checked_menu.services.messages
        return SmppInbound(
            name=self._name,
            bind=self._bind,
            receive=self._inbound_worker.receive,
            record_report=messages.record_report,
            repository=InboundSmsRepository(resources.database, messages, resources.cipher),
            parts=InboundParts(resources.database, resources.cipher),
            unparsed=UnparsedWebhooks(resources.database, resources.cipher),
        )

    def _add_gauges(self) -> None:
        bound = Gauge(
            "ekdial_smpp_bound", "1 while the bind is bound by this process.", registry=self._context.registry
        )
        held = Gauge("ekdial_smpp_held", "1 while this process holds the bind.", registry=self._context.registry)
        bound.set_function(lambda: float(self._link is not None and self._link.state == "bound"))
        held.set_function(lambda: float(self._link is not None))


class BindDelivery:
    """Gives what is delivered to the one whom it is for. What comes while this process stops is delivered to the next holder."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self.is_stopping = False
        self.ussd: SmppUssd | None = None
        self.sms: SmppInbound | None = None

    async def take(self, deliver: Deliver) -> int:
        """Work on what was delivered, and return the status of the answer."""
        if self.is_stopping or not self._lease.is_held:
            return statuses.RX_T_APPN
        return await (self._take_ussd(deliver) if is_ussd(deliver) else self._take_sms(deliver))

    async def _take_ussd(self, deliver: Deliver) -> int:
        if self.ussd is None:
            return self._refuse("ussd", INVALID_PARAMETER)
        return await self.ussd.on_deliver(deliver)

    async def _take_sms(self, deliver: Deliver) -> int:
        if self.sms is None:
            return self._refuse("sms", statuses.RX_P_APPN)
        return await self.sms.on_deliver(deliver)

    def _refuse(self, channel: str, status: int) -> int:
        log.warning("smpp_channel_not_served", channel=channel, fix="set sms and ussd of the bind as the operator does")
        return status


@asynccontextmanager
async def open_bind(
    settings: Settings, name: str, *, lease_times: LeaseTimes | None = None
) -> AsyncIterator[web.Application]:
    """Hold the bind `name` inside the block, and give the application of its admin server.

    At the end the messages that are being sent and the screens that are being shown are finished. `lease_times`
    replace those that `takeover_after` sets.

    Raises:
        ValidationFailedError: the catalogue, the menus or the locales are invalid.
        EmbeddedStoreError: another process uses the embedded store.
        MigrationsPendingError: the tables are older than this program.
    """
    async with open_context(settings, {}) as context, AsyncExitStack() as stack:
        admission = Admission(settings.ussd.max_in_flight)
        handler = build_ussd_handler(context, admission)
        render_metrics = await stack.enter_async_context(open_metrics(settings, context.registry, is_shared=False))
        await stack.enter_async_context(admission.measuring())
        _, inbound_worker = await start_caller_workers(context, stack)
        database, takeover_after = context.resources.database, settings.provider_section(SmppSettings).takeover_after
        holder = BindHolder(
            context=context,
            name=name,
            inbound=inbound_worker,
            handler=handler,
            leases=Leases(
                database=database,
                holder=worker_name(),
                times=lease_times or LeaseTimes.for_takeover_after(takeover_after),
            ),
        )
        await stack.enter_async_context(running_worker(holder))
        checks = {
            "redis": context.resources.store.sessions.ping,
            "database": database.ping,
            "smpp": holder.check_bound,
        }
        yield build_admin_application(checks, render_metrics, is_draining=lambda: holder.is_stopping)
