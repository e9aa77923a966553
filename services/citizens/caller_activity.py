"""When a number was last seen in a call, and on which network: one that is silent for long may have another holder.

A call costs no write: callers are collected, and written once a minute, each at most once in SEEN_PERIOD, and a network when it
changes.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import String, bindparam, select, update

from core.languages import LANGUAGE_CODES
from core.types import UtcClock, utc_now
from core.verified_caller import is_caller_verified
from db.database import Database
from db.tables import callers
from services.citizens.models import LanguageChoice

SEEN_PERIOD: Final = timedelta(days=30)
MAX_PENDING: Final = 100_000
"""Callers that wait to be written. More are forgotten until their next call."""

BATCH_SIZE: Final = 500

FindLanguageChoice = Callable[[str], Awaitable[LanguageChoice | None]]


class CallerActivity:
    """Finds the language of callers, and remembers that they called."""

    def __init__(
        self,
        database: Database,
        find_language_choice: FindLanguageChoice,
        *,
        offered: Collection[str] = LANGUAGE_CODES,
        clock: UtcClock = utc_now,
    ) -> None:
        """`offered` are the languages that callers can choose now."""
        self._database = database
        self._find = find_language_choice
        self._offered = offered
        self._clock = clock
        self._pending: set[str] = set()
        self._networks: dict[str, str] = {}
        """The networks of recent callers: one that is known here is not written again."""
        self._pending_networks: dict[str, str] = {}

    def note_network(self, msisdn: str, network: str) -> None:
        """Remember the network of a caller whom the network vouches for."""
        if self._networks.get(msisdn) == network or not _is_network(network):
            return
        if len(self._networks) >= MAX_PENDING:
            self._networks.clear()
        self._networks[msisdn] = self._pending_networks[msisdn] = network

    async def find_language_choice(self, msisdn: str) -> LanguageChoice | None:
        """The language that a caller chose; the caller is remembered if the network vouches for the number.

        A caller whose language is offered no longer is asked again.
        """
        choice = await self._find(msisdn)
        if choice is not None and is_caller_verified() and self._is_stale(choice) and len(self._pending) < MAX_PENDING:
            self._pending.add(msisdn)
        return choice if choice is None or choice.language in self._offered else None

    async def write_pending(self) -> None:
        """Write the callers of the last minute; what is not written after a failure is written at the next call."""
        pending, self._pending = sorted(self._pending), set()
        today = self._clock().date()
        for start in range(0, len(pending), BATCH_SIZE):
            async with self._database.transaction() as transaction:
                await transaction.execute(_SET_SEEN, {"seen": today, "numbers": pending[start : start + BATCH_SIZE]})
        await self._write_networks()

    async def _write_networks(self) -> None:
        pending, self._pending_networks = self._pending_networks, {}
        for network in sorted({*pending.values()}):
            callers_of_network = sorted(msisdn for msisdn, its in pending.items() if its == network)
            for start in range(0, len(callers_of_network), BATCH_SIZE):
                facts: dict[str, Any] = {"heard": network, "numbers": callers_of_network[start : start + BATCH_SIZE]}
                async with self._database.transaction() as transaction:
                    await transaction.execute(_SET_NETWORK, facts)
                    known = set((await transaction.execute(_KNOWN, facts)).scalars())
                for msisdn in {
                    *facts["numbers"]
                } - known:  # they have not chosen a language yet: the next call tells again
                    self._networks.pop(msisdn, None)

    def _is_stale(self, choice: LanguageChoice) -> bool:
        return choice.seen_on is None or self._clock().date() - choice.seen_on > SEEN_PERIOD


_SET_SEEN: Final = (
    update(callers).where(callers.c.msisdn.in_(bindparam("numbers", expanding=True))).values(seen_on=bindparam("seen"))
)
_is_network: Final = re.compile(r"[0-9]{5,6}", re.ASCII).fullmatch
_KNOWN: Final = select(callers.c.msisdn).where(callers.c.msisdn.in_(bindparam("numbers", expanding=True)))
_SET_NETWORK: Final = (
    update(callers)
    .where(
        callers.c.msisdn.in_(bindparam("numbers", expanding=True)),
        callers.c.network.is_distinct_from(bindparam("heard", type_=String)),
    )
    .values(network=bindparam("heard", type_=String))
)
