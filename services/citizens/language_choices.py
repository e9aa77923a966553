"""The languages that callers chose. A choice that the database does not take is kept here, and written when it does."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, update

from core.batching import Batcher
from core.deadline import NotRecordedError, running_until
from core.types import UtcClock
from db.bulk_upsert import RejectedWriteError, WriteError
from db.circuit_breaker import DatabaseUnavailableError
from db.database import Database
from db.tables import callers
from services.citizens.models import LanguageChoice

# Choices of a language within this number of event-loop iterations are written in one commit, which costs many times
# more than a row.
BATCH_TURNS: Final = 8
MAX_UNWRITTEN: Final = 100_000
"""Choices that wait for the database. Whoever chooses above that is asked again in the next call."""


class ResumeOffer(NamedTuple):
    """A caller who was offered to resume, and the session of the offer."""

    msisdn: str
    session_id: str


class LanguageChoices:
    """Finds and stores the language of each caller, and the last session that began with an offer to resume."""

    def __init__(self, database: Database, *, clock: UtcClock) -> None:
        self._database = database
        self._clock = clock
        self._find = database.fast_lookup(callers.c.msisdn, _FOUND_COLUMNS, _choice_from_row)
        self._upsert = database.bulk_upsert(callers, _CHOICE_COLUMNS)
        self._save = Batcher(self._upsert.write_each, loop_turns=BATCH_TURNS, commits=True)
        self._save_offer = Batcher(self._save_offers, loop_turns=BATCH_TURNS)
        self._unwritten: dict[str, Mapping[str, Any]] = {}

    async def find(self, msisdn: str) -> LanguageChoice | None:
        """The language that an MSISDN chose, and the session of the choice; None before the first choice.

        Raises:
            ReadError: the database did not answer.
        """
        if self._unwritten and (row := self._unwritten.get(msisdn)):
            return LanguageChoice(row["language"], row["session"])
        return await self._find(msisdn)

    async def choose(self, msisdn: str, language: str, session: str) -> None:
        """Store the language that a caller chooses in this session; while the database is down, in this process.

        Raises:
            RejectedWriteError: the database never takes this choice.
        """
        row = {"msisdn": msisdn, "language": language, "session": session, "chosen_at": self._clock()}
        try:
            await self._save(row)
        except DatabaseUnavailableError:
            self._keep(row)
        except RejectedWriteError:
            raise
        except (NotRecordedError, WriteError, OSError):
            self._keep(row)
        else:
            self._unwritten.pop(msisdn, None)

    def _keep(self, row: Mapping[str, Any]) -> None:
        if len(self._unwritten) < MAX_UNWRITTEN:
            self._unwritten[row["msisdn"]] = row

    async def write_pending(self) -> None:
        """Write the choices that the database did not take."""
        rows = list(self._unwritten.values())
        if not rows:
            return
        await self._upsert(rows)
        for row in rows:
            if self._unwritten.get(row["msisdn"]) is row:
                del self._unwritten[row["msisdn"]]

    def remember_offer(self, msisdn: str, session_id: str) -> None:
        """Store that a caller was offered to resume in this session. Nobody waits for it, and an error is ignored."""
        with running_until(None):
            saved = asyncio.ensure_future(self._save_offer(ResumeOffer(msisdn, session_id)))
        saved.add_done_callback(_ignore_error)

    async def _save_offers(self, offers: Sequence[ResumeOffer]) -> Sequence[None]:
        latest = dict(offers)
        rows = [{"caller": msisdn, "offered_in": latest[msisdn]} for msisdn in sorted(latest)]
        async with self._database.transaction() as transaction:
            await transaction.execute(_SET_OFFER, rows)
        return [None] * len(offers)


def _choice_from_row(row: Any) -> LanguageChoice:
    return LanguageChoice(row.language, row.session, row.seen_on, row.resumed_in or "")


def _ignore_error(saved: "asyncio.Future[None]") -> None:
    if not saved.cancelled():
        saved.exception()


_FOUND_COLUMNS: Final = tuple(callers.c[name] for name in ("language", "session", "seen_on", "resumed_in"))
_CHOICE_COLUMNS: Final = tuple(callers.c[name] for name in ("msisdn", "language", "session", "chosen_at"))
_SET_OFFER: Final = (
    update(callers).where(callers.c.msisdn == bindparam("caller")).values(resumed_in=bindparam("offered_in"))
)
