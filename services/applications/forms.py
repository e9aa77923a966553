"""The form of a service: its fields, what the applicant's profile already answers, and its submission."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date

from core.idempotency import IsPast
from core.validation import Valid
from services.applications.beneficiary_limits import BeneficiaryGuard
from services.applications.models import (
    ApplicationReceipt,
    ApplicationRequest,
    BeneficiaryRejection,
    KnownAnswer,
    NewApplication,
    Prefill,
    RequiredDocuments,
)
from services.applications.submission import ApplicationSubmission
from services.catalogue.current import CurrentCatalogue
from services.catalogue.form_fields import CatalogueFormField, build_form_fields
from services.catalogue.models import Field, Service
from services.citizens.profiles import Profiles


class ApplicationForms:
    """The forms of the services of the current catalogue. Every method raises `NoLongerOfferedError` without the service."""

    def __init__(
        self,
        *,
        catalogue: CurrentCatalogue,
        profiles: Profiles,
        submission: ApplicationSubmission,
        beneficiary_guard: BeneficiaryGuard,
        is_payable: Callable[[str, str], bool],
        find_language: Callable[[str], Awaitable[str]],
        today: Callable[[], date],
    ) -> None:
        """`is_payable(service, msisdn)`: the fee can be paid here. `find_language`: the language of an MSISDN's texts."""
        self._catalogue = catalogue
        self._profiles = profiles
        self._submission = submission
        self._beneficiary_guard = beneficiary_guard
        self._is_payable = is_payable
        self._find_language = find_language
        self._today = today

    def fields(self, service: str) -> Sequence[CatalogueFormField]:
        """The questions of a service's form."""
        return build_form_fields(self._catalogue.get_service(service))

    async def prefill(self, account: int, service: str, is_past: IsPast) -> Prefill:
        """What the account's profile holds for this form; `is_past` limits it for a replayed path."""
        fields = self._catalogue.get_service(service).fields
        answers = await self._profiles.get_answers(account, is_past)
        known = [field for field in fields if _accepts(field, answers.get(field.profile), self._today())]
        hints = {
            field.name: await self._profiles.identity_hint(account, field.profile)
            for field in _identity_fields(self._catalogue.get_service(service))
        }
        return Prefill(
            [KnownAnswer(field.name, field.profile, answers[field.profile]) for field in known],
            {name: hint for name, hint in hints.items() if hint},
        )

    async def required_documents(self, account: int, service: str) -> RequiredDocuments:
        """The documents that an application needs; `account` is 0 where nothing on file counts."""
        on_file = await self._profiles.document_codes(account) if account else frozenset[str]()
        codes = self._catalogue.get_service(service).document_codes
        return RequiredDocuments(
            tuple(code for code in codes if code in on_file), tuple(code for code in codes if code not in on_file)
        )

    async def differing_identity_fields(self, account: int, service: str, form: Mapping[str, str]) -> Sequence[str]:
        """The names of the fields whose identity number is not the one in the account's profile."""
        answered = [field for field in _identity_fields(self._catalogue.get_service(service)) if form.get(field.name)]
        known = [field for field in answered if await self._profiles.identity_hint(account, field.profile)]
        return [
            field.name
            for field in known
            if not await self._profiles.identity_matches(account, field.profile, form[field.name])
        ]

    async def find_beneficiary_rejection(
        self, account: int, msisdn: str, is_counted: Callable[[str], bool]
    ) -> BeneficiaryRejection | None:
        """Why the account may not apply for the owner of this number now; None where it may.

        `is_counted` tells by its key whether an application was submitted before this input.
        """
        return await self._beneficiary_guard.find_rejection(account, msisdn, is_counted)

    async def submit(self, request: ApplicationRequest, idempotency_key: str) -> ApplicationReceipt:
        """Submit a form. The application is recorded once per `request.draft_key`, however often this is called.

        `idempotency_key` is the key of the input that submits it.

        Raises:
            BeneficiaryLimitError: the account may not apply for this beneficiary now.
        """
        is_own = request.applied_for == "self"
        documents = await self.required_documents(request.account if is_own else 0, request.service)
        language = await self._find_language(request.msisdn) if request.is_assisted else request.language
        application = self._build_application(request, documents, language)
        return await self._submission.submit(application, request.draft_key, idempotency_key)

    def _build_application(
        self, request: ApplicationRequest, documents: RequiredDocuments, language: str
    ) -> NewApplication:
        """The application with what the catalogue says of its service today: department, promised days, fee."""
        service = self._catalogue.get_service(request.service)
        is_paid_at_office = service.fee_minor and not self._is_payable(request.service, request.msisdn)
        return NewApplication(
            account=request.account,
            msisdn=request.msisdn,
            service=request.service,
            office=service.office,
            department=service.department,
            form=request.form,
            promised_days=service.days,
            fee_minor=service.fee_minor,
            currency=service.currency,
            language=language,
            channel=request.channel,
            beneficiary=request.beneficiary,
            applied_for=request.applied_for,
            on_file=documents.on_file,
            documents_to_bring=documents.to_bring,
            to_pay_at=service.office if is_paid_at_office else "",
            profile=_profile_answers(service, request.form) if request.applied_for == "self" else {},
        )


def _profile_answers(service: Service, form: Mapping[str, str]) -> Mapping[str, str]:
    """The answers that the applicant's profile keeps for the next form, by profile key."""
    return {field.profile: form[field.name] for field in service.fields if field.profile and field.name in form}


def _identity_fields(service: Service) -> Sequence[Field]:
    """The fields that ask for an identity number of which a profile keeps the last digits."""
    return [field for field in service.fields if field.kind == "identity" and field.profile]


def _accepts(field: Field, value: str | None, today: date) -> bool:
    """Whether a profile's answer answers this field as it is asked here."""
    if not value or field.kind == "identity":
        return False
    return CatalogueFormField(field).validate(value, today) == Valid(value)
