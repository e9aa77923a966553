"""Every room's routes on one application."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry

from assembly import api, delivering, links, payments, simulator, sms_in, ussd, voice
from assembly.gateway import Gateway
from assembly.sms_out import flowing
from callbacks import MOST
from services.codes import Codes
from services.tracking import Tracking
from sms.conversation import Conversations
from sms.outbox import Outbox
from sms.reception import Reception
from web import health
from web.tallies import Tallies, Tally


@dataclass(frozen=True, slots=True)
class Workers:
    """What works beside the routes, and what they hand over to."""

    outbox: Outbox
    conversations: Conversations
    reception: Reception


def application(gateway: Gateway, workers: Workers) -> web.Application:
    """Everything that can be asked of the gateway."""
    services = gateway.conversation.services
    app = web.Application(client_max_size=MOST)
    app.add_routes(ussd.routes(gateway))
    app.add_routes(api.routes(gateway))
    app.add_routes(sms_in.routes(gateway, workers.reception))
    app.add_routes(voice.routes(gateway, workers.conversations))
    app.add_routes(links.routes(gateway))
    app.add_routes(payments.routes(gateway))
    app.add_routes(delivering.routes(gateway))
    app.add_routes(health.routes(_parts(gateway, workers.outbox), gateway.registry))
    simulator.add_phone(app, gateway)
    _count_codes(services.codes, gateway.registry)
    _count_numbers(services.tracking, gateway.registry)
    return app


def _parts(gateway: Gateway, outbox: Outbox) -> health.Parts:
    """What the gateway needs of other programs, each with the question whether it is there."""
    ground = gateway.ground
    return {"redis": ground.store.sessions.ping, "database": ground.records.answers, "sms": lambda: flowing(outbox)}


def _count_numbers(tracking: Tracking, registry: CollectorRegistry) -> None:
    said = "Numbers of twelve digits that were asked for, by what they are the number of; held: told to wait."
    Tallies(registry, Tally("ekdial_numbers_asked", said, "kind", tracking.asked))


def _count_codes(codes: Codes, registry: CollectorRegistry) -> None:
    Tallies(
        registry,
        Tally("ekdial_codes", "One-time codes: sent, and checks by their answer.", "what", codes.handled),
        Tally("ekdial_codes_refused", "One-time codes not sent, by whose limit was reached.", "by", codes.refused),
        Tally("ekdial_codes_alarms", "Times that codes were sent and not entered, by area.", "area", codes.alarms),
    )
