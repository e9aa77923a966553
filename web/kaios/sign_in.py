"""Sign in with a number, and a one-time code or the PIN of its account.

Whoever typed the code has the phone: their number counts as verified, as in a call, and the menus ask for the PIN where they
ask callers. Whoever typed the PIN has an account and may have another phone: their number is not verified, the account is
open, and what commits asks for the PIN again, as by SMS.

Nothing tells whether a number has an account: every refusal of a PIN has one text.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

from msgspec.structs import replace

from core.phone_numbers import PhoneNumberError, parse_mobile
from core.rate_limit import WindowCounter
from core.typed_input import normalize_input
from core.typed_numbers import read_digits, read_pin
from core.types import CHANNEL_KAIOS, UtcClock, utc_now
from core.verified_caller import unverified_caller
from services.citizens.models import CheckOutcome, SendOutcome, SignInResult
from web.kaios.browser_sessions import BrowserSession, Stage, create_id

PURPOSE: Final = "kaios"
WINDOW: Final = timedelta(hours=1)
Way: TypeAlias = Literal["code", "pin"]
Refusal: TypeAlias = Literal[
    "not_a_phone",
    "not_a_mobile",
    "not_served",
    "too_many_codes",
    "too_many_tries",
    "wrong_code",
    "code_gone",
    "wrong_pin",
]
"""Why nobody is signed in; each has a text."""


class Codes(Protocol):
    """The part of `OneTimeCodes` that is used here."""

    async def send(
        self, msisdn: str, language: str, purpose: str, idempotency_key: str, *, requester: str = ""
    ) -> SendOutcome:
        """Send a code."""

    async def check(
        self, msisdn: str, purpose: str, code: str, idempotency_key: str = "", *, requester: str = ""
    ) -> CheckOutcome:
        """Check a code."""


SIGN_IN_OUTCOMES: Final = (
    *("code", "pin"),
    *("too_many_codes", "too_many_tries", "wrong_code", "code_gone", "wrong_pin"),
)
CheckPin: TypeAlias = Callable[[str, str, str], Awaitable[SignInResult]]
"""The result of a PIN, given the number and an idempotency key last; the number is not verified."""


class SignedIn(NamedTuple):
    """A sign-in that is complete, and the facts of the account that is open; none after a code."""

    session: BrowserSession
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressLimits:
    """How often one IP address may fail, and ask for codes, in an hour. An unknown address, "", has no limit."""

    counter: WindowCounter
    keyed_hash: Callable[[str, str], str]
    failures: int
    codes: int

    async def is_blocked(self, address: str) -> bool:
        """Whether there were too many failures."""
        return bool(address) and await self.counter.count(self._key("failures", address)) >= self.failures

    async def record_failure(self, address: str) -> None:
        """Count a wrong code or PIN."""
        if address:
            await self.counter.increment(self._key("failures", address), WINDOW)

    async def may_send(self, address: str) -> bool:
        """Count a code; whether the address may have it."""
        if not address:
            return True
        return (await self.counter.increment(self._key("codes", address), WINDOW)).value <= self.codes

    def _key(self, kind: str, address: str) -> str:
        return f"ekdial:kaios_{kind}:{self.keyed_hash('kaios address', address)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KaiosSignIn:
    """Begins and completes sign-ins. `countries` are those whose numbers are served, the first one first."""

    codes: Codes
    check_pin: CheckPin
    limits: AddressLimits
    countries: Sequence[str]
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(SIGN_IN_OUTCOMES, 0)))
    """Sign-ins by the way, and refusals by their reason."""
    clock: UtcClock = utc_now

    async def begin(self, typed: str, way: Way, language: str, address: str) -> BrowserSession | Refusal:
        """A sign-in that waits for its code, which is sent, or for its PIN."""
        try:
            msisdn = parse_mobile(typed, self.countries)
        except PhoneNumberError as error:
            return error.problem if error.problem != "own_number" else "not_a_phone"
        session = self._build_session(msisdn, way, language)
        if await self.limits.is_blocked(address):
            return self._refuse("too_many_tries")
        return await self._send_code(session, address) if way == "code" else session

    async def prove(self, session: BrowserSession, typed: str, address: str) -> SignedIn | Refusal:
        """Complete a sign-in with what was typed. A wrong code or PIN may be typed again."""
        if await self.limits.is_blocked(address):
            return self._refuse("too_many_tries")
        with unverified_caller():
            result = await (
                self._check_code(session, typed) if session.stage == "code" else self._try_pin(session, typed)
            )
        if isinstance(result, SignedIn):
            self.counts[session.stage] += 1
            return result
        await self.limits.record_failure(address)
        return self._refuse(result)

    async def _send_code(self, session: BrowserSession, address: str) -> BrowserSession | Refusal:
        if not await self.limits.may_send(address):
            return self._refuse("too_many_codes")
        with unverified_caller():  # nobody has shown that the number is theirs
            outcome = await self.codes.send(
                session.msisdn, session.language, PURPOSE, _name_post(session), requester=session.requester
            )
        return session if outcome == "sent" else self._refuse("too_many_codes")

    async def _check_code(self, session: BrowserSession, typed: str) -> SignedIn | Refusal:
        code = read_digits(normalize_input(typed))
        outcome = await self.codes.check(session.msisdn, PURPOSE, code, requester=session.requester)
        if outcome == "right":
            return SignedIn(self._complete(session, has_phone=True), {})
        return "wrong_code" if outcome == "wrong" else "code_gone"

    async def _try_pin(self, session: BrowserSession, typed: str) -> SignedIn | Refusal:
        post = replace(session, id=create_id())
        result = await self.check_pin(session.msisdn, read_pin(normalize_input(typed)), _name_post(post))
        if result.outcome != "in":
            return "wrong_pin"
        facts = {"account": result.account, "epoch": result.epoch}
        return SignedIn(self._complete(session, has_phone=False), facts)

    def _build_session(self, msisdn: str, stage: Stage, language: str) -> BrowserSession:
        now = self.clock()
        return BrowserSession(
            create_id(), stage, msisdn, language, now, now, requester=f"{CHANNEL_KAIOS} {create_id()}"
        )

    def _complete(self, session: BrowserSession, *, has_phone: bool) -> BrowserSession:
        signed_in = self._build_session(session.msisdn, "in", session.language)
        return replace(signed_in, has_phone=has_phone)

    def _refuse(self, refusal: Refusal) -> Refusal:
        self.counts[refusal] += 1
        return refusal


def _name_post(session: BrowserSession) -> str:
    """The idempotency key of what a post does before anybody is signed in."""
    return f"{CHANNEL_KAIOS}/{session.id}:1"
