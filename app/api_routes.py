"""The routes of the department API."""

from functools import cache, partial
from zoneinfo import ZoneInfo

from aiohttp import web

from app.context import AppContext
from core.types import utc_now
from services.departments.api_keys import ApiKeys
from web.api import applications, complaints, feedback, number_notices, payments
from web.api.openapi import build_document
from web.api.pagination import CursorCodec, PageReader
from web.api.rate_limit import RateLimiter
from web.api.routes import build_routes as api_routes


def build_routes(context: AppContext) -> list[web.RouteDef]:
    """The routes of the department API, and of its openapi.json."""
    settings, resources, services = context.settings, context.resources, context.checked_menu.services
    pages = PageReader(CursorCodec(resources.cipher), utc_now)
    operations = (
        *applications.build_operations(services.department_applications, pages),
        *payments.build_operations(services.payments.cash),
        *complaints.build_operations(services.complaints.department_view, pages),
        *feedback.build_operations(services.complaints.department_view, pages),
        *number_notices.build_operations(services.number_releases),
    )
    return api_routes(
        operations,
        api_keys=ApiKeys(resources.database, zone=ZoneInfo(settings.countries.time_zone)),
        rate_limiter=RateLimiter(resources.store.client, settings.api.per_minute),
        build_openapi_json=cache(partial(build_document, operations, settings.server.url)),
    )
