"""What works for payments beside the menus, put together: the route of callbacks, and the till."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from assembly.cash import Cash
from assembly.gateway import Gateway
from callbacks import Guard
from services.payments.till import Till, at_the_till
from services.unread import UnreadCallbacks
from web.payments import routes as callback_routes
from web.tallies import Tallies, Tally

FINISHES: Final = (
    12.0  # seconds for what is being asked at a stop: what M-Pesa took and we did not hear cannot be asked after
)


def routes(gateway: Gateway) -> list[web.RouteDef]:
    """Where a wallet tells what became of a request, and what cannot be read is kept."""
    paying, ground = gateway.settings.payments, gateway.ground
    proxies = gateway.settings.africastalking.trusted_proxies
    guard = Guard(paying.callback_token.get_secret_value(), paying.allowed_ips, proxies)
    unread = UnreadCallbacks(ground.records, ground.seal)
    cash = gateway.conversation.services.cash
    ended = "Payments by what a wallet said became of them."
    Tallies(gateway.registry, Tally("ekdial_payments", ended, "outcome", cash.payments.ended))
    return callback_routes(guard, cash.payments.heard, unread.keep)


@asynccontextmanager
async def tilled(cash: Cash) -> AsyncIterator[None]:
    """The till at work inside, where there is a wallet."""
    if cash.wallet is None:
        yield
        return
    async with at_the_till(Till(cash.payments, cash.refunds, cash.wallet, [cash.bills.post]), FINISHES):
        yield
