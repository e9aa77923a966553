"""Sign-ins for documents: an Aadhaar number, a one-time code, then a session of a quarter of an hour.

The Aadhaar number is stored as a keyed hash and its last four digits. Each idempotency key takes effect once; a repeat, by
any process and at any time, gets the first result. Known and unknown numbers get the same answers and count alike, until a
code is right.

Requests and wrong codes are counted for each caller, so that a stranger does not close an Aadhaar number for its holder, and
for each number by all callers, which is an alarm. SMS, whose sender can be forged, are counted apart.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, get_args

import msgspec
import structlog
from sqlalchemy import ColumnElement, Row, Select, func, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import document_checks, document_holders, document_sign_ins
from services.citizens.one_time_codes import OneTimeCodes
from services.documents.issuers.base import Citizen, Issuer, IssuerState, IssuerUnavailableError
from services.documents.models import ChallengeOutcome, CheckOutcome, SignInChallenge, SignInRequest

REQUEST_WINDOW: Final = timedelta(hours=1)
MAX_REQUESTS_PER_CALLER: Final = 5  # in an hour, for all Aadhaar numbers
MAX_REQUESTS_PER_AADHAAR: Final = 20  # in an hour, by all callers; not for who has signed in with it
MAX_CHECKS: Final = 5  # of one code
MAX_WRONG_PER_CALLER: Final = 20  # in a day, by one caller for one Aadhaar number
MAX_WRONG_PER_AADHAAR: Final = 100  # in a day, by all callers; not for who has signed in with it
DAY: Final = timedelta(days=1)
SMS_KEY_PREFIX: Final = "sms/"  # of the idempotency keys of SMS
CODE_TTL: Final = timedelta(minutes=10)
SESSION_TTL: Final = timedelta(minutes=15)
COUNTED_STATUSES: Final = ("asking", "sent", "open")
# How often, and how many seconds apart, to look for the result of another process
MAX_POLLS, POLL_INTERVAL = 30, 0.1

log = structlog.get_logger()


class SignInSession:
    """What an issuer granted, stored encrypted with the sign-in, and replaced there when the issuer renews it."""

    def __init__(self, sign_ins: "DocumentSignIns", sign_in: int, granted: IssuerState) -> None:
        self._sign_ins = sign_ins
        self._sign_in = sign_in
        self.granted = granted

    async def save_renewed(self, granted: IssuerState) -> None:
        """Store the renewed grant."""
        self.granted = granted
        await self._sign_ins.update(self._sign_in, granted=self._sign_ins.encrypt(granted, self._sign_in))


class DocumentSignIns:
    """The sign-ins of all callers. MSISDNs are E.164; Aadhaar numbers have twelve digits and a valid check digit."""

    def __init__(
        self, database: Database, issuer: Issuer, codes: OneTimeCodes, cipher: Cipher, *, clock: UtcClock = utc_now
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._codes = codes
        self._cipher = cipher
        self._clock = clock
        self.alarms: Counter[str] = Counter()
        """The number of alarms about an Aadhaar number, by the limit reached: requests or wrong_codes."""

    async def request_challenge(self, request: SignInRequest, idempotency_key: str) -> SignInChallenge:
        """Have a code sent for this Aadhaar number; the answer does not say whether the number has documents."""
        holder = await self._find_holder(request.aadhaar)
        if not await self._insert(request, holder, idempotency_key):
            return await self._find_earlier_challenge(request, idempotency_key)
        row = await self._fetch_row(document_sign_ins.c.idempotency_key == idempotency_key)
        outcome: ChallengeOutcome = (
            "too_many" if await self._is_rate_limited(row) else await self._start_challenge(request, row)
        )
        if outcome != "sent":
            await self.update(row.id, status=outcome)
        return SignInChallenge(outcome, row.id, row.last_four)

    async def check_code(self, sign_in: int, code: str, idempotency_key: str) -> CheckOutcome:
        """Return whether this is the code; if so, the session is open for a quarter of an hour."""
        row = {"sign_in": sign_in, "outcome": "", "idempotency_key": idempotency_key, "created_at": self._clock()}
        async with self._database.transaction() as transaction:
            inserted = await transaction.execute(self._database.insert_or_ignore(document_checks), row)
        if not inserted.rowcount:
            return await self._find_earlier_check(idempotency_key)
        outcome: CheckOutcome = "down"
        try:
            outcome = await self._check_code(
                await self._fetch_row(document_sign_ins.c.id == sign_in), code, idempotency_key
            )
        finally:
            noted = (
                update(document_checks)
                .where(document_checks.c.idempotency_key == idempotency_key)
                .values(outcome=outcome)
            )
            async with self._database.transaction() as transaction:
                await transaction.execute(noted)
        return outcome

    async def find_session(self, sign_in: int) -> SignInSession | None:
        """Return the session of a sign-in; None if it is not open."""
        row = await self._fetch_row(document_sign_ins.c.id == sign_in)
        if row.status != "open" or row.granted is None or row.ends_at <= self._clock():
            return None
        return SignInSession(self, sign_in, self._decrypt(row.granted, sign_in))

    async def update(self, sign_in: int, **columns: Any) -> None:
        """Update columns of a sign-in."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                update(document_sign_ins).where(document_sign_ins.c.id == sign_in).values(columns)
            )

    def encrypt(self, value: Any, sign_in: int) -> bytes:
        """Encrypt a JSON value so that it decrypts for this sign-in only."""
        return self._cipher.encrypt(msgspec.json.encode(value), _associated_data(sign_in))

    async def _find_holder(self, aadhaar: str) -> str:
        """The keyed hash of an Aadhaar number: the one by which it is known from before the key was changed, or today's."""
        holders = self._cipher.keyed_hashes("aadhaar", aadhaar)
        for known in (document_holders.c.holder, document_sign_ins.c.holder):
            query = select(known).where(known.in_(holders[1:])).limit(1)
            if holder := (await self._database.fetch(query)).scalar_one_or_none():
                return str(holder)
        return holders[0]

    async def _insert(self, request: SignInRequest, holder: str, idempotency_key: str) -> bool:
        now = self._clock()
        row = {
            "msisdn": request.msisdn,
            "holder": holder,
            "last_four": request.aadhaar[-4:],
            "status": "asking",
            "idempotency_key": idempotency_key,
            "created_at": now,
            "ends_at": now + CODE_TTL,
        }
        async with self._database.transaction() as transaction:
            inserted = await transaction.execute(self._database.insert_or_ignore(document_sign_ins), row)
        return bool(inserted.rowcount)

    async def _is_rate_limited(self, row: Row[Any]) -> bool:
        """Count after the insert, so that concurrent requests cannot exceed a limit."""
        requests = _requests_since(self._clock() - REQUEST_WINDOW).where(_is_same_channel(row))
        if await self._count(requests.where(document_sign_ins.c.msisdn == row.msisdn)) > MAX_REQUESTS_PER_CALLER:
            return True
        of_number = await self._count(requests.where(_is_same_holder(row)))
        return of_number > MAX_REQUESTS_PER_AADHAAR and await self._is_stranger(row, "requests")

    async def _has_too_many_wrong_codes(self, row: Row[Any]) -> bool:
        """Count including this check, which is inserted already, so that concurrent checks cannot exceed a limit."""
        failed = _failed_checks_since(self._clock() - DAY).where(_is_same_holder(row), _is_same_channel(row))
        if await self._count(failed.where(document_sign_ins.c.msisdn == row.msisdn)) > MAX_WRONG_PER_CALLER:
            return True
        return await self._count(failed) > MAX_WRONG_PER_AADHAAR and await self._is_stranger(row, "wrong_codes")

    async def _is_stranger(self, row: Row[Any], limit: str) -> bool:
        """Whether the caller never signed in with this number, as far as that is known; the limit is then an alarm."""
        opened = select(func.count()).select_from(document_sign_ins)
        opened = opened.where(document_sign_ins.c.msisdn == row.msisdn, document_sign_ins.c.status == "open")
        if await self._count(opened.where(_is_same_holder(row), _is_same_channel(row))):
            return False
        self.alarms[limit] += 1
        log.critical("aadhaar_limit_reached", limit=limit)
        return True

    async def _start_challenge(self, request: SignInRequest, row: Row[Any]) -> ChallengeOutcome:
        citizen = Citizen(request.aadhaar, row.holder, request.msisdn, request.new_account)
        try:
            challenge = await self._issuer.challenge(citizen)
        except IssuerUnavailableError:
            return "down"
        state = self.encrypt(challenge.state, row.id)
        await self.update(row.id, state=state, code_to=challenge.code_recipient or None, status="sent")
        return await self._send_code(request, challenge.code_recipient, row.holder, row.idempotency_key)

    async def _send_code(
        self, request: SignInRequest, code_recipient: str, holder: str, idempotency_key: str
    ) -> ChallengeOutcome:
        """Hide that another person's phone got too many codes: the caller's code is never right then."""
        if not code_recipient:
            return "sent"
        sent = await self._codes.send(
            code_recipient, request.language, _code_purpose(holder), idempotency_key, requester=request.msisdn
        )
        return sent if code_recipient == request.msisdn else "sent"

    async def _find_earlier_challenge(self, request: SignInRequest, idempotency_key: str) -> SignInChallenge:
        """Return the first result; if that was a code of ours, store it again in case Redis lost it."""
        row = await self._fetch_row(document_sign_ins.c.idempotency_key == idempotency_key)
        for _ in range(MAX_POLLS):
            if row.status != "asking":
                break
            await asyncio.sleep(POLL_INTERVAL)
            row = await self._fetch_row(document_sign_ins.c.idempotency_key == idempotency_key)
        if row.status == "sent":
            await self._send_code(request, row.code_to or "", row.holder, idempotency_key)
        return SignInChallenge(_CHALLENGE_OUTCOMES.get(row.status, "down"), row.id, row.last_four)

    async def _check_code(self, row: Row[Any], code: str, idempotency_key: str) -> CheckOutcome:
        if await self._has_too_many_wrong_codes(row):
            return "too_many"
        since = self._clock() - DAY
        of_this = await self._count(_failed_checks_since(since).where(document_sign_ins.c.id == row.id))
        if row.status != "sent" or row.ends_at <= self._clock() or of_this > MAX_CHECKS:
            return "gone"
        if row.code_to:
            checked = await self._codes.check(
                row.code_to, _code_purpose(row.holder), code, idempotency_key, requester=row.msisdn
            )
            return await self._open_session(row, "") if checked == "right" else checked
        return await self._open_session(row, code)

    async def _open_session(self, row: Row[Any], code: str) -> CheckOutcome:
        try:
            granted = await self._issuer.grant_access(self._decrypt(row.state, row.id), code)
        except IssuerUnavailableError:
            return "down"
        if granted is None:
            return "wrong"
        encrypted, ends = self.encrypt(granted, row.id), self._clock() + SESSION_TTL
        await self.update(row.id, status="open", state=None, granted=encrypted, ends_at=ends)
        return "right"

    async def _find_earlier_check(self, idempotency_key: str) -> CheckOutcome:
        """Return the result of an earlier check; `down` if the process that made it died."""
        outcome = select(document_checks.c.outcome).where(document_checks.c.idempotency_key == idempotency_key)
        for _ in range(MAX_POLLS):
            if result := _CHECK_OUTCOMES.get((await self._database.fetch(outcome)).scalar_one()):
                return result
            await asyncio.sleep(POLL_INTERVAL)
        return "down"

    def _decrypt(self, encrypted: bytes, sign_in: int) -> IssuerState:
        return msgspec.json.decode(self._cipher.decrypt(encrypted, _associated_data(sign_in)), type=dict[str, str])

    async def _fetch_row(self, condition: Any) -> Row[Any]:
        return (await self._database.fetch(select(document_sign_ins).where(condition))).one()

    async def _count(self, counted: Select[int]) -> int:
        return int((await self._database.fetch(counted)).scalar_one())


_CHALLENGE_OUTCOMES: Mapping[str, ChallengeOutcome] = {"sent": "sent", "open": "sent", "too_many": "too_many"}
_CHECK_OUTCOMES: Mapping[str, CheckOutcome] = {known: known for known in get_args(CheckOutcome)}


def _requests_since(since: datetime) -> Select[int]:
    """Count requests since then, without those that were rejected or met an issuer that was down."""
    counted = select(func.count()).select_from(document_sign_ins)
    return counted.where(document_sign_ins.c.created_at > since, document_sign_ins.c.status.in_(COUNTED_STATUSES))


def _failed_checks_since(since: datetime) -> Select[int]:
    """Count codes since then that were wrong or are being checked."""
    counted = select(func.count()).select_from(document_checks.join(document_sign_ins))
    return counted.where(document_checks.c.created_at >= since, document_checks.c.outcome.in_(("wrong", "")))


def _is_same_holder(row: Row[Any]) -> ColumnElement[bool]:
    same: ColumnElement[bool] = document_sign_ins.c.holder == row.holder
    return same


def _is_same_channel(row: Row[Any]) -> ColumnElement[bool]:
    """The condition for sign-ins by SMS if this one is by SMS, and for all others if it is not."""
    is_by_sms = document_sign_ins.c.idempotency_key.startswith(SMS_KEY_PREFIX)
    return is_by_sms if row.idempotency_key.startswith(SMS_KEY_PREFIX) else ~is_by_sms


def _code_purpose(holder: str) -> str:
    """Return the purpose of a code: the documents of this Aadhaar number only."""
    return f"documents {holder}"


def _associated_data(sign_in: int) -> str:
    return f"document sign-in:{sign_in}"
