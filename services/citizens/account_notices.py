"""SMS that tell a citizen of every change to who may sign in to their account, and how to stop it.

Each text goes to one account a limited number of times in a day: nobody can make the gateway send without end.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Select, func, select

from core.types import TextRenderer, UtcClock
from db.database import Database, Transaction
from db.tables import account_events, accounts, callers
from services.messaging.messages import Messages
from services.messaging.models import Message

Notice: TypeAlias = Literal[
    "pin_changed",
    "pin_pending",
    "pin_kept",
    "questions_set",
    "email_set",
    "email_removed",
    "account_frozen",
    "account_locked",
    "wrong_tries",
]
"""The keys of the texts; a notice is an event of the account, and the column has room for 16 characters."""
PinText: TypeAlias = Literal["pin", "support_pin"]
"""The keys of the texts with a PIN: one that the citizen asked for, and one that the helpdesk gave."""

DAY: Final = timedelta(days=1)
MAX_PER_DAY: Final = 5
# What people without any proof can cause, by wrong tries.
MAX_UNPROVED_PER_DAY: Final[Mapping[Notice, int]] = {"account_locked": 1, "wrong_tries": 1}
NO_FACTS: Final[Mapping[str, object]] = {}


class AccountNotices:
    """Queues the notices of accounts, in the language of each citizen."""

    def __init__(self, database: Database, messages: Messages, render_text: TextRenderer, *, clock: UtcClock) -> None:
        self._database = database
        self._messages = messages
        self._render_text = render_text
        self._clock = clock

    async def queue(
        self,
        transaction: Transaction,
        account: int,
        notice: Notice,
        idempotency_key: str,
        facts: Mapping[str, object] = NO_FACTS,
    ) -> bool:
        """Queue a notice within `transaction`; False where it is queued already, or reached its number for the day."""
        now = self._clock()
        of_account = (account_events.c.account == account, account_events.c.kind == "notice")
        today = (account_events.c.outcome == notice, account_events.c.created_at > now - DAY)
        count = select(func.count()).select_from(account_events).where(*of_account, *today)
        if (await transaction.execute(count)).scalar_one() >= MAX_UNPROVED_PER_DAY.get(notice, MAX_PER_DAY):
            return False
        key = f"{idempotency_key}/{notice}"
        row = {"account": account, "kind": "notice", "outcome": notice, "idempotency_key": key, "created_at": now}
        insert = self._database.insert_or_ignore(account_events).returning(account_events.c.id)
        if (await transaction.execute(insert, row)).scalar_one_or_none() is None:
            return False
        to = (await transaction.execute(_recipient_query(account))).one()
        text = self._render_text(to.language, notice, facts)
        await self._messages.enqueue(transaction, Message(to.msisdn, text, "info", key))
        return True

    async def send_pin(
        self, transaction: Transaction, account: int, pin: str, idempotency_key: str, *, text: PinText = "pin"
    ) -> None:
        """Queue the SMS with a PIN that the gateway made."""
        to = (await transaction.execute(_recipient_query(account))).one()
        rendered = self._render_text(to.language, text, {"pin": pin})
        await self._messages.enqueue(transaction, Message(to.msisdn, rendered, "pin", f"{idempotency_key}/pin"))


def _recipient_query(account: int) -> Select[Any]:
    """The MSISDN of the account, and the language of messages to it."""
    language = func.coalesce(callers.c.language, accounts.c.language).label("language")
    with_choice = accounts.outerjoin(callers, callers.c.msisdn == accounts.c.msisdn)
    return select(accounts.c.msisdn, language).select_from(with_choice).where(accounts.c.id == account)
