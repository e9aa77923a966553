"""The services of issued documents over one database, and a scripted issuer."""

import json

from services.citizens.one_time_codes import OneTimeCodes
from services.documents.delivery import DocumentDelivery, LinkTerms
from services.documents.documents import DocumentService
from services.documents.issuers.base import AccessExpiredError, Challenge, IssuerUnavailableError, NoSuchDocumentError
from services.documents.models import Document, DocumentFacts, IssuedDocument, SignInRequest
from services.documents.sign_ins import DocumentSignIns
from services.messaging.links import Links
from services.messaging.messages import Messages
from tests.support.services import CIPHER, render_text

AADHAAR, OTHER_AADHAAR = "234123412346", "999941057058"
MSISDN, OTHER_MSISDN = "+8801700000001", "+8801700000002"
ERRORS = {"down": IssuerUnavailableError(), "ended": AccessExpiredError(), "unknown": NoSuchDocumentError()}


class ScriptedIssuer:
    """An issuer that sends its own codes and raises the given errors, each once."""

    def __init__(self):
        self.code = "482913"
        self.held = [IssuedDocument("x-PANCR-1", "PANCR", "PAN"), IssuedDocument("x-OTHER-2", "OTHER", "Ration card")]
        self.errors = []
        self.calls = []

    def raise_next(self, *errors):
        self.errors += errors

    def _record_call(self, what):
        self.calls.append(what)
        if self.errors:
            error = self.errors.pop(0)
            if error:
                raise error

    async def challenge(self, citizen):
        self._record_call("challenge")
        return Challenge({"of": citizen.msisdn})

    async def grant_access(self, state, code):
        self._record_call("open")
        return {"granted": "1"} if code == self.code else None

    async def list_documents(self, access):
        self._record_call("listed")
        await access.save_renewed({"granted": str(int(access.granted["granted"]) + 1)})
        return list(self.held)

    async def fetch_document(self, access, document):
        self._record_call("fetch")
        if document not in self.held:
            raise NoSuchDocumentError
        return Document(document.kind, document.title, DocumentFacts("1", f"granted {access.granted['granted']}"))


class DocumentServiceSet:
    """All services of issued documents over one issuer."""

    def __init__(self, database, redis, clock, issuer):
        self.database, self.clock, self.issuer = database, clock, issuer
        self.messages = Messages(database, CIPHER, clock=clock)
        self.codes = OneTimeCodes(redis, self.messages, CIPHER, render_text, clock=clock)
        self.sign_ins = DocumentSignIns(database, issuer, self.codes, CIPHER, clock=clock)
        self.links = Links(database, CIPHER, "https://ekdial.example", clock=clock)
        post = DocumentDelivery(self.links, self.messages, render_text, LinkTerms())
        self.documents = DocumentService(database, issuer, self.sign_ins, post, CIPHER, clock=clock)

    async def request_sign_in(self, idempotency_key, msisdn=MSISDN, aadhaar=AADHAAR, new_account=None):
        return await self.sign_ins.request_challenge(SignInRequest(msisdn, aadhaar, "bn", new_account), idempotency_key)

    async def claim_sms(self):
        """Claim the SMS in the outbox, as (to, kind, facts)."""
        return [(one.to, one.kind, json.loads(one.text)[2]) for one in await self.messages.claim("test", 100)]

    async def latest_code(self, to=MSISDN):
        return next(facts["code"] for number, kind, facts in await self.claim_sms() if (number, kind) == (to, "code"))

    async def open_sign_in(self, idempotency_key="s1:3"):
        """Sign in at the scripted issuer; the id of the sign-in."""
        answer = await self.request_sign_in(idempotency_key)
        assert await self.sign_ins.check_code(answer.sign_in, self.issuer.code, f"{idempotency_key}/check") == "right"
        return answer.sign_in
