"""The documents helpdesk put together: the issuer that is configured, and what the menus may ask of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from assembly.now_and_then import Chore, now_and_then
from menus.journeys.documents import Claim, Looking, Opening, Papers, Row
from services.client import Client
from services.codes import Codes
from services.documents.desk import Desk
from services.documents.digilocker import DigiLocker, Partner
from services.documents.port import Issuer, Newcomer
from services.documents.post import Links, Post, Reader, Terms, own_name, told
from services.documents.sandbox import Sandbox
from services.documents.sign_ins import Answer, Asking, SignIns
from services.given import Say, Sealing
from services.messages import Messages
from services.records.database import Records
from settings import Documents

EVERY: Final = 600.0  # seconds between two looks for what has ended


@dataclass(frozen=True, slots=True)
class Paperwork:
    """Who proves themselves, and what they are handed."""

    sign_ins: SignIns
    desk: Desk

    async def sweep(self) -> None:
        """Forget documents whose links have ended, and sign-ins that are over."""
        await self.desk.sweep()
        await self.sign_ins.sweep()


@dataclass(frozen=True, slots=True)
class Behind:
    """What the helpdesk stands on."""

    records: Records
    codes: Codes
    links: Links
    messages: Messages
    seal: Sealing
    say: Say
    client: Client


def paperwork_of(settings: Documents, behind: Behind) -> Paperwork:
    """All of it, over the issuer that is configured."""
    issuer = issuer_of(settings, behind.records, behind.client)
    sign_ins = SignIns(behind.records, issuer, behind.codes, behind.seal)
    terms = Terms(timedelta(hours=settings.link_hours), settings.link_uses)
    post = Post(behind.links, behind.messages, behind.say, terms)
    return Paperwork(sign_ins, Desk(behind.records, issuer, sign_ins, post, behind.seal))


def issuer_of(settings: Documents, records: Records, client: Client) -> Issuer:
    """Whoever issues documents here; `client` reaches it where it is elsewhere."""
    if settings.issuer == "sandbox":
        return Sandbox(records)
    partner = Partner(settings.base_url, settings.client_id, settings.client_secret.get_secret_value())
    return DigiLocker(client, partner, deadline=settings.deadline)


def papers_of(paperwork: Paperwork) -> Papers:
    """What the documents journey may ask."""

    async def ask(claim: Claim, effect: str) -> Answer:
        return await paperwork.sign_ins.ask(_asking(claim), effect)

    async def look(sign_in: int) -> Looking:
        found = await paperwork.desk.look(sign_in)
        return Looking(found.outcome, [Row(held.kind, own_name(held.kind, held.title)) for held in found.held])

    async def fetch(sign_in: int, place: int, number: str, language: str, effect: str) -> Opening:
        handed = await paperwork.desk.hand_over(sign_in, place, Reader(number, language), effect)
        return Opening(handed.outcome, told(handed.document) if handed.document else {})

    return Papers(ask, paperwork.sign_ins.check, look, fetch)


@asynccontextmanager
async def swept(paperwork: Paperwork) -> AsyncIterator[None]:
    """Sweeps now and then, for as long as the block lasts."""
    async with now_and_then(EVERY, Chore(paperwork.sweep, "documents that have ended could not be forgotten")):
        yield


def _asking(claim: Claim) -> Asking:
    newcomer = None
    if claim.newcomer:
        name, born, gender = claim.newcomer
        newcomer = Newcomer(name, date.fromisoformat(born), gender)
    return Asking(claim.number, claim.aadhaar, claim.language, newcomer)
