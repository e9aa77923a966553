"""The routes of SMS, from the settings: which provider carries which message, and whether replies to it come back; the codes that texts name."""

from config.settings import Settings, UssdCode
from config.sms import SmsRoute, SmsShortCode
from config.sms_checks import is_sender_of_letters
from services.messaging.routing import Route, SmsRoutes
from services.messaging.short_codes import CodeNames, ShortCode, ShortCodes


def build_sms_routes(settings: Settings) -> SmsRoutes:
    """Return the routes of `[[sms.routes]]`, and the default one to `sms.provider`."""
    return SmsRoutes(Route(provider=settings.sms.provider), tuple(map(_build_route, settings.sms.routes)))


def build_code_names(settings: Settings) -> CodeNames:
    """Return the codes that texts name, by country and network."""
    ussd, sms = settings.ussd, settings.sms
    return CodeNames(
        ShortCodes(ussd.service_codes[0], tuple(map(_build_code, ussd.codes))),
        ShortCodes(sms.short_code, tuple(map(_build_code, sms.short_codes))),
    )


def _build_code(code: UssdCode | SmsShortCode) -> ShortCode:
    return ShortCode(code=code.code, countries=frozenset(code.countries), networks=frozenset(code.networks))


def _build_route(route: SmsRoute) -> Route:
    return Route(
        provider=route.provider,
        fallback=route.fallback,
        sender=route.sender,
        fallback_sender=route.fallback_sender,
        is_one_way=route.receives_replies is False or is_sender_of_letters(route.sender),
        countries=frozenset(route.countries),
        networks=frozenset(route.networks),
        kinds=frozenset(route.kinds),
        used_codes=frozenset(route.short_codes),
    )


def segments_per_second(settings: Settings, provider: str) -> float:
    """Return how many segments a second one process may send by a provider; 0: no limit."""
    limit = settings.sms.limits.get(provider)
    given = limit.segments_per_second if limit else None
    return settings.sms.segments_per_second if given is None else given


def concurrency(settings: Settings, provider: str) -> int:
    """Return how many messages one process may send by a provider at the same time."""
    limit = settings.sms.limits.get(provider)
    return (limit.concurrency if limit else None) or settings.sms.concurrency
