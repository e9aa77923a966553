"""Taking an application back: by whoever made it, or by the other person whom it is for and who does not want it.

Only a tracking number and the right account or number together do it; for anybody else there is no such application.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Row, select, update

from services.applications.values import FINAL, digest_of, told_of
from services.audit import Audit, Who, act_of
from services.closed import still_open
from services.given import Clock, Say, utc_now
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import accounts, application_events, applications

WITHDRAWN: Final = "withdrawn"
BENEFICIARY: Final = "beneficiary"
"""Who refused, in the audit, where they have no account."""

Outcome: TypeAlias = Literal["withdrawn", "final", "unknown"]


class TakenBack(NamedTuple):
    """What came of it: it is `withdrawn`, its status is `final`, or it is `unknown` to whoever asks. And which it is."""

    outcome: Outcome
    service: str = ""
    status: str = ""


class Withdrawing:
    """Every application, as it can be taken back. `language_of` is that in which a number is written to."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        say: Say,
        language_of: Callable[[str], Awaitable[str]],
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._messages = messages
        self._say = say
        self._language_of = language_of
        self._clock = clock
        self._audit = Audit(records, clock=clock)

    async def withdraw(self, account: int, tracking_number: str, channel: str, effect: str) -> TakenBack:
        """By the account that made it; the other person, if it is for one, is told."""
        async with self._records.transaction() as transaction:
            row = await _held(transaction, tracking_number, applications.c.account == account)
            taken = await self._taken_back(transaction, row, effect)
            if row is not None and taken.outcome == WITHDRAWN:
                if row.status != WITHDRAWN:
                    await still_open(transaction, account, effect)
                await self._note(transaction, row, Who("citizen", str(account), channel), WITHDRAWN, effect)
                await self._messages.queue(transaction, _news(row.number, self._moved(row, row.language), effect))
                if row.beneficiary:
                    text = self._moved(row, await self._language_of(row.beneficiary))
                    await self._messages.queue(transaction, _news(row.beneficiary, text, f"{effect}/other"))
        return taken

    async def refuse(self, number: str, tracking_number: str, channel: str, effect: str) -> TakenBack:
        """By the other person whom it is for; whoever made it is told."""
        async with self._records.transaction() as transaction:
            row = await _held(transaction, tracking_number, applications.c.beneficiary == number)
            taken = await self._taken_back(transaction, row, effect)
            if row is not None and taken.outcome == WITHDRAWN:
                own = select(accounts.c.id).where(accounts.c.number == number)
                account = (await transaction.execute(own)).scalar_one_or_none()
                who = Who("citizen", str(account) if account else BENEFICIARY, channel)
                await self._note(transaction, row, who, "refused", effect)
                text = self._say(row.language, "refused_for", _told(row))
                await self._messages.queue(transaction, _news(row.number, text, effect))
        return taken

    async def _taken_back(self, transaction: Transaction, row: Row[Any] | None, effect: str) -> TakenBack:
        if row is None:
            return TakenBack("unknown")
        event = {"application": row.id, "status": WITHDRAWN, "note": {}, "effect": f"{effect}/{WITHDRAWN}"}
        if await _done_before(transaction, row.id, event["effect"]):
            return TakenBack("withdrawn", row.service, WITHDRAWN)
        if row.status in FINAL:
            return TakenBack("final", row.service, row.status)
        now = self._clock()
        event |= {"digest": digest_of(row.tracking_number, WITHDRAWN, {}), "created_at": now}
        await transaction.execute(self._records.insert(application_events), event)
        changed = {"status": WITHDRAWN, "note": {}, "changed_at": now}
        await transaction.execute(update(applications).where(applications.c.id == row.id).values(changed))
        return TakenBack("withdrawn", row.service, WITHDRAWN)

    def _moved(self, row: Row[Any], language: str) -> str:
        return self._say(language, "moved", _told(row))

    async def _note(self, transaction: Transaction, row: Row[Any], who: Who, act: str, effect: str) -> None:
        await self._audit.note(transaction, act_of(who, act, "application", row.tracking_number, effect))


def _told(row: Row[Any]) -> Mapping[str, object]:
    return told_of(row.tracking_number, row.service, WITHDRAWN, {})


def _news(to: str, text: str, effect: str) -> Message:
    return Message(to, text, "status", f"{effect}/{WITHDRAWN}")


async def _held(transaction: Transaction, tracking_number: str, whose: ColumnElement[bool]) -> Row[Any] | None:
    """The application, locked; None where there is none, or it is not of whoever asks."""
    asked = select(applications).where(applications.c.tracking_number == tracking_number, whose)
    return (await transaction.execute(asked.with_for_update())).one_or_none()


async def _done_before(transaction: Transaction, application: int, effect: str) -> bool:
    """Whether this very key press took it back, and is heard again."""
    events = select(application_events.c.id).where(application_events.c.effect == effect)
    found = await transaction.execute(events.where(application_events.c.application == application))
    return found.scalar_one_or_none() is not None
