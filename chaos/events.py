"""The table of all events, in the order in which they are played."""

from collections.abc import Mapping
from typing import Final

from chaos.cluster_events import CLUSTER_EVENTS
from chaos.event import Event
from chaos.nginx import find_nginx
from chaos.process_events import PROCESS_EVENTS
from chaos.provider_events import PROVIDER_EVENTS
from chaos.store_events import STORE_EVENTS

ALL: Final = {**PROCESS_EVENTS, **STORE_EVENTS, **PROVIDER_EVENTS, **CLUSTER_EVENTS}
NEEDS: Final = [event.needs for event in ALL.values()]
EVENTS: Final[Mapping[str, Event]] = dict(sorted(ALL.items(), key=lambda item: NEEDS.index(item[1].needs)))
"""All events. Those that share their gateways come one after the other."""


def find_playable() -> Mapping[str, Event]:
    """The events that this machine can play: some need nginx."""
    return {name: event for name, event in EVENTS.items() if find_nginx() or not event.nginx}
