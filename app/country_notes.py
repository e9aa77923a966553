"""What the rules of a country ask of the settings of SMS, for `server.py check`: notes, because a start does not depend on them."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from app.dlt import needs_dlt
from app.localization import offered_by_country
from app.registration_sheet import build_rows
from app.sms_routing import build_sms_routes
from config.settings import Settings
from config.sms import SANDBOX
from menus.rendering.localization import Locale
from services.messaging.dlt import COUNTRY as INDIA
from services.messaging.kinds import RULES, URGENT, MessageKind
from services.messaging.routing import Route, SmsFacts

BANGLADESH: Final = "BD"
BENGALI: Final = "bn"
ANY_NUMBER: Final = "+8801700000000"
"""A number of Bangladesh that nobody has, to ask a route for its sender."""
FIRST_NOTES: Final = 10
RECEIPTS: Final[frozenset[MessageKind]] = frozenset({"receipt", "payment"})
SHEET: Final = f"python server.py messages templates --country {INDIA}"


def list_country_notes(settings: Settings, locales: Mapping[str, Locale]) -> Iterator[str]:
    """Yield one line for each thing that an operator would refuse, with the setting that mends it."""
    yield from _list_india_notes(settings, locales)
    yield from _list_bangladesh_notes(settings)


def find_providers_to(settings: Settings, country: str) -> Sequence[str]:
    """The providers that may carry an SMS to a country, or are the fallback of one that does, in the order of the routes."""
    if country not in settings.countries.allowed:
        return []
    found: list[str] = []
    routes = build_sms_routes(settings)
    for route in (*routes.routes, routes.default):
        if not route.countries or country in route.countries:
            found += filter(None, (route.provider, route.fallback))
            if not (route.networks or route.kinds or route.used_codes):
                break
    return list(dict.fromkeys(found))


def _list_india_notes(settings: Settings, locales: Mapping[str, Locale]) -> Iterator[str]:
    senders = [name for name in find_providers_to(settings, INDIA) if needs_dlt(settings, name)]
    if not senders:
        return
    if not settings.dlt.entity:
        yield f"dlt.entity: {senders[0]} sends to India, whose operators ask for an entity id; write its 19 digits"
        return
    rows = list(build_rows(settings, locales))
    yield from _name_wrong_templates(settings, {row.name for row in rows})
    missing = [row.name for row in rows if not row.template_id]
    for name in missing[:FIRST_NOTES]:
        yield f'dlt.templates: a text is not registered in India, and its SMS wait; write "{name}" = "its id"'
    if len(missing) > FIRST_NOTES:
        yield f"dlt.templates: {len(missing) - FIRST_NOTES} more texts are not registered; {SHEET} lists all"
    if not settings.dlt.headers and not all(route.sender for route in _routes_by(settings, senders)):
        yield 'dlt.headers: SMS to India have no registered header; write default = "its six letters"'


def _routes_by(settings: Settings, providers: Sequence[str]) -> Sequence[Route]:
    routes = build_sms_routes(settings)
    to_india = [route for route in routes.routes if not route.countries or INDIA in route.countries]
    return [route for route in (*to_india, routes.default) if route.provider in providers]


def _name_wrong_templates(settings: Settings, known: set[str]) -> Iterator[str]:
    for name in settings.dlt.templates:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            advice = f"did you mean {close[0]!r}?" if close else f"copy it from {SHEET}"
            yield f"dlt.templates: {name!r} is the name of no text; {advice}"


def _list_bangladesh_notes(settings: Settings) -> Iterator[str]:
    if all(name == SANDBOX for name in find_providers_to(settings, BANGLADESH)):
        return
    code = offered_by_country(settings.languages).get(BANGLADESH, settings.languages.default)
    if code != BENGALI:
        yield (
            f"languages.by_country: news to Bangladesh would not be in Bengali letters ({', '.join(_unsolicited_kinds())}),"
            ' which its regulator asks for; offer "bn", and write BD = "bn"'
        )
    routes = build_sms_routes(settings)
    masked = [kind for kind in _personal_kinds() if routes.choose(SmsFacts(ANY_NUMBER, kind)).sender.isdecimal()]
    if masked:
        yield (
            f"sms.routes: {', '.join(masked)} to Bangladesh come from a number (non-masking), which does not reach everybody;"
            " give a route for these kinds a registered name (masking) as its sender"
        )


def _unsolicited_kinds() -> Sequence[MessageKind]:
    return [kind for kind, rule in RULES.items() if rule.proactive]


def _personal_kinds() -> Sequence[MessageKind]:
    """Codes, PINs, receipts: what must arrive, also where a number has refused advertisements."""
    return [kind for kind, rule in RULES.items() if (rule.secret and rule.priority == URGENT) or kind in RECEIPTS]
