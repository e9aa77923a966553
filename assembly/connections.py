"""Every department as somebody in a terminal asks after it: where its applications go, and whether it answers now."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from assembly.conversation import edition_of
from assembly.delivering import MOST
from assembly.departments import connector_of, looks_of
from assembly.fetching import fetching
from embedded import secret_of
from sealing import Seal
from services.departments.deliveries import Deliveries
from services.departments.port import Department, NotNow
from services.departments.registry import Registry
from services.records.database import Records
from services.records.migrate import ready
from settings import Settings


class Standing(NamedTuple):
    """One department: where its applications go, how that is, and how many wait, by their state."""

    code: str
    where: str
    health: str
    waits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Connections:
    """All departments, each as it is asked, and what is on its way to those with systems of their own."""

    departments: Mapping[str, tuple[str, Department]]
    deliveries: Deliveries

    async def stand(self) -> Sequence[Standing]:
        """Each of them, asked at once."""
        depth = await self.deliveries.depth()
        healths = await asyncio.gather(*(_health(department) for _, department in self.departments.values()))
        each = zip(self.departments.items(), healths, strict=True)
        return [
            Standing(code, where, health, {one.state: one.rows for one in depth if one.department == code})
            for (code, (where, _)), health in each
        ]


@asynccontextmanager
async def connections(settings: Settings) -> AsyncIterator[Connections]:
    """All of them, beside a gateway that may be running.

    Raises:
        Broken, NotAlone, TablesBehind: what the gateway itself would be refused for.
    """
    url = settings.database.url.get_secret_value()
    await ready(url)
    async with Records(url) as records, AsyncExitStack() as stack:
        departments = {
            code: await _department(settings, records, code, stack)
            for code in sorted(edition_of(settings.catalogue).catalogue.departments)
        }
        connected = {code: looks_of(one) for code, one in settings.departments.items()}
        seal = Seal(secret_of(settings).encode())
        yield Connections(departments, Deliveries(records, seal, connected))


async def _department(settings: Settings, records: Records, code: str, stack: AsyncExitStack) -> tuple[str, Department]:
    connected = settings.departments.get(code)
    if connected is None:
        return "built-in registry", Registry(records, code)
    client = await stack.enter_async_context(fetching(deadline=connected.deadline, most=MOST))
    return connected.url, connector_of(connected, client)


async def _health(department: Department) -> str:
    try:
        await department.health()
    except NotNow as failed:
        return f"does not answer: {failed.reason}"
    return "answers"
