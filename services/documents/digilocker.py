"""DigiLocker through its partner API: an account proved with the code that DigiLocker sends, its list, its files.

The shapes are those of the Authorized Partner API Specification 1.x (API Setu, `authpartner.yaml`): the flow for
limited input devices (`oauth2/1/code`, then `oauth2/1/token` with `dl_otp`), `account/2/verify`, sign-up by `signup/2/demoauth`
and `signup/1/demoauthverify`, `oauth2/2/files/issued`, `oauth2/1/file/{uri}`, `oauth2/1/xml/{uri}`. docs/documents.md tells what
of it is told apart by which words, and what a partner must have confirmed before going live.

DigiLocker finds an account by the mobile number that asks, and sends its code there; the Aadhaar number says which account
it must be. So a right code opens nothing unless both mean the same account.
"""

import asyncio
import base64
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import stamina
import structlog

from services.client import Answered, Client, Request, Unanswered
from services.documents import certificate
from services.documents.port import (
    Access,
    AccessEnded,
    Challenge,
    Citizen,
    Document,
    Facts,
    File,
    Held,
    Newcomer,
    NoSuchDocument,
    State,
    Unavailable,
)
from services.given import Clock, utc_now

log = structlog.get_logger()

JSON, XML = "application/json", "application/xml"
FILES: Final = frozenset({"application/pdf", "image/jpeg", "image/jpg", "image/png"})
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
INDIA: Final = "+91"
MOBILE_DIGITS: Final = 10
PASSING: Final = frozenset({429, 500, 502, 503, 504, 530})  # 530 is DigiLocker's own, for a repository that is down
EARLY: Final = timedelta(seconds=30)  # before a token's end, so that it does not end on the way
TRIES: Final = 3
FIRST_WAIT, LONGEST_WAIT, CHANCE = 0.1, 0.4, 0.1  # seconds between tries, and how much of them chance adds
LONGEST_TITLE: Final = 80  # characters; it stands on a screen
NOBODY: Final = frozenset({"invalid_mobile", "invalid_username", "multiple_mobile_accounts", "otp_error"})
"""Errors of `oauth2/1/code` that say there is no account to send a code to."""
OURS: Final = frozenset(
    {"invalid_client", "invalid_client_id", "unauthorized_client", "unsupported_grant_type", "invalid_request"}
    | {"hmac_mismatch", "invalid_ts", "parameter_missing"}
)
"""Errors that are about us and not about the citizen."""
_is_uri = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+ -]*-[A-Za-z0-9._:@/+ -]+", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Partner:
    """Our account at DigiLocker; `base_url` ends in `/public`."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)


Again: TypeAlias = Callable[[Unanswered], bool]
"""Whether something that was not answered may be asked again."""


class _Passing(Exception):
    """It may go better at once."""


class DigiLocker:
    """The issuer; every call of the port takes `deadline` seconds at most, retries included."""

    def __init__(self, client: Client, partner: Partner, *, deadline: float = 3.0, clock: Clock = utc_now) -> None:
        self._client = client
        self._partner = partner
        self._deadline = deadline
        self._clock = clock

    async def challenge(self, citizen: Citizen) -> Challenge:
        """DigiLocker sends a code to the mobile number that asks, if it knows it, whatever the Aadhaar number."""
        async with self._in_time():
            if citizen.newcomer is None:
                return Challenge(await self._sign_in(citizen))
            return Challenge(await self._sign_up(citizen, citizen.newcomer))

    async def open(self, state: State, code: str) -> State | None:
        """The tokens for a right code to the account that the Aadhaar number belongs to."""
        async with self._in_time():
            if state["flow"] == "device":
                return await self._open_device(state, code)
            if state["flow"] == "signup":
                return await self._open_signed_up(state, code)
        return None

    async def listed(self, access: Access) -> Sequence[Held]:
        """The issued documents; entries that cannot be understood are left out."""
        async with self._in_time():
            said = _json(await self._get(access, "oauth2/2/files/issued"))
        items = said.get("items")
        if not isinstance(items, list):
            raise Unavailable
        return [held for item in items if (held := _held(item))]

    async def fetch(self, access: Access, held: Held) -> Document:
        """The file, held to its HMAC, and what its XML says, where it has one."""
        async with self._in_time():
            file = await self._file(access, held.uri)
            facts = await self._facts(access, held)
        return Document(held.kind, held.title, facts, file)

    async def _sign_in(self, citizen: Citizen) -> State:
        """Both are always asked, so that nobody learns from the time it takes, or from a code, whose number is known."""
        try:
            async with asyncio.TaskGroup() as both:
                account = both.create_task(self._account_of(citizen.aadhaar))
                device = both.create_task(self._device(citizen.number))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        if not device.result():
            return {"flow": "nobody"}
        return {"flow": "device", "device_code": device.result(), "account": account.result()}

    async def _account_of(self, aadhaar: str) -> str:
        """The id of the account that this Aadhaar number is linked to; empty where there is none."""
        said = _json(await self._steadily(self._signed("account/2/verify", {"uid": aadhaar})))
        return str(said.get("digilockerid", "")) if str(said.get("registered")).lower() == "true" else ""

    async def _device(self, number: str) -> str:
        """The device code of a sign-in whose one-time code went to this number; empty where DigiLocker knows none."""
        form = {"client_id": self._partner.client_id, "response_type": "device_code", "dl_mobile": _mobile(number)}
        if not form["dl_mobile"]:
            return ""
        answered = await self._once(Request("POST", self._url("oauth2/1/code"), form=form))
        if _error(answered) in NOBODY:
            return ""
        return _text(_json(answered), "device_code")

    async def _sign_up(self, citizen: Citizen, newcomer: Newcomer) -> State:
        """A new account, its mobile number to be proved by a code; one that is there already is signed in to instead.

        The token that DigiLocker may answer for such a one was given without a code, and is not used.
        """
        form = {
            "uid": citizen.aadhaar,
            "name": newcomer.name,
            "dob": f"{newcomer.born:%d%m%Y}",
            "gender": newcomer.gender,
            "mobile": _mobile(citizen.number),
            "consent": "Y",
            "verification": "Y",
            "demoauth": "Y",
        }
        if not form["mobile"]:
            return {"flow": "nobody"}
        answered = await self._once(self._signed("signup/2/demoauth", form))
        error = _error(answered)
        if error == "mobile_exists" or "access_token" in _details(answered):
            return await self._sign_in(citizen)
        if error in {"auth_failure", "invalid_parameter"}:
            return {"flow": "nobody"}
        _json(answered)
        return {"flow": "signup", "mobile": form["mobile"]}

    async def _open_device(self, state: State, code: str) -> State | None:
        form = {
            "grant_type": DEVICE,
            "client_id": self._partner.client_id,
            "device_code": state["device_code"],
            "dl_otp": code,
        }
        answered = await self._once(Request("POST", self._url("oauth2/1/token"), form=form))
        if _refuses(answered):
            return None
        said = _json(answered)
        granted = self._granted(said)
        account = await self._account_behind(said, granted["access"])
        return granted if state["account"] and account == state["account"] else None

    async def _open_signed_up(self, state: State, code: str) -> State | None:
        form = {"mobile": state["mobile"], "otp": code}
        answered = await self._once(self._signed("signup/1/demoauthverify", form))
        return None if _refuses(answered) else self._granted(_json(answered))

    async def _account_behind(self, said: Mapping[str, Any], token: str) -> str:
        """Whose token this is: newer versions say it with the token, older ones when they are asked."""
        account = said.get("digilockerid") or said.get("digilocker_id")
        if account:
            return str(account)
        asked = Request("GET", self._url("oauth2/1/user"), headers=_bearer(token))
        return _text(_json(await self._steadily(asked)), "digilockerid")

    def _granted(self, said: Mapping[str, Any], before: State | None = None) -> State:
        """Tokens as they are kept; one that is renewed without a new refresh token keeps the one it had."""
        said = _within(said)
        seconds = str(said.get("expires_in"))
        lives = timedelta(seconds=int(seconds) if seconds.isdecimal() else 0)
        return {
            "access": _text(said, "access_token"),
            "refresh": str(said.get("refresh_token") or (before or {}).get("refresh", "")),
            "until": (self._clock() + lives).isoformat(),
        }

    async def _get(self, access: Access, path: str) -> Answered:
        """What lies at `path` for whoever has this access, whose token is renewed where it has ended or is refused."""
        if datetime.fromisoformat(access.granted["until"]) - EARLY <= self._clock():
            await self._renew(access)
        answered = await self._steadily(Request("GET", self._url(path), headers=_bearer(access.granted["access"])))
        if answered.status != 401:  # noqa: PLR2004
            return answered
        await self._renew(access)
        answered = await self._steadily(Request("GET", self._url(path), headers=_bearer(access.granted["access"])))
        if answered.status == 401:  # noqa: PLR2004
            raise AccessEnded
        return answered

    async def _renew(self, access: Access) -> None:
        refresh = access.granted["refresh"]
        if not refresh:
            raise AccessEnded
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": self._partner.client_id,
            "client_secret": self._partner.client_secret,
        }
        answered = await self._once(Request("POST", self._url("oauth2/1/token"), form=form))
        if _refuses(answered):
            raise AccessEnded
        await access.renewed(self._granted(_json(answered), access.granted))

    async def _file(self, access: Access, uri: str) -> File:
        answered = await self._get(access, f"oauth2/1/file/{quote(uri, safe='')}")
        return File(self._sealed(answered, FILES).media, answered.body)

    async def _facts(self, access: Access, held: Held) -> Facts:
        """What the XML says; without one that can be read, what the list said."""
        if XML not in held.media:
            return Facts(issuer=held.issuer)
        try:
            answered = await self._get(access, f"oauth2/1/xml/{quote(held.uri, safe='')}")
            return certificate.facts(self._sealed(answered, frozenset({XML})).body)
        except (NoSuchDocument, Unavailable, certificate.Unreadable):
            log.warning("a document's xml cannot be read", kind=held.kind)
            return Facts(issuer=held.issuer)

    def _sealed(self, answered: Answered, media: frozenset[str]) -> Answered:
        """A document that is one of these types and has the HMAC-SHA256 under our secret that its header says."""
        if answered.status == 404:  # noqa: PLR2004
            raise NoSuchDocument
        if answered.status != 200 or answered.media not in media:  # noqa: PLR2004
            raise _unusable(answered)
        secret = self._partner.client_secret.encode()
        digest = base64.b64encode(hmac.digest(secret, answered.body, "sha256")).decode()
        if not hmac.compare_digest(digest.encode(), answered.headers.get("hmac", "").encode()):
            log.error("a document is not as DigiLocker sealed it")
            raise Unavailable
        return answered

    def _signed(self, path: str, form: Mapping[str, str]) -> Request:
        """A form with who we are and a digest that only we can make; good for half an hour."""
        partner, stamp = self._partner, str(int(self._clock().timestamp()))
        digest = sha256(f"{partner.client_secret}{partner.client_id}{stamp}".encode()).hexdigest()
        signed = {"clientid": partner.client_id, **form, "ts": stamp, "hmac": digest}
        return Request("POST", self._url(path), form=signed, parts=True)

    def _url(self, path: str) -> str:
        return f"{self._partner.base_url.rstrip('/')}/{path}"

    async def _once(self, request: Request) -> Answered:
        """The answer to something that must not be done twice; what certainly never arrived is tried again."""
        return await self._tried(request, lambda failed: failed.unheard, frozenset())

    async def _steadily(self, request: Request) -> Answered:
        """The answer to something that may be asked as often as one likes."""
        return await self._tried(request, lambda _: True, PASSING)

    async def _tried(self, request: Request, again: Again, passing: frozenset[int]) -> Answered:
        answered: Answered | None = None
        try:
            async for attempt in stamina.retry_context(
                on=_Passing,
                attempts=TRIES,
                timeout=None,
                wait_initial=FIRST_WAIT,
                wait_max=LONGEST_WAIT,
                wait_jitter=CHANCE,
            ):
                with attempt:
                    answered = await self._sent(request, again)
                    if answered.status in passing:
                        raise _Passing  # noqa: TRY301
        except _Passing:
            if answered is None:
                raise Unavailable from None
        assert answered is not None  # noqa: S101 - an attempt ended it
        return answered

    async def _sent(self, request: Request, again: Again) -> Answered:
        try:
            return await self._client(request)
        except Unanswered as failed:
            if again(failed):
                raise _Passing from None
            raise Unavailable from None

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except TimeoutError:
            log.warning("issuer is slow", seconds=self._deadline)
            raise Unavailable from None


def _held(item: Any) -> Held | None:
    if not isinstance(item, dict) or not _is_uri(str(item.get("uri", ""))):
        return None
    named = str(item.get("name") or item.get("description") or item.get("doctype") or item["uri"].partition("-")[0])
    media = item.get("mime") or ()
    listed = [media] if isinstance(media, str) else media
    return Held(
        uri=item["uri"],
        kind=str(item.get("doctype") or ""),
        title=" ".join(named.split())[:LONGEST_TITLE],
        issuer=" ".join(str(item.get("issuer") or "").split())[:LONGEST_TITLE],
        media=tuple(str(one).lower() for one in listed),
    )


def _json(answered: Answered) -> Mapping[str, Any]:
    """The object that was answered. Raises Unavailable for anything else."""
    said = _object(answered)
    if answered.status != 200 or said is None:  # noqa: PLR2004
        raise _unusable(answered)
    return said


def _object(answered: Answered) -> Mapping[str, Any] | None:
    if answered.media != JSON:
        return None
    try:
        said = json.loads(answered.body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _error(answered: Answered) -> str:
    """The error that was answered, as DigiLocker names it; empty for an answer that is none."""
    return "" if answered.status == 200 else str((_object(answered) or {}).get("error", ""))  # noqa: PLR2004


def _refuses(answered: Answered) -> bool:
    """Whether the citizen's code or token was refused, as opposed to the request."""
    return answered.status in {400, 401} and _error(answered) not in OURS | {""}


def _details(answered: Answered) -> Mapping[str, Any]:
    return _within(_object(answered) or {})


def _within(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some answers are described with everything under `details`, and seen without."""
    details = said.get("details")
    return details if isinstance(details, dict) else said


def _text(said: Mapping[str, Any], key: str) -> str:
    value = _within(said).get(key)
    if not isinstance(value, str) or not value:
        log.error("issuer leaves something out", key=key)
        raise Unavailable
    return value


def _unusable(answered: Answered) -> Unavailable:
    log.warning("issuer answers what cannot be used", status=answered.status, media=answered.media)
    return Unavailable()


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _mobile(number: str) -> str:
    """The ten digits of an Indian number; empty for any other, which no account can have."""
    digits = number.removeprefix(INDIA)
    return digits if number.startswith(INDIA) and len(digits) == MOBILE_DIGITS else ""
