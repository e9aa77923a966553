"""The table of messages: enqueue, claim, record results, recover."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec
import structlog
from sqlalchemy import Row, Update

from core.batching import Batcher
from core.clock_watch import FUTURE_MARGIN
from core.crypto import Cipher, DecryptionError
from core.phone_numbers import is_detached
from core.timeouts import Timeout
from core.types import SmsText, Template, UtcClock, utc_now
from core.used_code import find_used_code
from core.verified_caller import is_caller_verified
from db.database import Database, Transaction
from db.tables import messages
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.citizens.contacts import LATIN_LETTERS_QUERY
from services.messaging import queries
from services.messaging.delivery_reports import DeliveryReports
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.kinds import RULES, Medium, MessageKind
from services.messaging.message_status import (
    BY_ID,
    BY_STATUS,
    DUE,
    MAX_COUNTED,
    MAX_ID,
    OLDEST_DUE,
    QUEUE_DEPTH,
    UNRESOLVED,
    MessageState,
    Queue,
    QueueDepth,
    Status,
    depth_from_row,
    state_from_row,
)
from services.messaging.models import ClaimedMessage, Message, Resolution, SendResult
from services.messaging.opt_outs import opted_out_among
from services.messaging.routing import Route, SmsFacts, SmsRoutes
from services.messaging.short_codes import NO_CODES, CodeNames
from services.messaging.template_holds import TemplateHolds

SegmentCounter: TypeAlias = Callable[[str], int]
"""The number of SMS segments of a text."""

NextAllowedTime: TypeAlias = Callable[[str, str, datetime], datetime | None]
"""MSISDN, network code or an empty text, and time, to the time when a deferrable message may be sent; None: now."""

FindTemplateId: TypeAlias = Callable[[str], str]
"""`Template.name` to the id with which the text is sent; empty where it has none."""

MaySend: TypeAlias = Callable[[str, MessageKind], Awaitable[bool]]
"""Whether an unverified caller may cause one more SMS of this kind to this MSISDN, which is then counted."""

REPEAT_AFTER: Final = timedelta(minutes=15)  # by then a delivery report would have come
LINGER_SECONDS: Final = 0.002  # waits for more results: a transaction costs many times what one result costs
MAX_CLAIM_ROUNDS: Final = 8  # claims in a row that found only messages not to be sent
LIMIT_REACHED: Final = "LimitReached"
"""The error of an SMS that is not sent because unverified callers caused too many."""
UNLIMITED_SEGMENTS: Final = 2**31 - 1
ONE_PROVIDER: Final = SmsRoutes(Route(provider=""))
"""The routes of a queue that is not told any: everything is carried by the one outbox."""
ADOPT_AFTER: Final = timedelta(minutes=5)  # by then a process with newer settings would have claimed it
_Variables: TypeAlias = tuple[tuple[str, str], ...]

log = structlog.get_logger()


class SmsLimitReachedError(Exception):
    """A PIN cannot be sent, because unverified callers caused too many SMS. A retry helps in an hour."""


class Messages:
    """The messages of all channels. Texts are encrypted."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        *,
        clock: UtcClock = utc_now,
        count_segments: SegmentCounter = lambda _: 1,
        next_allowed_time: NextAllowedTime = lambda _number, _network, _now: None,
        may_send: MaySend | None = None,
        routes: SmsRoutes = ONE_PROVIDER,
        codes: CodeNames = NO_CODES,
    ) -> None:
        """Without `count_segments` every text is one segment; without `next_allowed_time` there are no quiet hours.

        `may_send` limits the SMS that unverified callers cause, without replies and codes, which are limited where they
        are built. `routes` choose the provider of each SMS, and `codes` what it names of our codes.
        """
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._count_segments = count_segments
        self._next_allowed_time = next_allowed_time
        self._may_send = may_send
        self._routes = routes
        self._codes = codes
        self._audit = AuditLog(database, clock=clock)
        self._delivery_reports = DeliveryReports(database, cipher, clock)
        self.report_counts: Counter[str] = Counter({str(status): 0 for status in DeliveryStatus})
        """Delivery reports that this process recorded, by status."""
        self.holds = TemplateHolds(database, clock, self._audit, self._wake_workers)
        self._result_batcher = Batcher(self._record_results, linger=LINGER_SECONDS)
        self._queued_events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """By provider; that of e-mail is empty."""

    async def enqueue(self, transaction: Transaction, message: Message) -> None:
        """Enqueue a message in the transaction of its cause; a worker of this process wakes after the commit.

        An SMS beyond the limits of unverified callers is stored as failed, with the error LIMIT_REACHED. A message to a
        number that was released from its account is dropped: the number is somebody else's now.

        Raises:
            SmsLimitReachedError: the message is a PIN beyond these limits, so that its cause is undone.
        """
        if is_detached(message.to):
            return
        sms = await self._describe(transaction, message)
        provider = self._routes.choose(sms).provider if message.medium == "sms" else ""
        text, template = await self._write(transaction, message, sms)
        row = self._row(message, text, template, provider)
        if not await self._is_within_limits(message):
            if message.kind == "pin":
                raise SmsLimitReachedError
            erased = dict.fromkeys(queries.CONTENT_COLUMNS) if row["secret"] else {}
            row = {**row, "status": "failed", "error": LIMIT_REACHED, **erased}
        await transaction.execute(self._database.insert_or_ignore(messages), row)
        transaction.after_transaction(self._queued_event(message.medium, provider).set)

    async def preview(self, transaction: Transaction, message: Message) -> str | None:
        """The text of a message as it would be queued now: in the letters and with the codes of its recipient.

        None where the number was released from its account, so that nothing would be sent.
        """
        if is_detached(message.to):
            return None
        text, _ = await self._write(transaction, message, await self._describe(transaction, message))
        return text

    async def send(self, message: Message) -> None:
        """Enqueue a message in a transaction of its own."""
        async with self._database.transaction() as transaction:
            await self.enqueue(transaction, message)

    async def wait_for_queued(self, timeout: float, medium: Medium = "sms", provider: str | None = None) -> None:
        """Return when this process has queued a message since the last return, or after `timeout` seconds.

        Messages that other processes queue, and messages that fall due, are found by looking: hence the timeout.
        """
        queued = self._queued_event(medium, provider)
        try:
            async with Timeout(timeout):
                await queued.wait()
        except TimeoutError:
            return
        queued.clear()

    async def claim(
        self,
        worker: str,
        limit: int,
        medium: Medium = "sms",
        segments: int | None = None,
        provider: str | None = None,
        *,
        find_template_id: FindTemplateId | None = None,
    ) -> Sequence[ClaimedMessage]:
        """Claim at most `limit` due messages of a provider, by default the default one, most urgent and then oldest first.

        They are marked *sending*, and committed, before this returns, so no other worker sends them. `segments` limits
        their total length; the message that reaches the limit is included. Expired messages are dropped, proactive ones
        are not sent to numbers that opted out, and deferrable ones wait during quiet hours.
        With `find_template_id`, those wait whose text was refused with the id that this returns.
        """
        parameters = {
            "claimer": worker,
            "most": limit,
            "carried_by": medium,
            "by": self._name_provider(medium, provider),
            "budget": UNLIMITED_SEGMENTS if segments is None else segments,
        }
        for _ in range(MAX_CLAIM_ROUNDS):
            count, claimed = await self._claim_once(parameters, find_template_id)
            if claimed or not count:
                return claimed
        return []

    async def record_result(self, message: int, result: SendResult) -> bool:
        """Record the result of a send; False where the message had a final result before.

        An unknown result can still be replaced; *sent* and *failed* are final. Results of one event-loop iteration share a
        transaction.
        """
        return await self._result_batcher((message, result))

    async def resolve_unknown(self, message: int, resolution: Resolution, act: StaffAct) -> bool:
        """Record what a person found out or decided about an unknown message: sent, failed, or to be sent again.

        False where the message is not unknown, and where it cannot be sent again because its text is deleted or expired.
        """
        now = self._clock()
        async with self._database.transaction() as transaction:
            done = await transaction.execute(queries.RESOLVE[resolution], {"message": message, "now": now})
            if done.rowcount:
                entry = build_staff_entry(act, "message_settled", "message", str(message), resolution=resolution)
                await self._audit.record(transaction, entry)
        self._wake_workers()  # it may be due again
        return done.rowcount == 1

    def _wake_workers(self) -> None:
        for waiting in [*self._queued_events.values()]:
            waiting.set()

    async def record_report(self, report: DeliveryReport) -> int | None:
        """Store a delivery report; return the id of its message, or None while there is none.

        Reports may come twice, in any order, at the same time, and before the provider's answer to the send.
        """
        self.report_counts[report.status] += 1
        return await self._delivery_reports.record(report)

    async def recover_abandoned(self, older_than: timedelta) -> int:
        """Recover messages that no worker holds any more; return how many were abandoned.

        Messages left *sending* by a dead worker become *unknown*. Unknown messages are matched with reports; those that
        stay unknown, and are safe to repeat, are queued once more. Expired messages are dropped and their secrets deleted.
        """
        now = self._clock()
        await self._run_in_batches(queries.DROP, {"now": now})
        abandoned = await self._run_in_batches(queries.RECOVER_ABANDONED, {"now": now, "before": now - older_than})
        await self._delivery_reports.rematch()
        if resent := await self._run_in_batches(queries.REPEAT, {"now": now, "before": now - REPEAT_AFTER}):
            log.warning("messages_resent", count=resent)
        return abandoned

    async def find_route(self, msisdn: str, kind: MessageKind) -> Route:
        """Return the route that carries an SMS of this kind to this number now."""
        networks: Mapping[str, str] = {}
        if self._routes.ask_network:
            async with self._database.transaction() as transaction:
                networks = await self._find_networks(transaction, [msisdn])
        return self._routes.choose(SmsFacts(msisdn, kind, networks.get(msisdn, ""), find_used_code()))

    async def adopt_orphans(self) -> int:
        """Give the default provider the SMS that name none, and those of providers that no route names any more.

        The first were queued by an earlier version of this program. Returns their number.
        """
        facts = {
            "default": self._routes.default.provider,
            "in_use": self._routes.providers,
            "before": self._clock() - ADOPT_AFTER,
        }
        return await self._run_in_batches(queries.ADOPT, facts) if self._routes.default.provider else 0

    async def move_to_fallback(self, provider: str, *, tried_only: bool = False) -> int:
        """Move the SMS that a suspended provider has surely not sent to the fallback of their routes; return their number.

        With `tried_only`, those alone that the provider was asked to send, and did not for its suspension. Those without a fallback wait. Nothing moves twice, and nothing that may have been sent moves.
        """
        if not self._routes.has_fallback(provider):
            return 0
        moved, after, found = 0, 0, queries.RECOVERY_BATCH
        while found == queries.RECOVERY_BATCH:
            asked = {"by": provider, "after": after, "least": int(tried_only)}
            async with self._database.transaction() as transaction:
                rows = (await transaction.execute(queries.MOVABLE, asked)).all()
                moved += await self._move_rows(transaction, rows, provider)
            found, after = len(rows), rows[-1].id if rows else after
        return moved

    async def make_future_due(self) -> int:
        """Make due the queued messages that were changed at a time that is still to come; return their number.

        The clock was set back since. Quiet hours are checked again at the claim.
        """
        now = self._clock()
        return await self._run_in_batches(queries.MAKE_FUTURE_DUE, {"now": now, "after": now + FUTURE_MARGIN})

    async def state(self, message: int) -> MessageState | None:
        """Return the state of the message with this id; None where there is none."""
        row = (await self._database.fetch(BY_ID, {"message": message})).one_or_none()
        return None if row is None else state_from_row(row)

    async def find_msisdn(self, message: int) -> str:
        """The number of the citizen to whom the SMS with this id went; empty where there is none, or none any more."""
        row = (await self._database.fetch(BY_ID, {"message": message})).one_or_none()
        is_known = row is not None and row.medium == "sms" and not is_detached(row.recipient)
        return str(row.recipient) if row is not None and is_known else ""

    async def list_unresolved(self, limit: int = 100, after: int = 0) -> Sequence[MessageState]:
        """Return at most `limit` messages with an unknown result and an id above `after`, oldest first."""
        rows = await self._database.fetch(UNRESOLVED, {"most": limit, "after": after})
        return [state_from_row(row) for row in rows]

    async def list_by_status(self, status: Status, limit: int, before: int = 0) -> Sequence[MessageState]:
        """At most `limit` messages with this status, newest first; with `before` those with a smaller id."""
        rows = await self._database.fetch(BY_STATUS[status], {"most": limit, "before": before or MAX_ID})
        return [state_from_row(row) for row in rows]

    async def list_queues(self) -> Sequence[Queue]:
        """What waits for each provider, and at the end for e-mail."""
        queues: list[tuple[Medium, str]] = [*(("sms", one) for one in self._routes.providers), ("email", "")]
        return [await self._read_queue(medium, provider) for medium, provider in queues]

    async def _read_queue(self, medium: Medium, provider: str) -> Queue:
        now = self._clock()
        row = (await self._database.fetch(DUE, {"carried_by": medium, "by": provider, "now": now})).one()
        return Queue(provider, min(row.due, MAX_COUNTED), now - row.oldest if row.oldest else timedelta())

    async def longest_wait(self, provider: str) -> timedelta:
        """Return how long the oldest SMS of this provider that is due has been due; zero where none is."""
        oldest = (await self._database.fetch(OLDEST_DUE, {"by": provider})).scalar_one_or_none()
        return max(timedelta(), self._clock() - oldest) if oldest else timedelta()

    async def depth(self) -> QueueDepth:
        """Return the number of messages in each stage."""
        return depth_from_row((await self._database.fetch(QUEUE_DEPTH)).one(), self._clock())

    async def _is_within_limits(self, message: Message) -> bool:
        if self._may_send is None or is_caller_verified() or message.medium != "sms" or message.kind == "code":
            return True
        return await self._may_send(message.to, message.kind)

    async def _run_in_batches(self, statement: Update, parameters: Mapping[str, object]) -> int:
        """Run an UPDATE that changes a batch of rows until it changes no whole batch; return the number of rows."""
        total, count = 0, queries.RECOVERY_BATCH
        while count == queries.RECOVERY_BATCH:
            async with self._database.transaction() as transaction:
                count = len((await transaction.execute(statement, parameters)).all())
            total += count
        return total

    async def _describe(self, transaction: Transaction, message: Message) -> SmsFacts:
        """Return what routes and codes ask of a message that is being queued."""
        ask_network = message.medium == "sms" and (self._routes.ask_network or self._codes.ask_network)
        networks = await self._find_networks(transaction, [message.to] if ask_network else ())
        return SmsFacts(message.to, message.kind, networks.get(message.to, ""), find_used_code())

    async def _write(self, transaction: Transaction, message: Message, sms: SmsFacts) -> tuple[str, Template | None]:
        """Return the text for the recipient, and its template."""
        text, template = await _choose_letters(transaction, message)
        if message.medium == "sms":
            text = self._codes.fill_text(text, sms.msisdn, sms.network, sms.used_code)
            template = template and self._codes.fill_template(template, sms.msisdn, sms.network, sms.used_code)
        return text, template

    def _name_provider(self, medium: Medium, provider: str | None) -> str:
        if medium != "sms":
            return ""
        return self._routes.default.provider if provider is None else provider

    def _queued_event(self, medium: Medium, provider: str | None) -> asyncio.Event:
        return self._queued_events[f"{medium}:{self._name_provider(medium, provider)}"]

    async def _move_rows(self, transaction: Transaction, rows: Sequence[Row[Any]], provider: str) -> int:
        """Move those of the rows that have a fallback; return their number."""
        by_fallback: dict[str, list[int]] = defaultdict(list)
        for row, sms in zip(rows, await self._read_facts(transaction, rows), strict=True):
            by_fallback[self._routes.find_fallback(provider, sms)].append(row.id)
        by_fallback.pop("", None)
        for fallback, ids in by_fallback.items():
            facts = {"moved": ids, "by": provider, "fallback": fallback, "now": self._clock()}
            await transaction.execute(queries.MOVE, facts)
            transaction.after_transaction(self._queued_event("sms", fallback).set)
        return sum(map(len, by_fallback.values()))

    async def _read_facts(self, transaction: Transaction, rows: Sequence[Row[Any]]) -> Sequence[SmsFacts]:
        """Return what routes ask of each row, in the order of the rows."""
        numbers = {row.recipient for row in rows} if self._routes.ask_network else ()
        networks = await self._find_networks(transaction, numbers)
        return [SmsFacts(row.recipient, row.kind, networks.get(row.recipient, ""), row.used_code) for row in rows]

    async def _choose_senders(self, transaction: Transaction, rows: Sequence[Row[Any]]) -> Mapping[int, str]:
        """Return the sender of each SMS by its id, where a route names one."""
        if not self._routes.names_senders:
            return {}
        sms_rows = [row for row in rows if row.medium == "sms"]
        facts = await self._read_facts(transaction, sms_rows)
        return {row.id: self._routes.find_sender(row.provider, sms) for row, sms in zip(sms_rows, facts, strict=True)}

    def _row(self, message: Message, text: str, template: Template | None, provider: str) -> Mapping[str, object]:
        now, rule = self._clock(), RULES[message.kind]
        return {
            "medium": message.medium,
            "provider": provider,
            "used_code": find_used_code() if message.medium == "sms" else "",
            "recipient": message.to,
            "text": self._cipher.encrypt(text.encode(), associated_data(message.idempotency_key)),
            **write_template(template, self._cipher, message.idempotency_key),
            "kind": message.kind,
            "secret": rule.secret,
            "priority": rule.priority,
            "segments": self._count_segments(text) if message.medium == "sms" else 1,
            "status": "queued",
            "due_at": self._earliest_due(message, now),
            "not_after": now + rule.ttl,
            "idempotency_key": message.idempotency_key,
            "created_at": now,
            "updated_at": now,
        }

    async def _claim_once(
        self, parameters: Mapping[str, object], find_template_id: FindTemplateId | None
    ) -> tuple[int, Sequence[ClaimedMessage]]:
        """Return how many messages were claimed, and those of them that are to be sent now."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            refused = await self.holds.find(transaction, find_template_id) if find_template_id else {}
            rows_claimed = (await transaction.execute(queries.CLAIM, {"now": now, **parameters})).all()
            unexpired = await _reject_rows(
                transaction, rows_claimed, {row.id for row in rows_claimed if row.not_after <= now}, "TooLate"
            )
            allowed = await _reject_rows(
                transaction, unexpired, await _find_opted_out(transaction, unexpired), "OptedOut"
            )
            rows = await self._defer_for_quiet_hours(transaction, allowed, now)
            rows = await self.holds.hold(transaction, rows, refused)
            contents = {row.id: content for row in rows if (content := self._decrypt_content(row)) is not None}
            rows = await _reject_rows(transaction, rows, {row.id for row in rows} - contents.keys(), "Unreadable")
            senders = await self._choose_senders(transaction, rows)
        in_order = sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))
        return len(rows_claimed), [
            _claimed_from_row(row, *contents[row.id], senders.get(row.id, "")) for row in in_order
        ]

    async def _defer_for_quiet_hours(
        self, transaction: Transaction, rows: Sequence[Row[Any]], now: datetime
    ) -> Sequence[Row[Any]]:
        """Put back deferrable messages to recipients in quiet hours; return the others."""
        waiting = [row for row in rows if row.medium == "sms" and RULES[row.kind].deferrable]
        networks = await self._find_networks(transaction, {row.recipient for row in waiting})
        opening = {
            row.id: self._next_allowed_time(row.recipient, networks.get(row.recipient, ""), now) for row in waiting
        }
        put_off = [{"put_back": message, "opens": opens} for message, opens in opening.items() if opens]
        if put_off:
            await transaction.execute(queries.DEFER, put_off)
        return [row for row in rows if not opening.get(row.id)]

    async def _find_networks(self, transaction: Transaction, msisdns: Collection[str]) -> Mapping[str, str]:
        """Return the network of each number, as a call, a delivery report or an SMS told it last."""
        if not msisdns:
            return {}
        found = await transaction.execute(queries.KNOWN_NETWORKS, {"numbers": list(msisdns)})
        return {row.recipient: row.network for row in found}

    def _earliest_due(self, message: Message, now: datetime) -> datetime:
        """Return when to send it at the earliest; the quiet hours of the recipient's network are checked at the claim."""
        if message.medium != "sms" or not RULES[message.kind].deferrable:
            return now
        return self._next_allowed_time(message.to, "", now) or now

    def _decrypt_content(self, row: Row[Any]) -> tuple[str, Template | None] | None:
        """Return the decrypted text and template; None if another key encrypted them, so that they never can be sent."""
        try:
            text = self._cipher.decrypt(row.text, associated_data(row.idempotency_key)).decode()
            return text, read_template(row, self._cipher)
        except DecryptionError:
            log.error("message_unreadable", message=row.id, kind=row.kind)
            return None

    async def _record_results(self, results: list[tuple[int, SendResult]]) -> list[bool]:
        now = self._clock()
        async with self._database.transaction() as transaction:
            found = await transaction.execute(queries.UNSETTLED, {"ids": [message for message, _ in results]})
            still_open = {row.id: row.forgotten for row in found}
            ended = [
                _result_columns(message, ending, still_open[message])
                for message, ending in results
                if message in still_open
            ]
            if ended:
                await transaction.execute(queries.RECORD_RESULT, [{**facts, "now": now} for facts in ended])
            refusals = [ending.refusal for message, ending in results if ending.refusal and message in still_open]
            await self.holds.record(transaction, refusals)
        named = [str(facts["under"]) for facts in ended if facts["under"]]
        if named:
            await self._delivery_reports.match_early(named)
        return [message in still_open for message, _ in results]


async def _choose_letters(transaction: Transaction, message: Message) -> tuple[str, Template | None]:
    """The text of a message in the letters that its recipient can read, and its template."""
    text = message.text
    if message.medium != "sms" or not isinstance(text, SmsText):
        return text, None
    if text != text.latin and (await transaction.execute(LATIN_LETTERS_QUERY, {"msisdn": message.to})).scalar():
        return text.latin, text.latin_template
    return text, text.template


async def _find_opted_out(transaction: Transaction, rows: Sequence[Row[Any]]) -> Collection[int]:
    """Return the ids of proactive messages to recipients that opted out."""
    unasked = [row for row in rows if RULES[row.kind].proactive]
    out = await opted_out_among(transaction, {row.recipient for row in unasked})
    return {row.id for row in unasked if row.recipient in out}


async def _reject_rows(
    transaction: Transaction, rows: Sequence[Row[Any]], rejected: Collection[int], error: str
) -> Sequence[Row[Any]]:
    """Mark rows as failed; return the others."""
    if rejected:
        await transaction.execute(queries.REJECT, {"refused": list(rejected), "why": error})
    return [row for row in rows if row.id not in rejected]


def _claimed_from_row(row: Row[Any], text: str, template: Template | None, sender: str) -> ClaimedMessage:
    return ClaimedMessage(
        row.id, row.recipient, text, row.kind, row.attempts, row.suspensions, row.segments, template, sender
    )


def _result_columns(message: int, result: SendResult, forgotten: bool) -> Mapping[str, object]:
    """Return the columns of a result. A message whose text was deleted cannot be queued again, and fails."""
    if result.status == "queued" and forgotten:
        result = SendResult("failed", error=result.error or "TextForgotten")
    return {
        "settled": message,
        "ended": result.status,
        "under": result.provider_id or None,
        "paid": result.cost or None,
        "reason": result.error or None,
        "again_at": result.not_before if result.status == "queued" else None,
        "is_held": result.refusal is not None and result.status == "queued",
        "uncounted": int(result.suspended),
    }


def write_template(template: Template | None, cipher: Cipher, idempotency_key: str) -> Mapping[str, object]:
    """The columns of the template of a message; its variables are as confidential as the text."""
    if template is None:
        return {"template": None, "form": None, "variables": None}
    variables = cipher.encrypt(msgspec.json.encode(template.variables), _variables_data(idempotency_key))
    return {"template": template.variant, "form": template.form, "variables": variables}


def read_template(row: Row[Any], cipher: Cipher) -> Template | None:
    """The template of the message in a row whose text was not erased; None where it has none.

    Raises:
        DecryptionError: another key encrypted the variables.
    """
    if row.template is None or row.variables is None:
        return None
    variables = cipher.decrypt(row.variables, _variables_data(row.idempotency_key))
    key, *omitted = row.template.split("-")
    return Template(key, row.form, msgspec.json.decode(variables, type=_Variables), tuple(omitted))


def _variables_data(idempotency_key: str) -> str:
    return f"message-variables:{idempotency_key}"


def associated_data(idempotency_key: str) -> str:
    """What the text of the message with this key is encrypted for."""
    return f"message:{idempotency_key}"
