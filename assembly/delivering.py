"""What departments' systems are told and what they tell, put together: a courier for each, and a route for events."""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from assembly.departments import connector_of, keys_of
from assembly.fetching import fetching
from assembly.gateway import Gateway
from services.departments.courier import Courier
from services.departments.couriers import Couriers, at_work
from services.departments.deliveries import Deliveries
from services.departments.events import Events, Kind, Move
from services.departments.line import Line
from services.departments.looking import Looking
from services.given import utc_now
from settings import Connector as Connected
from web.delivering import Delivering
from web.departments import routes as event_routes

MOST: Final = 65_536  # octets of an answer
SLOWLY: Final = 60.0  # seconds between looks where nothing is connected: what was connected once can still wait
GRACE: Final = 10.0  # seconds at a stop for what is on its way; what takes longer is sent again


@asynccontextmanager
async def delivering(gateway: Gateway) -> AsyncIterator[None]:
    """A courier for each connected department, at work inside; each has connections of its own."""
    services = gateway.conversation.services
    async with AsyncExitStack() as stack:
        couriers, looking = [], []
        for code, connected in gateway.settings.departments.items():
            client = await stack.enter_async_context(fetching(deadline=connected.deadline, most=MOST))
            department = connector_of(connected, client)
            line = Line(code, department, services.deliveries.silent, pause=connected.ask_again)
            couriers.append(_courier(line, connected, services.deliveries))
            looking += [Looking(line, services.deliveries, services.filings.move)] if connected.poll_minutes else []
        often = {} if couriers else {"idle": SLOWLY, "looked_after": SLOWLY}
        all_of_them = Couriers(services.deliveries, couriers, looking, **often)
        Delivering(gateway.registry, all_of_them)
        await stack.enter_async_context(at_work(all_of_them))
        yield


def routes(gateway: Gateway) -> list[web.RouteDef]:
    """Where the systems of connected departments tell what moved there."""
    services = gateway.conversation.services
    moves: Mapping[Kind, Move] = {"application": services.filings.move, "complaint": services.grievances.cases.move}
    events = Events(gateway.ground.records, moves)
    connected = gateway.settings.departments.items()
    return event_routes({code: keys for code, one in connected if (keys := keys_of(one))}, events.hear, utc_now)


def _courier(line: Line, connected: Connected, deliveries: Deliveries) -> Courier:
    worker = f"{socket.gethostname()}:{os.getpid()}"
    return Courier(line, deliveries, worker=worker, parallel=connected.parallel, grace=GRACE)
