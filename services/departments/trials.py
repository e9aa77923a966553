"""A trial of the department API: a key that expires, and an application of a sample citizen, made by staff."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from core.phone_numbers import find_country
from db.database import Database, Transaction
from services.applications.forms import ApplicationForms
from services.applications.models import ApplicationRequest, NewApplication
from services.applications.submission import EnqueueDelivery
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import AppliedFor, Service
from services.catalogue.sample_answers import SAMPLE_NAME, build_sample_form
from services.citizens.accounts import Accounts
from services.citizens.contacts import Contacts
from services.citizens.models import NewAccount
from services.departments.api_keys import ApiKeys

TRIAL_LABEL: Final = "trial"
"""The label of a key that a trial made."""
TRIAL_PERIOD: Final = timedelta(days=30)
"""How long the key of a trial is valid."""
_CHANNELS: Final = ("ussd", "sms")
_APPLIED_FOR: Final[Sequence[AppliedFor]] = ("self", "dependent")
"""Whom a trial applies for. Nobody else gets an SMS about it."""

BuildForms: TypeAlias = Callable[[EnqueueDelivery], ApplicationForms]
"""Builds the forms, whose submissions call the function within their transaction."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The key, which only this value has, its last day, and the application of the citizen with this MSISDN."""

    key: str = field(repr=False)
    last_day: date
    tracking_number: str
    msisdn: str = field(repr=False)


class _TrialForm(NamedTuple):
    """The service, the channel and the person that a trial applies for."""

    service: Service
    channel: str
    applied_for: AppliedFor


class DepartmentTrials:
    """Makes trials. `msisdns` are the sample numbers; a trial uses the first one of the department's country."""

    def __init__(
        self,
        *,
        database: Database,
        catalogue: CurrentCatalogue,
        api_keys: ApiKeys,
        accounts: Accounts,
        contacts: Contacts,
        build_forms: BuildForms,
        enqueue_delivery: EnqueueDelivery,
        msisdns: Sequence[str],
        today: Callable[[], date],
    ) -> None:
        self._audit = AuditLog(database)
        self._catalogue = catalogue
        self._api_keys = api_keys
        self._accounts = accounts
        self._contacts = contacts
        self._build_forms = build_forms
        self._enqueue_delivery = enqueue_delivery
        self._msisdns = msisdns
        self._today = today

    def find_service(self, department: str) -> Service | None:
        """The service that a trial of this department applies for: its first one on a phone; None where it has none."""
        found = self._find_form(department)
        return found.service if found else None

    async def start(self, department: str, act: StaffAct) -> Trial | None:
        """Make a key and an application; None where `find_service` finds none. A sample number without an account gets one.

        Raises:
            NoSampleAnswerError: no sample answers a field of the form. Nothing is written.
        """
        found = self._find_form(department)
        if found is None:
            return None
        msisdn, today = self._find_msisdn(department), self._today()
        form = build_sample_form(found.service, msisdn, today)
        last_day = today + TRIAL_PERIOD
        key = await self._api_keys.create(department, act, label=TRIAL_LABEL, last_day=last_day)
        language = await self._contacts.get_language(msisdn)
        request = ApplicationRequest(
            account=await self._find_or_register(msisdn, language, act),
            msisdn=msisdn,
            service=found.service.code,
            form=form,
            beneficiary="",
            applied_for=found.applied_for,
            language=language,
            channel=found.channel,
            draft_key=f"{act.idempotency_key}/trial",
            is_assisted=False,
        )
        receipt = await self._build_forms(partial(self._follow_up, act)).submit(request, act.idempotency_key)
        return Trial(key, last_day, receipt.tracking_number, msisdn)

    def _find_form(self, department: str) -> _TrialForm | None:
        forms = (
            _TrialForm(service, channel, applied_for)
            for channel in _CHANNELS
            for service in self._catalogue.catalogue.services_on(channel)
            for applied_for in _APPLIED_FOR
            if service.department == department and applied_for in service.for_whom
        )
        return next(forms, None)

    def _find_msisdn(self, department: str) -> str:
        country = self._catalogue.catalogue.departments[department].country
        return next((one for one in self._msisdns if find_country(one) == country), self._msisdns[0])

    async def _find_or_register(self, msisdn: str, language: str, act: StaffAct) -> int:
        """The account of the number. A new one gets its PIN by SMS."""
        if account := await self._accounts.find_account(msisdn):
            return account
        await self._accounts.register(NewAccount(msisdn, SAMPLE_NAME, language, "", ()), act.idempotency_key)
        return await self._accounts.find_account(msisdn)

    async def _follow_up(
        self, act: StaffAct, transaction: Transaction, application: int, submission: NewApplication, number: str
    ) -> None:
        """Record who made the application, and queue its delivery like that of any other."""
        entry = build_staff_entry(act, "trial_submitted", "application", number, department=submission.department)
        await self._audit.record(transaction, entry)
        await self._enqueue_delivery(transaction, application, submission, number)


def build_trial_requests(url: str, trial: Trial) -> Mapping[str, str]:
    """The three requests to begin with, as commands of a shell, by title. The last one, repeated, changes nothing."""
    curl, applications = f'curl --header "Authorization: Bearer {trial.key}"', f"{url}/api/v1/applications"
    change = (
        f'--header "Idempotency-Key: trial-{trial.tracking_number}" --header "Content-Type: application/json" '
        """--data '{"status": "under_review"}'"""
    )
    return {
        "List the applications": f'{curl} "{applications}"',
        "Read this one": f'{curl} "{applications}/{trial.tracking_number}"',
        "Change its status": f'{curl} {change} "{applications}/{trial.tracking_number}/events"',
    }
