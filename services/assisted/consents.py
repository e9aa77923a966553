"""Consents: a citizen lets an operator act for them, by a code that is sent to the citizen's phone.

A consent is for some purposes. It is open for CONSENT_TTL, or until the operator or the citizen ends it; then the citizen gets
an SMS about what the operator did. A later consent can add purposes to a visit; it begins with a code of its own, and ends
with the visit. A repeated idempotency key gets the first result.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, or_, select, update

from core.claim_worker import result_or_log
from core.idempotency import is_earlier_in_session, session_prefix
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import ADDED_CONSENT, OPEN_CONSENT, accounts, consent_checks, consents, operators
from services.assisted.limits import ConsentLimits, DailyLimits
from services.assisted.models import (
    CheckOutcome,
    CheckResult,
    ConsentingCitizen,
    ConsentRequest,
    EndReason,
    RequestOutcome,
    RequestResult,
    join_purposes,
    list_purposes,
)
from services.assisted.visit_summary import VisitSummaries
from services.audit.audit import AuditLog
from services.audit.models import AuditEntry
from services.citizens.one_time_codes import CodeText, OneTimeCodes
from services.messaging.messages import Messages
from services.messaging.models import Message

CONSENT_TTL: Final = timedelta(minutes=30)
BATCH_SIZE: Final = 100
"""Consents that one transaction expires."""


class Consents:
    """Requests, verifies and ends consents.

    `find_language` gives the language of an MSISDN; `summaries` renders the texts about the operator and the visit.
    """

    def __init__(
        self,
        database: Database,
        messages: Messages,
        codes: OneTimeCodes,
        summaries: VisitSummaries,
        *,
        find_language: Callable[[str], Awaitable[str]],
        limits: DailyLimits | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._codes = codes
        self._summaries = summaries
        self._find_language = find_language
        self._limits = ConsentLimits(database, limits or DailyLimits(), clock)
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def request(self, consent_request: ConsentRequest, idempotency_key: str) -> RequestResult:
        """Send the citizen an SMS with the operator, the purposes and the code."""
        row = await self._insert_request(consent_request, idempotency_key)
        if row is None:  # the key is that of another request
            return RequestResult("too_many", 0)
        if row.outcome not in {"asking", "sent"}:
            return RequestResult(row.outcome, row.id)
        if row.outcome == "asking" and (reached := await self._limits.find_reached_limit(row)):
            return await self._record_request(row, reached)
        return await self._record_request(row, await self._send_code(row))

    async def verify_code(self, consent: int, code: str, idempotency_key: str) -> CheckResult:
        """Check a code. The right one opens the consent and ends the operator's other visits."""
        row = await self._load(consent)
        if earlier := await self._find_earlier_check(consent, idempotency_key):
            return self._build_check_result(row, earlier)
        outcome = await self._check_code(row, code, idempotency_key)
        async with self._database.transaction() as transaction:
            check_row = {
                "consent": consent,
                "outcome": outcome,
                "idempotency_key": idempotency_key,
                "created_at": self._clock(),
            }
            await transaction.execute(self._database.insert_or_ignore(consent_checks), check_row)
            if outcome == "right":
                if row.visit is None:
                    await self._end_others(transaction, row, idempotency_key)
                await self._activate(transaction, row, idempotency_key)
        return self._build_check_result(await self._load(consent), outcome)

    async def citizen_of(self, consent: int) -> ConsentingCitizen:
        """The citizen, and the operator as the citizen reads them."""
        row = await self._load(consent)
        return ConsentingCitizen(row.msisdn, row.language, self._summaries.operator_facts(row))

    async def attach_account(self, consent: int) -> int:
        """Attach the account that the citizen has by now, and return it."""
        account = select(accounts.c.id).where(accounts.c.msisdn == consents.c.msisdn).scalar_subquery()
        change = update(consents).where(consents.c.id == consent).values(account=account).returning(consents.c.account)
        async with self._database.transaction() as transaction:
            return int((await transaction.execute(change)).scalar_one())

    async def end_reason(self, consent: int, idempotency_key: str) -> EndReason | None:
        """Why the consent is not open; None while it is open.

        A replayed input that precedes the end in the same session finds the consent open.
        """
        row = await self._load(consent)
        if row.ended_at:
            return None if is_earlier_in_session(idempotency_key, row.end_idempotency_key or "") else row.ended_by
        if row.given_at is None:
            return "lapsed"
        reason = await self._find_end_reason(row)
        if reason:
            async with self._database.transaction() as transaction:
                await self._end(transaction, row, reason, idempotency_key)
        return reason

    async def end(self, consent: int, idempotency_key: str) -> None:
        """End the consent for the operator."""
        async with self._database.transaction() as transaction:
            await self._end(transaction, await self._load(consent), "operator", idempotency_key)

    async def end_other_sessions(self, operator: int, idempotency_key: str) -> None:
        """End the consents of the operator that other sessions left open."""
        of_other_session = ~consents.c.idempotency_key.startswith(session_prefix(idempotency_key), autoescape=True)
        query = _SELECT_WITH_OPERATOR.where(OPEN_CONSENT, consents.c.operator == operator, of_other_session)
        async with self._database.transaction() as transaction:
            for row in (await transaction.execute(query)).all():
                await self._end(transaction, row, "another", idempotency_key)

    async def revoke_by_citizen(self, msisdn: str, idempotency_key: str) -> bool:
        """End the open consents and requests of a citizen; False where there are none."""
        query = _SELECT_WITH_OPERATOR.where(consents.c.msisdn == msisdn, _is_open_at(self._clock()))
        ended_by_key = select(consents.c.id).where(
            consents.c.msisdn == msisdn, consents.c.end_idempotency_key == idempotency_key
        )
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
            for row in rows:
                await self._end(transaction, row, "citizen", idempotency_key)
            return bool(rows) or (await transaction.execute(ended_by_key)).first() is not None

    async def expire(self) -> int:
        """End the consents whose time is over; their number. One that fails is logged, and stops no other."""
        count, place = 0, 0
        lapsed = select(consents.c.id).where(OPEN_CONSENT, consents.c.lapses_at <= self._clock())
        lapsed = lapsed.order_by(consents.c.id).limit(BATCH_SIZE)
        while ids := (await self._database.fetch(lapsed.where(consents.c.id > place))).scalars().all():
            place = ids[-1]
            for consent in ids:
                count += bool(await result_or_log(self._expire_one(consent), "consent_not_ended", consent=consent))
        return count

    async def _expire_one(self, consent: int) -> bool:
        """End a consent; False where another process has ended it."""
        async with self._database.transaction() as transaction:
            query = _SELECT_WITH_OPERATOR.where(OPEN_CONSENT, consents.c.id == consent)
            row = (await transaction.execute(query)).one_or_none()
            if row is not None:
                await self._end(transaction, row, "lapsed", "")
        return row is not None

    async def _insert_request(self, consent_request: ConsentRequest, idempotency_key: str) -> Row[Any] | None:
        """Insert the request before the limits are checked, so that concurrent requests cannot exceed them.

        None where another operator, or a request for another citizen, has this key.
        """
        purpose, _, further = join_purposes(consent_request.purposes).partition(" ")
        row = {
            "operator": consent_request.operator,
            "msisdn": consent_request.msisdn,
            "newcomer": False,
            "purpose": purpose,
            "further_purposes": further,
            "visit": consent_request.visit or None,
            "language": await self._find_language(consent_request.msisdn),
            "channel": consent_request.channel,
            "outcome": "asking",
            "idempotency_key": idempotency_key,
            "requested_at": self._clock(),
        }
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(consents), row)
            same = (consents.c.operator == consent_request.operator, consents.c.msisdn == consent_request.msisdn)
            query = _SELECT_WITH_OPERATOR.where(consents.c.idempotency_key == idempotency_key, *same)
            return (await transaction.execute(query)).one_or_none()

    async def _send_code(self, row: Row[Any]) -> RequestOutcome:
        if row.given_at or row.ended_at:
            return "sent"  # a repeated key: its code is used
        code_text = CodeText("consent_code", {**self._summaries.operator_facts(row), "purpose": list_purposes(row)})
        purpose = _code_purpose(row.id)
        return await self._codes.send(
            row.msisdn,
            row.language,
            purpose,
            row.idempotency_key,
            code_text=code_text,
            requester=row.operator_msisdn,
        )

    async def _record_request(self, row: Row[Any], outcome: RequestOutcome) -> RequestResult:
        if row.outcome == outcome:
            return RequestResult(outcome, row.id)
        async with self._database.transaction() as transaction:
            await transaction.execute(update(consents).where(consents.c.id == row.id).values(outcome=outcome))
            if outcome == "sent":
                await self._record_audit(transaction, row, "consent_asked", row.idempotency_key)
        return RequestResult(outcome, row.id)

    async def _check_code(self, row: Row[Any], code: str, idempotency_key: str) -> CheckOutcome:
        if row.ended_at or row.suspended_at or row.requested_at <= self._clock() - CONSENT_TTL:
            return "gone"
        if row.visit is not None and await self.end_reason(row.visit, idempotency_key):
            return "gone"
        if await self._limits.has_reached_wrong_codes(row):
            return "spent"
        purpose = _code_purpose(row.id)
        return await self._codes.check(row.msisdn, purpose, code, idempotency_key, requester=row.operator_msisdn)

    async def _find_earlier_check(self, consent: int, idempotency_key: str) -> CheckOutcome | None:
        """The recorded outcome of this key, where it is a check of the same consent."""
        same_check = (consent_checks.c.idempotency_key == idempotency_key, consent_checks.c.consent == consent)
        query = select(consent_checks.c.outcome).where(*same_check)
        return (await self._database.fetch(query)).scalar_one_or_none()

    async def _activate(self, transaction: Transaction, row: Row[Any], idempotency_key: str) -> None:
        query = select(accounts.c.id).where(accounts.c.msisdn == row.msisdn)
        account = (await transaction.execute(query)).scalar_one_or_none()
        now = self._clock()
        lapses_at = now + CONSENT_TTL
        if row.visit is not None:  # what is added ends with the visit
            query = select(consents.c.lapses_at).where(OPEN_CONSENT, consents.c.id == row.visit)
            lapses_at = (await transaction.execute(query)).scalar_one_or_none() or now
        values = {"given_at": now, "lapses_at": lapses_at, "account": account, "newcomer": account is None}
        is_requested = (consents.c.id == row.id, consents.c.given_at.is_(None), consents.c.ended_at.is_(None))
        if (await transaction.execute(update(consents).where(*is_requested).values(values))).rowcount:
            await self._record_audit(transaction, row, "consent_given", idempotency_key, account=account)

    @staticmethod
    def _build_check_result(row: Row[Any], outcome: CheckOutcome) -> CheckResult:
        """The result as of the consent: an account that was registered since is left out."""
        if outcome != "right":
            return CheckResult(outcome)
        return CheckResult("right", 0 if row.newcomer else row.account or 0, row.language)

    async def _find_end_reason(self, row: Row[Any]) -> EndReason | None:
        if row.suspended_at:
            return "suspended"
        if row.lapses_at <= self._clock():
            return "lapsed"
        return "limit" if await self._limits.has_reached_applications(row) else None

    async def _end_others(self, transaction: Transaction, row: Row[Any], idempotency_key: str) -> None:
        others = _SELECT_WITH_OPERATOR.where(OPEN_CONSENT, consents.c.operator == row.operator, consents.c.id != row.id)
        for other in (await transaction.execute(others)).all():
            await self._end(transaction, other, "another", idempotency_key)

    async def _end(self, transaction: Transaction, row: Row[Any], reason: EndReason, idempotency_key: str) -> None:
        """End a consent once, and send the citizen the summary. A citizen who refuses a request gets the reply instead."""
        values = {"ended_at": self._clock(), "ended_by": reason, "end_idempotency_key": idempotency_key or None}
        is_open = (consents.c.id == row.id, consents.c.ended_at.is_(None))
        if not (await transaction.execute(update(consents).where(*is_open).values(values))).rowcount:
            return
        await self._record_audit(transaction, row, "consent_ended", f"consent:{row.id}", account=row.account)
        if row.visit is not None:
            return  # the summary is that of the visit
        await self._end_additions(transaction, row, reason, idempotency_key)
        acts = await self._summaries.list_acts(transaction, row) if row.given_at else []
        if acts or (row.given_at and reason != "citizen"):
            text = self._summaries.render_summary(row, acts, await self._summaries.find_fees_due(transaction, acts))
            await self._messages.enqueue(transaction, Message(row.msisdn, text, "info", f"consent:{row.id}/ended"))

    async def _end_additions(
        self, transaction: Transaction, row: Row[Any], reason: EndReason, idempotency_key: str
    ) -> None:
        additions = (ADDED_CONSENT, consents.c.visit == row.id, consents.c.ended_at.is_(None))
        for addition in (await transaction.execute(_SELECT_WITH_OPERATOR.where(*additions))).all():
            await self._end(transaction, addition, reason, idempotency_key)

    async def _record_audit(
        self, transaction: Transaction, row: Row[Any], act: str, idempotency_key: str, *, account: int | None = None
    ) -> None:
        entry = AuditEntry(
            actor_kind="operator",
            actor=str(row.operator),
            act=act,
            subject_kind="consent",
            subject=str(row.id),
            channel=row.channel,
            idempotency_key=idempotency_key,
            on_behalf_of=str(account) if account else "",
            details={"purpose": " ".join(list_purposes(row)), "consent": str(row.id)},
        )
        await self._audit.record(transaction, entry)

    async def _load(self, consent: int) -> Row[Any]:
        return (await self._database.fetch(_SELECT_WITH_OPERATOR.where(consents.c.id == consent))).one()


def _code_purpose(consent: int) -> str:
    """The purpose of a code: one consent."""
    return f"consent {consent}"


def _is_open_at(now: datetime) -> ColumnElement[bool]:
    """Whether a request waits for its code, or a consent is open."""
    is_requested = and_(consents.c.given_at.is_(None), consents.c.requested_at > now - CONSENT_TTL)
    is_given = and_(consents.c.given_at.is_not(None), consents.c.lapses_at > now)
    return and_(consents.c.outcome == "sent", consents.c.ended_at.is_(None), or_(is_requested, is_given))


_OPERATOR_COLUMNS = (
    operators.c.msisdn.label("operator_msisdn"),
    *(operators.c[name] for name in ("name", "centre", "suspended_at", "consents_a_day", "applications_a_day")),
)
_SELECT_WITH_OPERATOR = select(consents, *_OPERATOR_COLUMNS).join(operators, operators.c.id == consents.c.operator)
