"""The alarm for an account that is tried for days: lock-outs slow guessing down, and a person has to look at it."""

from collections import Counter
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select

from core.types import UtcClock
from db.database import Transaction
from db.tables import account_events

log = structlog.get_logger()

ALARM_WINDOW: Final = timedelta(days=7)
ALARM_DAYS: Final = 3
"""Days of the window with wrong tries, from which on somebody is guessing and not mistaken."""


class GuessingAlarm:
    """Looks at the wrong tries of an account whenever a lock-out begins, which is a few times in a day."""

    def __init__(self, *, clock: UtcClock) -> None:
        self._clock = clock
        self.counts: Counter[str] = Counter()
        """The number of alarms, under `account`."""

    async def check(self, transaction: Transaction, account: int) -> None:
        """Log an alarm where the account has had wrong tries on ALARM_DAYS of the last days."""
        wrong = (account_events.c.account == account, account_events.c.outcome == "wrong")
        recent = account_events.c.created_at > self._clock() - ALARM_WINDOW
        rows = await transaction.execute(select(account_events.c.created_at).where(*wrong, recent))
        tries = [row.created_at.date() for row in rows]
        days = len(set(tries))
        if days >= ALARM_DAYS:
            self.counts["account"] += 1
            log.critical("account_tried_for_days", account=account, days=days, tries=len(tries), action_required=True)
