"""The documents helpdesk as one process has it, and an issuer that does as a test tells it."""

import json

from services.codes import Codes
from services.documents.desk import Desk
from services.documents.port import (
    AccessEnded,
    Challenge,
    Document,
    Facts,
    Held,
    NoSuchDocument,
    Unavailable,
)
from services.documents.post import Post, Terms
from services.documents.sign_ins import Asking, SignIns
from services.links import Links
from services.messages import Messages
from tests.desk import SEAL, say

AADHAAR, OTHER = "234123412346", "999941057058"
NUMBER, STRANGER = "+8801700000001", "+8801700000002"
ERRORS = {"down": Unavailable(), "ended": AccessEnded(), "unknown": NoSuchDocument()}


class Told:
    """An issuer that sends its own codes, and raises what it was told to raise, once each."""

    def __init__(self):
        self.code = "482913"
        self.held = [Held("x-PANCR-1", "PANCR", "PAN"), Held("x-OTHER-2", "OTHER", "Ration card")]
        self.raises = []
        self.asked = []

    def then(self, *errors):
        self.raises += errors

    def _heard(self, what):
        self.asked.append(what)
        if self.raises:
            error = self.raises.pop(0)
            if error:
                raise error

    async def challenge(self, citizen):
        self._heard("challenge")
        return Challenge({"of": citizen.number})

    async def open(self, state, code):
        self._heard("open")
        return {"granted": "1"} if code == self.code else None

    async def listed(self, access):
        self._heard("listed")
        await access.renewed({"granted": str(int(access.granted["granted"]) + 1)})
        return list(self.held)

    async def fetch(self, access, held):
        self._heard("fetch")
        if held not in self.held:
            raise NoSuchDocument
        return Document(held.kind, held.title, Facts("1", f"granted {access.granted['granted']}"))


class Helpdesk:
    """All of it as one process has it, over an issuer; SMS as `say` says them."""

    def __init__(self, records, redis, clock, issuer):
        self.records, self.clock, self.issuer = records, clock, issuer
        self.messages = Messages(records, SEAL, clock=clock)
        self.codes = Codes(redis, self.messages, SEAL, say, clock=clock)
        self.sign_ins = SignIns(records, issuer, self.codes, SEAL, clock=clock)
        self.links = Links(records, SEAL, "https://ekdial.example", clock=clock)
        post = Post(self.links, self.messages, say, Terms())
        self.desk = Desk(records, issuer, self.sign_ins, post, SEAL, clock=clock)

    async def asks(self, effect, number=NUMBER, aadhaar=AADHAAR, newcomer=None):
        return await self.sign_ins.ask(Asking(number, aadhaar, "bn", newcomer), effect)

    async def sent(self):
        """The SMS that wait, as (to, kind, facts)."""
        return [(one.to, one.kind, json.loads(one.text)[2]) for one in await self.messages.claim("test", 100)]

    async def code_sent(self, to=NUMBER):
        return next(facts["code"] for number, kind, facts in await self.sent() if (number, kind) == (to, "code"))

    async def signed_in(self, effect="s1:3"):
        """A sign-in that is open, at the issuer that sends its own codes."""
        answer = await self.asks(effect)
        assert await self.sign_ins.check(answer.sign_in, self.issuer.code, f"{effect}/check") == "right"
        return answer.sign_in
