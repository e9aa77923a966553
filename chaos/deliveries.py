"""How a provider brings key presses to the gateways: as it should, or with a fault of its own."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Final

from chaos.carrier import Delivery, KeyPress, LoadBalancer, ScreenReply

LATEST: Final = 3.0  # seconds by which a late callback comes after the newer one
CUT_OFF_SHARE: Final = 0.08  # of all key presses: half of the conversations are cut off once or more
SHORTEST_WAIT: Final = 0.02  # seconds after which the connection of a reply that is cut off is closed at the earliest


class TwiceAtOnce:
    """Posts every key press to two gateways at the same time; the phone shows what comes first."""

    def __init__(self, balancer: LoadBalancer) -> None:
        self._balancer = balancer

    async def deliver(self, press: KeyPress) -> ScreenReply:
        """Return the first reply; whether the other one shows the same is counted."""
        replies = [asyncio.create_task(self._balancer.deliver(press)) for _ in range(2)]
        finished, _ = await asyncio.wait(replies, return_when=asyncio.FIRST_COMPLETED)
        first, second = finished.pop().result(), await asyncio.gather(*replies)
        if {first.body} != {reply.body for reply in second if reply.body} and first.body:
            self._balancer.failures["two screens for one key press"] += 1
        return first


class LateRepeats:
    """Posts an older key press of a session once more, after a newer one, to any gateway.

    Half of the repeats come with the metadata of their time, the others with the newest that the gateways sent.
    """

    def __init__(self, balancer: LoadBalancer) -> None:
        self._balancer = balancer
        self._sessions: dict[str, list[KeyPress]] = {}
        self._repeats = set[asyncio.Task[None]]()

    async def deliver(self, press: KeyPress) -> ScreenReply:
        """Return the reply to this key press, while an older one comes again."""
        presses = self._sessions.setdefault(press.session_id, [])
        if presses:
            older = random.choice((presses[-1], random.choice(presses)))
            metadata = random.choice((older.metadata, press.metadata))
            task = asyncio.create_task(self._repeat(older._replace(metadata=metadata)))
            self._repeats.add(task)
            task.add_done_callback(self._repeats.discard)
        presses.append(press)
        reply = await self._balancer.deliver(press)
        if not reply.body.startswith("CON"):
            del self._sessions[press.session_id]
        return reply

    async def _repeat(self, press: KeyPress) -> None:
        await asyncio.sleep(random.uniform(0, LATEST))
        await self._balancer.deliver(press)


class CutOff:
    """Gives up on some replies: before the answer comes, or when it has come; the phone shows nothing."""

    def __init__(self, balancer: LoadBalancer) -> None:
        self._balancer = balancer

    async def deliver(self, press: KeyPress) -> ScreenReply:
        """Return the reply, or none."""
        if random.random() >= CUT_OFF_SHARE:
            return await self._balancer.deliver(press)
        if random.random() < 0.5:
            reply = await self._balancer.deliver(press)
            self._balancer.failures["cut off, the last screen" if reply.body.startswith("END") else "cut off"] += 1
        else:
            self._balancer.failures["cut off before the answer"] += 1
            await self._balancer.give_up(press, random.uniform(SHORTEST_WAIT, 0.2))
        return ScreenReply("", "", 0.0, is_cut_off=True)


DELIVERIES: Final[Mapping[str, Callable[[LoadBalancer], Delivery]]] = {
    "once": lambda balancer: balancer,
    "twice": TwiceAtOnce,
    "late": LateRepeats,
    "cut off": CutOff,
}
"""Deliveries by the name that an event gives."""
