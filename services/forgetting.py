"""What is kept only for a while, and for how long: rows whose time is over are deleted, a few at a time."""

from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, TextClause, bindparam, delete, exists, select, true
from sqlalchemy.sql.dml import ReturningDelete

from services.given import Clock, utc_now
from services.records.database import Records
from services.records.tables import (
    OVERTAKEN,
    account_events,
    bills,
    consent_checks,
    consents,
    department_events,
    drafts,
    inbound_sms,
    messages,
    operator_events,
    payments,
    profile_facts,
)

STEP: Final = 500  # rows of a table: a transaction of milliseconds, behind which nobody's SMS waits


class Rule(NamedTuple):
    """Rows of `table` for which `done` holds are kept until `age` is so long ago."""

    table: Table
    age: Column[Any]
    kept: timedelta
    done: ColumnElement[bool] | TextClause


_AT_THE_HEAD = messages.c.id.in_(select(messages.c.id).order_by(messages.c.id).limit(STEP))
_alive = consents.c.given_at.is_not(None) & consents.c.ended_at.is_(None)
_asked_for = exists().where(payments.c.bill == bills.c.id)
RULES: Final = (
    # A provider may bring an SMS again within two days, and a citizen or a helpdesk asks within weeks what became of one.
    Rule(inbound_sms, inbound_sms.c.done_at, timedelta(days=30), inbound_sms.c.state == "done"),
    # A try is repeated while its session lasts, a day at most, and looked into after a complaint. How an account was
    # made is told by its event for as long as there is the account.
    Rule(account_events, account_events.c.created_at, timedelta(days=90), account_events.c.kind != "registered"),
    # An operator's tries are looked into as long as a citizen's.
    Rule(operator_events, operator_events.c.created_at, timedelta(days=90), true()),
    Rule(consent_checks, consent_checks.c.created_at, timedelta(days=90), true()),
    # Who doubts that they consented is heard for a year, and while that is looked into. The audit keeps that there was one.
    Rule(consents, consents.c.asked_at, timedelta(days=400), ~_alive),
    # A form that nobody went on with says itself when it ends; see `services.applications.drafts`.
    Rule(drafts, drafts.c.ends_at, timedelta(), true()),
    # A department tells an event again for days, if it is not heard; after five minutes a stolen one is refused anyhow.
    Rule(department_events, department_events.c.heard_at, timedelta(days=30), true()),
    # What overtook it is kept; that a key press was heard need be known for as long as its session can be heard again.
    Rule(profile_facts, profile_facts.c.created_at, timedelta(days=90), OVERTAKEN),
    # Who complains that nothing came is heard for half a year. Only the head of the table is looked at, for it is large.
    Rule(
        messages, messages.c.updated_at, timedelta(days=180), messages.c.status.in_(("sent", "failed")) & _AT_THE_HEAD
    ),
    # What a biller said to who then did not pay; what was paid stays, for it is on the books.
    Rule(bills, bills.c.created_at, timedelta(days=30), bills.c.posting.is_(None) & ~_asked_for),
)


class Forgetting:
    """Forgets by RULES."""

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def step(self) -> int:
        """Delete at most STEP rows of each table, the oldest first; how many were."""
        now = self._clock()
        return sum([await self._delete(rule, {"before": now - rule.kept}) for rule in RULES])

    async def _delete(self, rule: Rule, facts: dict[str, object]) -> int:
        async with self._records.transaction() as transaction:
            return len((await transaction.execute(_OLDEST[rule.table.name], facts)).all())


def _oldest(rule: Rule) -> ReturningDelete[Any]:
    """Those that another process is deleting are left to it."""
    (key,) = rule.table.primary_key.columns
    over = select(key.label("key")).where(rule.done, rule.age < bindparam("before"))
    some = over.order_by(rule.age).limit(STEP).with_for_update(skip_locked=True).cte("some")
    return delete(rule.table).where(key.in_(select(some.c.key))).returning(key)


_OLDEST: Final = {rule.table.name: _oldest(rule) for rule in RULES}
