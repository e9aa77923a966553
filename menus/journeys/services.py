"""The services that the journeys call. Their classes are imported for the type checker only: menus do no I/O themselves."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from menus.model import FormField
from services.audit.models import ActingOperator

if TYPE_CHECKING:
    from services.applications.answers import ApplicationAnswers
    from services.applications.drafts import Drafts
    from services.applications.forms import ApplicationForms
    from services.applications.status import ApplicationStatusReader
    from services.applications.withdrawal import Withdrawals
    from services.assisted.consents import Consents
    from services.assisted.operators import Operators
    from services.catalogue.current import CurrentCatalogue
    from services.catalogue.listings import CatalogueListings
    from services.citizens.accounts import Accounts
    from services.citizens.contacts import Contacts
    from services.citizens.emails import Emails
    from services.citizens.number_checks import NumberChecks
    from services.citizens.one_time_codes import OneTimeCodes
    from services.citizens.profiles import Profiles
    from services.complaints.status import ComplaintStatusReader
    from services.complaints.submission import ComplaintSubmission
    from services.complaints.verdicts import Verdicts
    from services.departments.deliveries import DeliveryRepository
    from services.documents.documents import DocumentService
    from services.documents.sign_ins import DocumentSignIns
    from services.messaging.app_link import AppLinkSender
    from services.messaging.info_messages import InfoMessages
    from services.messaging.opt_outs import OptOuts
    from services.payments.bills import Bills
    from services.payments.cash import CashPayments
    from services.payments.fees import Fees
    from services.payments.offered_billers import OfferedBillers
    from services.privacy.export import PrivacyService
    from services.tracking.lookup import TrackingLookup


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyServices:
    """The services behind the screens; a step calls their methods directly.

    `act_as_operator` returns a context in which the audit log names the operator. `format_time_of_day` formats a moment on
    the clock of an MSISDN's owner, such as `14:05`. `find_sms_code` returns the number to which an MSISDN sends keywords. `profile_fields` are the fields of a profile, by key.
    """

    accounts: "Accounts"
    act_as_operator: Callable[[ActingOperator], AbstractContextManager[None]]
    app_links: "AppLinkSender"
    application_forms: "ApplicationForms"
    application_status: "ApplicationStatusReader"
    billers: "OfferedBillers"
    bills: "Bills"
    cash: "CashPayments"
    catalogue: "CurrentCatalogue"
    codes: "OneTimeCodes"
    complaint_status: "ComplaintStatusReader"
    complaints: "ComplaintSubmission"
    consents: "Consents"
    contacts: "Contacts"
    deliveries: "DeliveryRepository"
    document_sign_ins: "DocumentSignIns"
    documents: "DocumentService"
    drafts: "Drafts"
    emails: "Emails"
    fees: "Fees"
    find_sms_code: Callable[[str], str]
    format_time_of_day: Callable[[datetime, str], str]
    info_messages: "InfoMessages"
    is_supported_number: Callable[[str], bool]
    listings: "CatalogueListings"
    number_checks: "NumberChecks"
    operators: "Operators"
    opt_outs: "OptOuts"
    privacy: "PrivacyService"
    profile_fields: Mapping[str, FormField]
    profiles: "Profiles"
    tracking: "TrackingLookup"
    verdicts: "Verdicts"
    answers: "ApplicationAnswers"
    withdrawals: "Withdrawals"
