"""The department API put together: who holds a key, how often they may ask, and what can be asked."""

from zoneinfo import ZoneInfo

from aiohttp import web

from assembly.gateway import Gateway
from services.given import utc_now
from services.keys import Keys
from web.api import applications, complaints, feedback
from web.api.cursors import Cursors
from web.api.limits import Limits
from web.api.lists import Lists
from web.api.openapi import document
from web.api.routes import routes as api_routes


def routes(gateway: Gateway) -> list[web.RouteDef]:
    """Where departments' systems ask."""
    settings, ground, services = gateway.settings, gateway.ground, gateway.conversation.services
    keys = Keys(ground.records, zone=ZoneInfo(settings.countries.time_zone))
    limits = Limits(ground.store.client, settings.api.per_minute)
    lists, cases = Lists(Cursors(ground.seal), utc_now), services.grievances.cases
    operations = (
        *applications.operations(services.filings, lists),
        *complaints.operations(cases, lists),
        *feedback.operations(cases, lists),
    )
    return api_routes(operations, keys.holder, limits.take, document(operations, settings.server.url))
