"""Profiles and one's own data put together: over whose accounts, by which papers, and every part of the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from assembly.forms import FormField
from menus.journeys import own_data as menus
from menus.journeys.profile import Change, OnFile, Profiling
from menus.journeys.sign_in import Clock
from services.accounts import Accounts
from services.audit import Audit
from services.catalogue.answers import last_four
from services.catalogue.model import Field
from services.catalogue.profile import PROFILE
from services.catalogue.shelf import Shelf
from services.emails import Emails
from services.given import Say, Sealing
from services.links import Links
from services.messages import Messages
from services.own_data import Asking, OwnData, Telling
from services.own_data.dealings import (
    Answers,
    OfApplications,
    OfComplaints,
    OfConsents,
    OfDrafts,
    OfFeedback,
    OfPayments,
)
from services.own_data.held import Held
from services.own_data.people import OfAccount, OfEmail, OfPapers, OfProfile
from services.own_data.traffic import OfAudit, OfCalls, OfDocuments, OfMessages, OfOptOut, OfTexts
from services.profiles import Change as Kept
from services.profiles import Done, Profiles
from services.records.database import Records


@dataclass(frozen=True, slots=True)
class Behind:
    """What one's own data stands on."""

    records: Records
    seal: Sealing
    shelf: Shelf
    accounts: Accounts
    profiles: Profiles
    emails: Emails
    messages: Messages
    links: Links
    say: Say
    write: Say


def profiles_of(records: Records, accounts: Accounts, seal: Sealing, shelf: Shelf) -> Profiles:
    """The profiles of all accounts."""

    def papers_of(service: str) -> Sequence[str]:
        found = shelf.now.services.get(service)
        return found.document_codes if found else ()

    return Profiles(records, accounts, Audit(records), seal, papers_of)


def own_data_of(behind: Behind) -> OwnData:
    """All that is kept of a citizen, in the order in which it is told."""
    telling = Telling(behind.messages, behind.links, behind.emails, behind.say, behind.write)
    return OwnData(behind.records, behind.accounts, Audit(behind.records), telling, _held(behind))


def _held(behind: Behind) -> Sequence[Held]:
    records, seal = behind.records, behind.seal
    return (
        OfAccount(records),
        OfProfile(behind.profiles),
        OfPapers(behind.profiles),
        OfEmail(behind.emails),
        OfApplications(records, seal, _answers(behind.shelf)),
        OfDrafts(records),
        OfComplaints(records, seal),
        OfFeedback(records, seal),
        OfPayments(records),
        OfConsents(records),
        OfMessages(records),
        OfTexts(records),
        OfCalls(records),
        OfDocuments(records),
        OfOptOut(records),
        OfAudit(records),
    )


def _answers(shelf: Shelf) -> Answers:
    """What a form was answered with, as it may be read back; of a service that is no more, by its fields' names."""

    def answers(service: str, form: Mapping[str, str]) -> Sequence[tuple[Mapping[str, str], str | Mapping[str, str]]]:
        found = shelf.now.services.get(service)
        fields = {field.name: field for field in found.fields} if found else {}
        return [_answer(fields.get(name), name, value) for name, value in form.items()]

    return answers


def _answer(field: Field | None, name: str, value: str) -> tuple[Mapping[str, str], str | Mapping[str, str]]:
    """A question and its answer; one that the catalogue has no more may have been an identity number."""
    if field is None:
        return {"en": name}, last_four(value) if any(map(str.isdigit, value)) else value
    if field.kind == "choice" and value not in dict(field.choices):
        return field.labels, value
    return field.labels, FormField(field).shown(value)


def profiling_of(profiles: Profiles, shelf: Shelf) -> Profiling:
    """What the profile's journey may ask."""

    async def told(account: int) -> Mapping[str, str]:
        return {one.key: _shown(one.key, one.value) for one in await profiles.told(account)}

    async def keep(change: Change, key: str, value: str) -> None:
        await profiles.keep(Kept(*change), key, value)

    async def forget(change: Change, key: str) -> None:
        await profiles.forget(Kept(*change), key)

    async def papers(account: int, done: Done) -> Sequence[OnFile]:
        kept = await profiles.papers(account, done)
        return [OnFile(one.code, one.since.date().isoformat(), one.application) for one in kept]

    async def mark(change: Change, code: str, at_hand: bool) -> None:
        await profiles.mark(Kept(*change), code, at_hand=at_hand)

    checks = {key: FormField(field).check for key, field in PROFILE.items()}
    return Profiling(checks, told, keep, forget, papers, lambda: sorted(shelf.now.papers), mark)


def own_data_calls(own_data: OwnData, accounts: Accounts, time_of_day: Clock) -> menus.OwnData:
    """What the journey of one's own data may ask."""

    async def send(asked: menus.Asked) -> None:
        await own_data.send(Asking(*asked))

    async def delete(asked: menus.Asked) -> None:
        await own_data.delete(Asking(*asked))

    return menus.OwnData(send, delete, accounts.sign_in, time_of_day)


def _shown(key: str, value: str) -> str:
    """A date as it is typed; anything else as it is kept."""
    return f"{date.fromisoformat(value):%d-%m-%Y}" if PROFILE[key].kind == "date" else value
