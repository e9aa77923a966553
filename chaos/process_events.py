"""What happens to the gateways' processes and their connections."""

import time
from collections.abc import Mapping
from typing import Final

from chaos.event import Event
from chaos.hostile_clients import BigBodies, HalfSentBodies, HalfSentHeaders, HostileClients
from chaos.stage import Stage

SPARE_DESCRIPTORS: Final = 4


def do_nothing(_: Stage, seconds: float) -> None:
    """A quiet run: what the program itself counts wrong shows here."""
    time.sleep(seconds)


def kill_gateway(stage: Stage, seconds: float) -> None:
    """Kill one gateway, and start it again."""
    victim = stage.gateways[0]
    victim.kill()
    time.sleep(seconds)
    victim.start()
    victim.wait_until_ready()


def restart_gateways(stage: Stage, _: float) -> None:
    """Ask one gateway after the other to end, and start it again when it has ended."""
    for gateway in stage.gateways:
        gateway.terminate()
        status = gateway.wait_until_ended()
        if status:
            stage.notes.append(f"exit status {status} after SIGTERM")
        gateway.start()
        gateway.wait_until_ready()


def exhaust_descriptors(stage: Stage, seconds: float) -> None:
    """Leave each gateway a few open files, and take them with connections on which nothing is sent."""
    before = [gateway.limit_descriptors(gateway.count_descriptors() + SPARE_DESCRIPTORS) for gateway in stage.gateways]
    _press_with(stage, HalfSentHeaders(stage.gateway_ports, connections=50), seconds)
    for gateway, limit in zip(stage.gateways, before, strict=True):
        gateway.limit_descriptors(limit)


def send_half_headers(stage: Stage, seconds: float) -> None:
    """Open connections that never finish the headers of their request."""
    _press_with(stage, HalfSentHeaders(stage.gateway_ports, connections=250), seconds)


def send_half_bodies(stage: Stage, seconds: float) -> None:
    """Open connections that send a body byte by byte."""
    _press_with(stage, HalfSentBodies(stage.gateway_ports, connections=50), seconds)


def send_big_bodies(stage: Stage, seconds: float) -> None:
    """Post bodies of 16 KiB without a pause."""
    _press_with(stage, BigBodies(stage.gateway_ports, connections=8), seconds)


def _press_with(stage: Stage, clients: HostileClients, seconds: float) -> None:
    with clients:
        time.sleep(seconds)
    stage.notes.append(clients.describe())


RESTART_PROMISE: Final = "no request lost, no 5xx"
WEDGE_PROMISE: Final = "callers go on; who holds connections is thrown out; never wedged"
PROCESS_EVENTS: Final[Mapping[str, Event]] = {
    "quiet": Event(title="nothing happens", promise="every screen right, every effect once", act=do_nothing),
    "gateway-killed": Event(
        title="SIGKILL of a gateway, and its return",
        promise="the other one answers the next key press; nothing twice, nothing lost; normal within 5 s",
        act=kill_gateway,
    ),
    "rolling-restart": Event(
        title="SIGTERM of both gateways, one after the other", promise=RESTART_PROMISE, act=restart_gateways
    ),
    "half-headers": Event(title="500 half-sent headers", promise=WEDGE_PROMISE, act=send_half_headers, seconds=12.0),
    "half-bodies": Event(title="100 half-sent bodies", promise=WEDGE_PROMISE, act=send_half_bodies, seconds=12.0),
    "big-bodies": Event(title="bodies of 16 KiB without a pause", promise=WEDGE_PROMISE, act=send_big_bodies),
    "descriptors": Event(
        title="file descriptors exhausted, 100 connections waiting",
        promise=WEDGE_PROMISE,
        act=exhaust_descriptors,
        seconds=12.0,
    ),
    "overload": Event(
        title="three times capacity",
        promise="what is answered is answered within 8 s, the rest is refused in words at once; normal within 5 s",
        act=do_nothing,
        times_capacity=3.0,
        seconds=12.0,
    ),
    "rolling-restart-nginx": Event(
        title="SIGTERM of both gateways, one after the other, behind nginx",
        promise=RESTART_PROMISE,
        act=restart_gateways,
        nginx=True,
    ),
}
