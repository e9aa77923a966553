"""DigiLocker through its partner API: sign in with the code that DigiLocker sends, list documents, fetch files.

The requests are those of the Authorized Partner API Specification 1.x (API Setu, `authpartner.yaml`): the flow for limited
input devices (`oauth2/1/code`, then `oauth2/1/token` with `dl_otp`), `account/2/verify`, sign-up by `signup/2/demoauth` and
`signup/1/demoauthverify`, `oauth2/2/files/issued`, `oauth2/1/file/{uri}`, `oauth2/1/xml/{uri}`. docs/documents.md lists the
errors we tell apart, and what a partner must have confirmed before going live.

DigiLocker finds an account by the caller's mobile number and sends its code there; the Aadhaar number says which account it
must be. So a right code opens nothing unless both mean the same account.
"""

import asyncio
import base64
import hmac
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

from core.http.client import HttpClient, HttpRequest, HttpResponse, NoResponseError
from core.json_text import parse_json_object
from core.timeouts import Timeout
from core.timestamps import parse_lifetime
from core.types import UtcClock, utc_now
from services.documents import certificate
from services.documents.issuers.base import (
    AccessExpiredError,
    Challenge,
    Citizen,
    IssuerAccess,
    IssuerState,
    IssuerUnavailableError,
    NoSuchDocumentError,
)
from services.documents.models import Document, DocumentFacts, DocumentFile, IssuedDocument, NewAccountDetails

log = structlog.get_logger()

JSON, XML = "application/json", "application/xml"
FILE_MEDIA_TYPES: Final = frozenset({"application/pdf", "image/jpeg", "image/jpg", "image/png"})
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
INDIA_PREFIX: Final = "+91"
MOBILE_DIGITS: Final = 10
RETRYABLE_STATUSES: Final = frozenset(
    {429, 500, 502, 503, 504, 530}
)  # 530 is DigiLocker's own, for a repository that is down
TOKEN_RENEWAL_MARGIN: Final = timedelta(seconds=30)  # before a token expires, so that it does not expire on the way
MAX_TRIES: Final = 3
INITIAL_WAIT, MAX_WAIT, WAIT_JITTER = 0.1, 0.4, 0.1  # seconds between attempts, and the random part of them
MAX_TITLE_LENGTH: Final = 80  # characters; it is on a screen
NO_ACCOUNT_ERRORS: Final = frozenset({"invalid_mobile", "invalid_username", "multiple_mobile_accounts", "otp_error"})
"""Errors of `oauth2/1/code` that mean there is no account to send a code to."""
PARTNER_ERRORS: Final = frozenset(
    {"invalid_client", "invalid_client_id", "unauthorized_client", "unsupported_grant_type", "invalid_request"}
    | {"hmac_mismatch", "invalid_ts", "parameter_missing"}
)
"""Errors that are about our own request and not about the citizen."""
_is_uri = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+ -]*-[A-Za-z0-9._:@/+ -]+", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class PartnerAccount:
    """Our account at DigiLocker; `base_url` ends in `/public`."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)


RetryPredicate: TypeAlias = Callable[[NoResponseError], bool]
"""Whether a request without a response may be sent again."""


class _RetryableError(Exception):
    """The next attempt may succeed."""


class DigiLocker:
    """The issuer DigiLocker; every call takes at most `deadline` seconds, retries included."""

    def __init__(
        self, client: HttpClient, partner: PartnerAccount, *, deadline: float = 3.0, clock: UtcClock = utc_now
    ) -> None:
        self._client = client
        self._partner = partner
        self._deadline = deadline
        self._clock = clock

    async def challenge(self, citizen: Citizen) -> Challenge:
        """Have DigiLocker send a code to the caller's mobile number, if it knows it, for any Aadhaar number."""
        async with self._within_deadline():
            if citizen.new_account is None:
                return Challenge(await self._start_sign_in(citizen))
            return Challenge(await self._start_sign_up(citizen, citizen.new_account))

    async def grant_access(self, state: IssuerState, code: str) -> IssuerState | None:
        """Return the tokens for a right code to the account of the Aadhaar number."""
        async with self._within_deadline():
            if state["flow"] == "device":
                return await self._redeem_device_code(state, code)
            if state["flow"] == "signup":
                return await self._redeem_sign_up(state, code)
        return None

    async def list_documents(self, access: IssuerAccess) -> Sequence[IssuedDocument]:
        """Return the issued documents without those entries that cannot be read.

        Raises:
            IssuerUnavailableError: DigiLocker gave no usable answer.
        """
        async with self._within_deadline():
            payload = _require_object(await self._get(access, "oauth2/2/files/issued"))
        items = payload.get("items")
        if not isinstance(items, list):
            raise IssuerUnavailableError
        return [document for item in items if (document := _parse_issued_document(item))]

    async def fetch_document(self, access: IssuerAccess, document: IssuedDocument) -> Document:
        """Return the file, verified by its HMAC, and the facts in its XML, if it has one."""
        async with self._within_deadline():
            file = await self._fetch_file(access, document.uri)
            facts = await self._fetch_facts(access, document)
        return Document(document.kind, document.title, facts, file)

    async def _start_sign_in(self, citizen: Citizen) -> IssuerState:
        """Send both requests in every case, so that neither the time nor a code shows whose number is known."""
        try:
            async with asyncio.TaskGroup() as both:
                account = both.create_task(self._find_account(citizen.aadhaar))
                device = both.create_task(self._request_device_code(citizen.msisdn))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        if not device.result():
            return {"flow": "nobody"}
        return {"flow": "device", "device_code": device.result(), "account": account.result()}

    async def _find_account(self, aadhaar: str) -> str:
        """Return the id of the account that this Aadhaar number is linked to; empty where there is none."""
        payload = _require_object(await self._send_idempotent(self._sign_form("account/2/verify", {"uid": aadhaar})))
        return str(payload.get("digilockerid", "")) if str(payload.get("registered")).lower() == "true" else ""

    async def _request_device_code(self, msisdn: str) -> str:
        """Return the device code of a sign-in whose one-time code went to this number; empty where DigiLocker does not know it."""
        form = {
            "client_id": self._partner.client_id,
            "response_type": "device_code",
            "dl_mobile": _indian_mobile(msisdn),
        }
        if not form["dl_mobile"]:
            return ""
        response = await self._send_once(HttpRequest("POST", self._url("oauth2/1/code"), form=form))
        if _error_code(response) in NO_ACCOUNT_ERRORS:
            return ""
        return _require_text(_require_object(response), "device_code")

    async def _start_sign_up(self, citizen: Citizen, new_account: NewAccountDetails) -> IssuerState:
        """Create an account whose mobile number a code proves; sign in instead if there is one already.

        DigiLocker may return a token in that case. It was given without a code, and is not used.
        """
        form = {
            "uid": citizen.aadhaar,
            "name": new_account.name,
            "dob": f"{new_account.birth_date:%d%m%Y}",
            "gender": new_account.gender,
            "mobile": _indian_mobile(citizen.msisdn),
            "consent": "Y",
            "verification": "Y",
            "demoauth": "Y",
        }
        if not form["mobile"]:
            return {"flow": "nobody"}
        response = await self._send_once(self._sign_form("signup/2/demoauth", form))
        error = _error_code(response)
        if error == "mobile_exists" or "access_token" in _parse_details(response):
            return await self._start_sign_in(citizen)
        if error in {"auth_failure", "invalid_parameter"}:
            return {"flow": "nobody"}
        _require_object(response)
        return {"flow": "signup", "mobile": form["mobile"]}

    async def _redeem_device_code(self, state: IssuerState, code: str) -> IssuerState | None:
        form = {
            "grant_type": DEVICE_GRANT,
            "client_id": self._partner.client_id,
            "device_code": state["device_code"],
            "dl_otp": code,
        }
        response = await self._send_once(HttpRequest("POST", self._url("oauth2/1/token"), form=form))
        if _is_rejected(response):
            return None
        payload = _require_object(response)
        granted = self._parse_tokens(payload)
        account = await self._fetch_account(payload, granted["access"])
        return granted if state["account"] and account == state["account"] else None

    async def _redeem_sign_up(self, state: IssuerState, code: str) -> IssuerState | None:
        form = {"mobile": state["mobile"], "otp": code}
        response = await self._send_once(self._sign_form("signup/1/demoauthverify", form))
        return None if _is_rejected(response) else self._parse_tokens(_require_object(response))

    async def _fetch_account(self, payload: Mapping[str, Any], token: str) -> str:
        """Return the account of a token: newer versions return it with the token, older ones on request."""
        account = payload.get("digilockerid") or payload.get("digilocker_id")
        if account:
            return str(account)
        request = HttpRequest("GET", self._url("oauth2/1/user"), headers=_bearer_header(token))
        return _require_text(_require_object(await self._send_idempotent(request)), "digilockerid")

    def _parse_tokens(self, payload: Mapping[str, Any], previous: IssuerState | None = None) -> IssuerState:
        """Return the tokens to store; without a new refresh token, the previous one stays."""
        payload = _unwrap_details(payload)
        return {
            "access": _require_text(payload, "access_token"),
            "refresh": str(payload.get("refresh_token") or (previous or {}).get("refresh", "")),
            "until": (self._clock() + parse_lifetime(payload.get("expires_in"))).isoformat(),
        }

    async def _get(self, access: IssuerAccess, path: str) -> HttpResponse:
        """Return the response at `path`; an expired or rejected token is renewed once.

        Raises:
            AccessExpiredError: the token cannot be renewed, or is rejected again.
        """
        if datetime.fromisoformat(access.granted["until"]) - TOKEN_RENEWAL_MARGIN <= self._clock():
            await self._renew_tokens(access)
        response = await self._send_idempotent(
            HttpRequest("GET", self._url(path), headers=_bearer_header(access.granted["access"]))
        )
        if response.status != 401:  # noqa: PLR2004
            return response
        await self._renew_tokens(access)
        response = await self._send_idempotent(
            HttpRequest("GET", self._url(path), headers=_bearer_header(access.granted["access"]))
        )
        if response.status == 401:  # noqa: PLR2004
            raise AccessExpiredError
        return response

    async def _renew_tokens(self, access: IssuerAccess) -> None:
        refresh = access.granted["refresh"]
        if not refresh:
            raise AccessExpiredError
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": self._partner.client_id,
            "client_secret": self._partner.client_secret,
        }
        response = await self._send_once(HttpRequest("POST", self._url("oauth2/1/token"), form=form))
        if _is_rejected(response):
            raise AccessExpiredError
        await access.save_renewed(self._parse_tokens(_require_object(response), access.granted))

    async def _fetch_file(self, access: IssuerAccess, uri: str) -> DocumentFile:
        response = await self._get(access, f"oauth2/1/file/{quote(uri, safe='')}")
        return DocumentFile(self._verify_hmac(response, FILE_MEDIA_TYPES).content_type, response.body)

    async def _fetch_facts(self, access: IssuerAccess, document: IssuedDocument) -> DocumentFacts:
        """Return the facts in the XML; without a readable one, the facts in the list."""
        if XML not in document.media_types:
            return DocumentFacts(issuer=document.issuer)
        try:
            response = await self._get(access, f"oauth2/1/xml/{quote(document.uri, safe='')}")
            return certificate.parse_facts(self._verify_hmac(response, frozenset({XML})).body)
        except (NoSuchDocumentError, IssuerUnavailableError, certificate.UnreadableCertificateError):
            log.warning("certificate_unreadable", kind=document.kind)
            return DocumentFacts(issuer=document.issuer)

    def _verify_hmac(self, response: HttpResponse, media_types: frozenset[str]) -> HttpResponse:
        """Return a response that has one of these media types and the HMAC-SHA256 that its header claims.

        Raises:
            NoSuchDocumentError: DigiLocker no longer has the document.
            IssuerUnavailableError: the response cannot be used.
        """
        if response.status == 404:  # noqa: PLR2004
            raise NoSuchDocumentError
        if response.status != 200 or response.content_type not in media_types:  # noqa: PLR2004
            error = _unusable_error(response)
            raise error
        secret = self._partner.client_secret.encode()
        digest = base64.b64encode(hmac.digest(secret, response.body, "sha256")).decode()
        if not hmac.compare_digest(digest.encode(), response.headers.get("hmac", "").encode()):
            log.error("document_hmac_mismatch")
            raise IssuerUnavailableError
        return response

    def _sign_form(self, path: str, form: Mapping[str, str]) -> HttpRequest:
        """Return a request with our client id and a digest by our secret, valid for half an hour."""
        partner, stamp = self._partner, str(int(self._clock().timestamp()))
        digest = sha256(f"{partner.client_secret}{partner.client_id}{stamp}".encode()).hexdigest()
        signed = {"clientid": partner.client_id, **form, "ts": stamp, "hmac": digest}
        return HttpRequest("POST", self._url(path), form=signed, multipart=True)

    def _url(self, path: str) -> str:
        return f"{self._partner.base_url.rstrip('/')}/{path}"

    async def _send_once(self, request: HttpRequest) -> HttpResponse:
        """Send a request that must not take effect twice; only one that certainly never arrived is retried."""
        return await self._send_with_retries(request, lambda failed: failed.never_arrived, frozenset())

    async def _send_idempotent(self, request: HttpRequest) -> HttpResponse:
        """Send a request that may be repeated."""
        return await self._send_with_retries(request, lambda _: True, RETRYABLE_STATUSES)

    async def _send_with_retries(
        self, request: HttpRequest, is_retryable: RetryPredicate, retryable_statuses: frozenset[int]
    ) -> HttpResponse:
        response: HttpResponse | None = None
        try:
            async for attempt in stamina.retry_context(
                on=_RetryableError,
                attempts=MAX_TRIES,
                timeout=None,
                wait_initial=INITIAL_WAIT,
                wait_max=MAX_WAIT,
                wait_jitter=WAIT_JITTER,
            ):
                with attempt:
                    response = await self._send(request, is_retryable)
                    if response.status in retryable_statuses:
                        raise _RetryableError  # noqa: TRY301
        except _RetryableError:
            if response is None:
                raise IssuerUnavailableError from None
        assert response is not None  # nosec B101  # noqa: S101 - an attempt ended it
        return response

    async def _send(self, request: HttpRequest, is_retryable: RetryPredicate) -> HttpResponse:
        try:
            return await self._client(request)
        except NoResponseError as failed:
            if is_retryable(failed):
                raise _RetryableError from None
            raise IssuerUnavailableError from None

    @asynccontextmanager
    async def _within_deadline(self) -> AsyncIterator[None]:
        try:
            async with Timeout(self._deadline):
                yield
        except TimeoutError:
            log.warning("issuer_timeout", seconds=self._deadline)
            raise IssuerUnavailableError from None


def _parse_issued_document(item: Any) -> IssuedDocument | None:
    if not isinstance(item, dict) or not _is_uri(str(item.get("uri", ""))):
        return None
    named = str(item.get("name") or item.get("description") or item.get("doctype") or item["uri"].partition("-")[0])
    media = item.get("mime") or ()
    listed = [media] if isinstance(media, str) else media
    return IssuedDocument(
        uri=item["uri"],
        kind=str(item.get("doctype") or ""),
        title=" ".join(named.split())[:MAX_TITLE_LENGTH],
        issuer=" ".join(str(item.get("issuer") or "").split())[:MAX_TITLE_LENGTH],
        media_types=tuple(str(one).lower() for one in listed),
    )


def _require_object(response: HttpResponse) -> Mapping[str, Any]:
    """Return the JSON object in a response.

    Raises:
        IssuerUnavailableError: the response has none.
    """
    payload = _parse_object(response)
    if response.status != 200 or payload is None:  # noqa: PLR2004
        error = _unusable_error(response)
        raise error
    return payload


def _parse_object(response: HttpResponse) -> Mapping[str, Any] | None:
    if response.content_type != JSON:
        return None
    return parse_json_object(response.body)


def _error_code(response: HttpResponse) -> str:
    """Return the error code that DigiLocker names; empty for a success."""
    return "" if response.status == 200 else str((_parse_object(response) or {}).get("error", ""))  # noqa: PLR2004


def _is_rejected(response: HttpResponse) -> bool:
    """Return whether the citizen's code or token was rejected, as opposed to our request."""
    return response.status in {400, 401} and _error_code(response) not in PARTNER_ERRORS | {""}


def _parse_details(response: HttpResponse) -> Mapping[str, Any]:
    return _unwrap_details(_parse_object(response) or {})


def _unwrap_details(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields under `details`, where a response has them; the specification and the service differ."""
    details = payload.get("details")
    return details if isinstance(details, dict) else payload


def _require_text(payload: Mapping[str, Any], key: str) -> str:
    value = _unwrap_details(payload).get(key)
    if not isinstance(value, str) or not value:
        log.error("issuer_field_missing", key=key)
        raise IssuerUnavailableError
    return value


def _unusable_error(response: HttpResponse) -> IssuerUnavailableError:
    log.warning("issuer_response_unusable", status=response.status, media=response.content_type)
    return IssuerUnavailableError()


def _bearer_header(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _indian_mobile(msisdn: str) -> str:
    """Return the ten digits of an Indian number; empty for any other, which no account can have."""
    digits = msisdn.removeprefix(INDIA_PREFIX)
    return digits if msisdn.startswith(INDIA_PREFIX) and len(digits) == MOBILE_DIGITS else ""
