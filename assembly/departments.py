"""Departments as they are asked: each by its own system where it has one, else in the built-in registry."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Literal

from assembly.cash import Cash
from faults import Fault
from menus.journeys.apply import Delivery
from services.catalogue.shelf import Shelf
from services.client import Client
from services.departments.connector import Connector, System
from services.departments.deliveries import Deliveries, Fees
from services.departments.port import FeeState
from services.departments.signing import key_of
from services.given import Sealing
from services.records.database import Records
from settings import Connector as Connected
from settings import Settings


@dataclass(frozen=True, slots=True)
class Beneath:
    """What deliveries stand on."""

    records: Records
    seal: Sealing
    shelf: Shelf
    cash: Cash


def unknown_departments(settings: Settings, known: Iterable[str]) -> Iterator[Fault]:
    """A connector for a department that the catalogue does not have."""
    codes = sorted(known)
    for code in settings.departments:
        if code not in codes:
            close = get_close_matches(code, codes, n=1)
            right = f"did you mean {close[0]}?" if close else f"there are {', '.join(codes)}"
            yield settings.fault(("departments", code), f"there is no department {code!r} in the catalogue", right)


def deliveries_of(settings: Settings, beneath: Beneath) -> Deliveries:
    """The rows of what is on its way to those that have systems of their own."""

    def papers(service: str) -> tuple[str, ...]:
        found = beneath.shelf.now.services.get(service)
        return found.document_codes if found else ()

    connected = {code: looks_of(connector) for code, connector in settings.departments.items()}
    return Deliveries(beneath.records, beneath.seal, connected, papers=papers, fees=fee_of(beneath.cash))


def fee_of(cash: Cash) -> Fees:
    """What became of an application's fee, for the department that it belongs to."""

    async def fee(tracking_number: str) -> FeeState:
        found = await cash.fees.of(tracking_number)
        return found.state if found else "none"

    return fee


def waiting_of(deliveries: Deliveries) -> Delivery:
    """Tells the journeys of an application that waits for a system which does not answer; nothing of any other."""

    async def waiting(tracking_number: str) -> Literal["waiting"] | None:
        state = await deliveries.delivery_state(tracking_number)
        return state if state == "waiting" else None

    return waiting


def connector_of(connected: Connected, client: Client) -> Connector:
    """A department's system, over a client that has its deadline."""
    return Connector(client, System(connected.url, connected.token.get_secret_value(), keys_of(connected)))


def keys_of(connected: Connected) -> tuple[bytes, ...]:
    """What is signed with, the newest first; none where nothing is."""
    return tuple(map(key_of, connected.secrets))


def looks_of(connected: Connected) -> timedelta | None:
    """How long after one question for a status comes the next; None where the department tells."""
    return timedelta(minutes=connected.poll_minutes) if connected.poll_minutes else None
