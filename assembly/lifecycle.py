"""Opens the gateway and closes it: every client, what is proved over them, what works beside the routes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, disable_created_metrics

from assembly.application import Workers, application
from assembly.assist import lapsing
from assembly.catalogue import following_use
from assembly.complaints import pursued
from assembly.conversation import Conversation, proved
from assembly.delivering import delivering
from assembly.documents import swept
from assembly.gateway import Gateway, guard_of
from assembly.ground import laid, tables_ready, unused
from assembly.mail import posting
from assembly.payments import tilled
from assembly.reloading import reloading
from assembly.sms_in import conversations_of, reception_of
from assembly.sms_out import carrier, outbox_of
from settings import Settings
from sms.outbox import at_work
from sms.reception import at_reception


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[web.Application]:
    """The application with every client behind it open. Leaving it finishes the SMS in the air and closes them all.

    Raises:
        Broken: the catalogue, the menus or their words are not as they must be.
        NotAlone, TablesBehind: something outside is not.
    """
    async with laid(settings) as ground, carrier(settings) as provider, AsyncExitStack() as stack:
        conversation = proved(settings, ground)
        gateway = Gateway(settings, ground, conversation, provider, guard_of(settings), _registry())
        workers = await _begun(gateway, stack)
        yield application(gateway, workers)


async def startable(settings: Settings) -> None:
    """Raises what `opened` would raise, for who starts many at once and says it once."""
    await checked(settings)
    await tables_ready(settings)


async def checked(settings: Settings) -> Conversation:
    """The menus, proved as `opened` proves them; nothing outside is asked.

    Raises:
        Broken: the catalogue, the menus or their words are not as they must be.
    """
    async with unused(settings) as ground:
        return proved(settings, ground)


async def _begun(gateway: Gateway, stack: AsyncExitStack) -> Workers:
    """What works beside the routes, at work until `stack` is closed."""
    services = gateway.conversation.services
    outbox, conversations = outbox_of(gateway), conversations_of(gateway)
    reception = reception_of(gateway, conversations)
    await stack.enter_async_context(swept(services.paperwork))
    await stack.enter_async_context(pursued(services.grievances))
    await stack.enter_async_context(lapsing(services.assistance.consents))
    await stack.enter_async_context(tilled(services.cash))
    await stack.enter_async_context(at_work(outbox))
    await stack.enter_async_context(delivering(gateway))
    await stack.enter_async_context(posting(gateway.settings, services.messages, gateway.ground.seal, gateway.registry))
    await stack.enter_async_context(at_reception(reception))
    await stack.enter_async_context(following_use(services.usage))
    await stack.enter_async_context(reloading(gateway.settings.catalogue, gateway.conversation, gateway.registry))
    return Workers(outbox, conversations, reception)


def _registry() -> CollectorRegistry:
    # Or each counter has a moment beside it, whose digits read like a number of somebody's.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()
