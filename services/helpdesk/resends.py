"""Send a message again, for a person at the helpdesk: the same text, as a new message, where it still is true.

A receipt stays true, and so does the latest news about a case. A code, a PIN and a link do not: the citizen gets a new one. Opt-outs, quiet hours and the lifetime of the kind apply to the new message as to any other.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Column, Row, and_, func, select

from core.crypto import Cipher
from core.phone_numbers import is_detached
from core.types import SmsText, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import application_events, complaint_events, messages
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.staff_acts import StaffAct
from services.messaging.kinds import RULES, MessageKind
from services.messaging.message_status import MessageState, state_from_row
from services.messaging.messages import Messages, associated_data, read_template
from services.messaging.models import Message
from services.messaging.opt_outs import opted_out_among

ResendOutcome: TypeAlias = Literal[
    "sent",
    "no_message",
    "confidential",
    "outdated",
    "on_its_way",
    "opted_out",
    "no_number",
    "no_text",
    "too_many",
    "not_citizens",
]
RESENDABLE_KINDS: Final[frozenset[MessageKind]] = frozenset({"receipt", "receipt_reply", "status", "payment"})
"""Their texts name a tracking number or a receipt, and stay true."""
DEPARTMENT_KINDS: Final[frozenset[MessageKind]] = frozenset({"notice", "digest"})
EVENT_CASES: Final = (application_events.c.application, complaint_events.c.complaint)
"""The columns of events that name their case."""
STAGES_ON_ITS_WAY: Final = frozenset({"queued", "sending"})
KEY_PREFIX: Final = "resend/"
MAX_RESENDS: Final = 5
RESEND_WINDOW: Final = timedelta(days=1)


class Resend(NamedTuple):
    """What became of a request to send a message again; `former` is the message, None where there is none.

    `sent`: `message` is the new one. In every other case nothing is sent. `confidential`: the text was a code, a PIN, or quoted a
    document. `outdated`: the text may be untrue by now, also where the case moved on. `no_number`: the number was taken from its holder. `no_text`: the
    text is deleted. `too_many`: MAX_RESENDS were sent to this recipient within RESEND_WINDOW.
    """

    outcome: ResendOutcome
    former: MessageState | None = None
    message: int = 0


class MessageResends:
    """Sends messages again."""

    def __init__(self, database: Database, messages: Messages, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._messages = messages
        self._cipher = cipher
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def resend(self, message: int, act: StaffAct) -> Resend:
        """Send the message with this id again; once for the key of the act."""
        key = f"{KEY_PREFIX}{act.idempotency_key}"
        async with self._database.transaction() as transaction:
            row = await _lock_message(transaction, message)
            if row is None:
                return Resend("no_message")
            former = state_from_row(row)
            if (earlier := await _find_by_key(transaction, key)) is not None:
                return Resend("sent", former, earlier)
            refused = _refuse(row, former) or await self._refuse_recipient(transaction, row)
            if refused is None and await _is_overtaken(transaction, row.idempotency_key):
                refused = "outdated"
            if refused:
                return Resend(refused, former)
            new = await self._send(transaction, row, key, act)
        return Resend("sent", former, new)

    async def _refuse_recipient(self, transaction: Transaction, row: Row[Any]) -> ResendOutcome | None:
        if RULES[row.kind].proactive and await opted_out_among(transaction, {row.recipient}):
            return "opted_out"
        since = messages.c.created_at > self._clock() - RESEND_WINDOW
        resent = (messages.c.recipient == row.recipient, messages.c.idempotency_key.startswith(KEY_PREFIX), since)
        count = (await transaction.execute(select(func.count()).select_from(messages).where(*resent))).scalar_one()
        return "too_many" if count >= MAX_RESENDS else None

    async def _send(self, transaction: Transaction, row: Row[Any], key: str, act: StaffAct) -> int:
        text = self._cipher.decrypt(row.text, associated_data(row.idempotency_key)).decode()
        if row.medium == "sms":
            template = read_template(row, self._cipher)
            text = SmsText(text, text, template, template)
        await self._messages.enqueue(transaction, Message(row.recipient, text, row.kind, key, row.medium))
        new = await _find_by_key(transaction, key)
        entry = build_audit_entry(
            act.actor, "message_resent", "message", str(row.id), act.idempotency_key, reason=act.reason, new=str(new)
        )
        await self._audit.record(transaction, entry)
        return new or 0


def _refuse(row: Row[Any], former: MessageState) -> ResendOutcome | None:
    """Why the message itself cannot be sent again; None where it can."""
    if row.kind in DEPARTMENT_KINDS:
        return "not_citizens"
    if row.secret:
        return "confidential"
    if row.kind not in RESENDABLE_KINDS:
        return "outdated"
    if is_detached(row.recipient):
        return "no_number"
    if former.stage in STAGES_ON_ITS_WAY:
        return "on_its_way"
    return "no_text" if row.text is None else None


async def _is_overtaken(transaction: Transaction, message_key: str) -> bool:
    """Whether the message tells of a change of a case after which there were others. Its key begins with that of the event."""
    parts = message_key.split("/")
    keys = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any([await _has_later_event(transaction, case, keys) for case in EVENT_CASES])


async def _has_later_event(transaction: Transaction, case: Column[Any], keys: Sequence[str]) -> bool:
    events, later = case.table, case.table.alias("later")
    of_same_case = and_(later.c[case.name] == case, later.c.id > events.c.id)
    query = select(later.c.id).join(events, of_same_case).where(events.c.idempotency_key.in_(keys)).limit(1)
    return (await transaction.execute(query)).first() is not None


async def _lock_message(transaction: Transaction, message: int) -> Row[Any] | None:
    query = select(messages).where(messages.c.id == message).with_for_update()
    return (await transaction.execute(query)).one_or_none()


async def _find_by_key(transaction: Transaction, key: str) -> int | None:
    query = select(messages.c.id).where(messages.c.idempotency_key == key)
    return (await transaction.execute(query)).scalar_one_or_none()
