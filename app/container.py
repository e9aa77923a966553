"""Build every service of the gateway. Read `build_services` from top to bottom: each service is built from those above it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from app.adapters import build_biller, build_issuer, build_wallet, can_pay_biller, find_pay_bill, status_poll_interval
from app.limits import (
    build_beneficiary_guard,
    build_code_limits,
    build_lookup_limits,
    build_miss_limiter,
    build_unverified_sms_limiter,
)
from app.localization import (
    build_calendar,
    build_default_language_lookup,
    build_department_zones,
    offered_by_country,
)
from app.resources import Resources
from app.sms_routing import build_code_names, build_sms_routes
from app.texts import build_email_renderer, build_sms_renderer
from config.settings import Settings
from core.crypto import Cipher
from core.quiet_hours import QuietHours, QuietPeriod
from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database
from menus.rendering.localization import Locale
from services.applications.answers import ApplicationAnswers
from services.applications.department_view import DepartmentApplications
from services.applications.drafts import Drafts
from services.applications.forms import ApplicationForms
from services.applications.status import ApplicationStatusReader
from services.applications.submission import ApplicationSubmission
from services.applications.withdrawal import Withdrawals
from services.assisted.consents import Consents
from services.assisted.limits import DailyLimits
from services.assisted.operators import Operators
from services.assisted.visit_summary import VisitSummaries
from services.audit.audit import AuditLog
from services.catalogue.current import CurrentCatalogue
from services.catalogue.listings import CatalogueListings
from services.catalogue.usage import ServiceUsage
from services.citizens.accounts import Accounts
from services.citizens.caller_activity import CallerActivity
from services.citizens.contacts import Contacts
from services.citizens.emails import Emails
from services.citizens.hidden_numbers import HiddenNumbers
from services.citizens.number_checks import NumberChecks
from services.citizens.number_release import NumberReleases
from services.citizens.one_time_codes import OneTimeCodes
from services.citizens.open_calls import OpenCalls
from services.citizens.pending_pin import RecoveryPolicy
from services.citizens.profiles import Profiles
from services.citizens.unverified_sms import UnverifiedSmsLimiter
from services.complaints.department_view import DepartmentComplaints
from services.complaints.digests import FeedbackDigests
from services.complaints.escalation import Escalation
from services.complaints.policies import EscalationPolicies
from services.complaints.status import ComplaintStatusReader
from services.complaints.submission import ComplaintSubmission
from services.complaints.transitions import Transitions
from services.complaints.verdicts import Verdicts
from services.departments.deliveries import DeliveryRepository
from services.documents.delivery import DocumentDelivery, LinkTerms
from services.documents.documents import DocumentService
from services.documents.sign_ins import DocumentSignIns
from services.menu_traffic.counter import MoveCounter
from services.menu_traffic.report import MenuTraffic
from services.messaging.app_link import AppLinkSender
from services.messaging.info_messages import InfoMessages
from services.messaging.links import Links
from services.messaging.messages import MaySend, Messages
from services.messaging.opt_outs import OptOuts
from services.payments.bills import Bills, ConnectedBiller
from services.payments.cash import CashPayments
from services.payments.fees import Fees
from services.payments.lookup_limits import LookupLimits
from services.payments.notifications import PaymentNotifier, ReceiptEmails
from services.payments.offered_billers import OfferedBillers
from services.payments.payments import Payments
from services.payments.reconciliation import PaymentReconciler
from services.payments.reference_payments import ReferencePayments
from services.payments.refunds import Refunds
from services.payments.wallets import bkash
from services.payments.wallets.base import Wallet, accepts_amount
from services.payments.wallets.sandbox import SandboxWallet
from services.privacy.case_sections import (
    ApplicationsSection,
    ComplaintsSection,
    ConsentsSection,
    DraftsSection,
    FeedbackSection,
    PaymentsSection,
)
from services.privacy.export import PrivacyMessaging, PrivacyService
from services.privacy.form_answers import FormAnswers
from services.privacy.identity_sections import AccountSection, EmailSection, PapersSection, ProfileSection
from services.privacy.message_sections import (
    AuditSection,
    DocumentsSection,
    InboundSmsSection,
    MessagesSection,
    MissedCallsSection,
    OptOutSection,
)
from services.privacy.sections import DataSection
from services.tracking.lookup import TrackingLookup
from services.tracking.summary import TrackingSummaries
from sessions.message_turns import forget_caller
from sms.segments import measure

SANDBOX_PUSH_DELAY: Final = 1.0  # seconds; the simulator's phone notices by itself that its session has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintServices:
    """The services for complaints and feedback; `digests` is None without e-mail or with digests switched off."""

    submission: ComplaintSubmission
    status: ComplaintStatusReader
    department_view: DepartmentComplaints
    verdicts: Verdicts
    escalation: Escalation
    digests: FeedbackDigests | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentServices:
    """The services for payments. Without a wallet nothing can be paid; earlier payments keep their status."""

    wallet: Wallet | None
    payments: Payments
    refunds: Refunds
    fees: Fees
    bills: Bills
    cash: CashPayments
    reference_payments: ReferencePayments
    bkash_payments: ReferencePayments
    billers: OfferedBillers
    lookup_limits: LookupLimits

    @property
    def sandbox_wallet(self) -> SandboxWallet | None:
        """The wallet of the simulator, if that is the wallet."""
        return self.wallet if isinstance(self.wallet, SandboxWallet) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every service of the gateway."""

    accounts: Accounts
    app_links: AppLinkSender
    application_forms: ApplicationForms
    application_status: ApplicationStatusReader
    caller_activity: CallerActivity
    codes: OneTimeCodes
    complaints: ComplaintServices
    consents: Consents
    contacts: Contacts
    current_catalogue: CurrentCatalogue
    deliveries: DeliveryRepository
    department_applications: DepartmentApplications
    document_sign_ins: DocumentSignIns
    documents: DocumentService
    drafts: Drafts
    emails: Emails
    hidden_numbers: HiddenNumbers
    info_messages: InfoMessages
    links: Links
    menu_traffic: MenuTraffic
    move_counter: MoveCounter
    listings: CatalogueListings
    messages: Messages
    number_checks: NumberChecks
    number_releases: NumberReleases
    open_calls: OpenCalls
    operators: Operators
    opt_outs: OptOuts
    payments: PaymentServices
    privacy: PrivacyService
    profiles: Profiles
    tracking: TrackingLookup
    unverified_sms: UnverifiedSmsLimiter
    usage: ServiceUsage
    withdrawals: Withdrawals
    answers: ApplicationAnswers


def build_services(
    settings: Settings, resources: Resources, current_catalogue: CurrentCatalogue, locales: Mapping[str, Locale]
) -> Services:
    """Every service, over the resources, with the texts of the locales."""
    database, cipher = resources.database, resources.cipher
    render_sms, render_email = build_sms_renderer(locales, settings), build_email_renderer(locales, settings)
    sends_email = bool(settings.mail.host)
    find_zone, today = build_department_zones(settings, current_catalogue), build_calendar(settings)

    unverified_sms = build_unverified_sms_limiter(settings, resources)
    messages = build_messages(settings, database, cipher, may_send=unverified_sms.try_take)
    links = Links(database, cipher, settings.server.url)
    codes = OneTimeCodes(
        redis=resources.store.client,
        messages=messages,
        cipher=cipher,
        render_text=render_sms,
        limits=(code_limits := build_code_limits(settings)).verified,
        unverified_limits=code_limits.unverified,
    )
    accounts = Accounts(
        database=database,
        messages=messages,
        hasher=resources.hasher,
        cipher=cipher,
        render_text=render_sms,
        recovery_policy=build_recovery_policy(settings),
    )
    emails = Emails(
        database=database,
        messages=messages,
        links=links,
        cipher=cipher,
        render_email=render_email,
        notices=accounts.notices,
    )
    contacts = Contacts(database, build_default_language_lookup(settings), offered=settings.languages.offered)
    profiles = Profiles(
        database=database,
        accounts=accounts,
        audit=AuditLog(database),
        cipher=cipher,
        find_documents=current_catalogue.document_codes,
    )
    usage = ServiceUsage(database, zone=ZoneInfo(settings.countries.time_zone), today=today)

    payments = _build_payment_services(
        settings=settings,
        resources=resources,
        current_catalogue=current_catalogue,
        notifier=PaymentNotifier(
            messages,
            render_sms,
            emails=ReceiptEmails(render_email, emails.queue_email) if sends_email else None,
            pay_bill=find_pay_bill(settings),
        ),
    )
    deliveries = DeliveryRepository(
        database,
        cipher,
        {code: status_poll_interval(department) for code, department in settings.departments.items()},
        document_codes=current_catalogue.document_codes,
        fee_state=payments.fees.find_state,
    )

    drafts = Drafts(database, cipher, retention=timedelta(days=settings.retention.drafts))
    beneficiary_guard = build_beneficiary_guard(settings, database)
    submission = ApplicationSubmission(
        database=database,
        messages=messages,
        cipher=cipher,
        render_text=render_sms,
        find_zone=find_zone,
        queue_receipt=emails.queue_receipt if sends_email else None,
        enqueue_delivery=deliveries.enqueue,
        learn_profile=profiles.add_missing_answers,
        drafts=drafts,
        find_language=contacts.get_language,
        beneficiary_guard=beneficiary_guard,
    )
    application_status = ApplicationStatusReader(
        database=database,
        messages=messages,
        render_text=render_sms,
        find_zone=find_zone,
        find_delivery_state=deliveries.find_waiting_state,
    )
    complaints = build_complaint_services(
        settings=settings,
        database=database,
        messages=messages,
        cipher=cipher,
        current_catalogue=current_catalogue,
        render_sms=render_sms,
        render_email=render_email if sends_email else None,
    )

    issuer = build_issuer(settings.documents, database, resources.issuer_client)
    document_sign_ins = DocumentSignIns(database=database, issuer=issuer, codes=codes, cipher=cipher)
    return Services(
        accounts=accounts,
        app_links=AppLinkSender(database=database, links=links, messages=messages, render_text=render_sms),
        application_forms=ApplicationForms(
            catalogue=current_catalogue,
            profiles=profiles,
            submission=submission,
            beneficiary_guard=beneficiary_guard,
            is_payable=payments.fees.is_payable,
            find_language=contacts.get_language,
            today=today,
        ),
        application_status=application_status,
        menu_traffic=MenuTraffic(database),
        move_counter=MoveCounter(database, today),
        caller_activity=CallerActivity(database, accounts.find_language_choice, offered=settings.languages.offered),
        codes=codes,
        complaints=complaints,
        consents=Consents(
            database=database,
            messages=messages,
            codes=codes,
            summaries=VisitSummaries(cipher, render_sms, current_catalogue.centre_name),
            find_language=contacts.get_language,
            limits=DailyLimits(
                consents_per_operator=settings.operators.consents_a_day,
                applications_per_operator=settings.operators.applications_a_day,
                wrong_codes_per_operator=settings.operators.wrong_codes_a_day,
            ),
        ),
        contacts=contacts,
        current_catalogue=current_catalogue,
        deliveries=deliveries,
        department_applications=DepartmentApplications(
            database=database,
            messages=messages,
            cipher=cipher,
            render_text=render_sms,
            find_language=contacts.get_language,
            find_fee_state=payments.fees.find_state,
        ),
        document_sign_ins=document_sign_ins,
        documents=DocumentService(
            database=database,
            issuer=issuer,
            sign_ins=document_sign_ins,
            delivery=DocumentDelivery(links, messages, render_sms, _document_link_terms(settings)),
            cipher=cipher,
        ),
        drafts=drafts,
        emails=emails,
        hidden_numbers=HiddenNumbers(database, cipher, codes),
        info_messages=InfoMessages(messages, render_sms),
        links=links,
        listings=CatalogueListings(current_catalogue, usage),
        messages=messages,
        number_checks=NumberChecks(resources.store.client, cipher.keyed_hash, resources.sim_swap),
        number_releases=NumberReleases(
            database, cipher, forget_sessions=partial(forget_caller, resources.store.sessions)
        ),
        open_calls=OpenCalls(database, cipher),
        operators=Operators(
            database=database, messages=messages, hasher=resources.hasher, cipher=cipher, render_text=render_sms
        ),
        opt_outs=OptOuts(database),
        payments=payments,
        privacy=PrivacyService(
            database=database,
            accounts=accounts,
            audit=AuditLog(database),
            messaging=PrivacyMessaging(
                messages=messages, links=links, emails=emails, render_sms=render_sms, render_email=render_email
            ),
            sections=build_data_sections(
                database=database,
                cipher=cipher,
                current_catalogue=current_catalogue,
                profiles=profiles,
                emails=emails,
            ),
        ),
        profiles=profiles,
        tracking=_build_tracking(
            settings=settings,
            resources=resources,
            summaries=TrackingSummaries(database, application_status, payments.fees, deliveries),
            complaint_reader=complaints.status,
        ),
        unverified_sms=unverified_sms,
        usage=usage,
        withdrawals=Withdrawals(database, messages, render_sms, contacts.get_language),
        answers=ApplicationAnswers(database, cipher, enqueue_delivery=deliveries.enqueue_answer),
    )


def build_recovery_policy(settings: Settings) -> RecoveryPolicy:
    """After how long without use a new PIN works only after a notice."""
    return RecoveryPolicy(
        notice_after=timedelta(days=settings.accounts.recovery_notice_after_days),
        notice=timedelta(hours=settings.accounts.recovery_notice_hours),
    )


def build_messages(
    settings: Settings, database: Database, cipher: Cipher, *, may_send: MaySend | None = None
) -> Messages:
    """The message queue, which counts SMS segments and observes the quiet hours of the recipient.

    `may_send` limits the SMS that unverified callers cause.
    """
    quiet_periods = {place: QuietPeriod.parse(text) for place, text in settings.sms.quiet_hours.items()}
    return Messages(
        database,
        cipher,
        count_segments=lambda text: measure(text).segments,
        next_allowed_time=QuietHours(quiet_periods),
        may_send=may_send,
        routes=build_sms_routes(settings),
        codes=build_code_names(settings),
    )


def build_complaint_services(
    *,
    settings: Settings,
    database: Database,
    messages: Messages,
    cipher: Cipher,
    current_catalogue: CurrentCatalogue,
    render_sms: TextRenderer,
    render_email: TextRenderer | None,
    clock: UtcClock = utc_now,
) -> ComplaintServices:
    """The services for complaints and feedback; `render_email` is None where no e-mail is sent."""
    policies = EscalationPolicies(
        current_catalogue=current_catalogue,
        find_zone=build_department_zones(settings, current_catalogue),
        default_answer_days=settings.complaints.answer_days,
        default_email=settings.complaints.email,
        default_language=settings.languages.default,
        languages_by_country=offered_by_country(settings.languages),
    )
    transitions = Transitions(database, messages, render_sms, policies, clock=clock)
    digests = None
    if render_email and settings.complaints.digest != "off":
        digests = FeedbackDigests(
            database=database,
            messages=messages,
            cipher=cipher,
            policies=policies,
            render_email=render_email,
            period=settings.complaints.digest,
            clock=clock,
        )
    return ComplaintServices(
        submission=ComplaintSubmission(
            database=database,
            messages=messages,
            cipher=cipher,
            render_text=render_sms,
            policies=policies,
            clock=clock,
        ),
        status=ComplaintStatusReader(database, policies, clock=clock),
        department_view=DepartmentComplaints(database, transitions, cipher, clock=clock),
        verdicts=Verdicts(database, transitions, policies),
        escalation=Escalation(
            database=database,
            messages=messages,
            transitions=transitions,
            policies=policies,
            render_email=render_email,
            clock=clock,
        ),
        digests=digests,
    )


def build_data_sections(
    *, database: Database, cipher: Cipher, current_catalogue: CurrentCatalogue, profiles: Profiles, emails: Emails
) -> Sequence[DataSection]:
    """The sections of a citizen's own data, in the order in which they are shown."""
    return (
        AccountSection(database),
        ProfileSection(profiles),
        PapersSection(profiles),
        EmailSection(emails),
        ApplicationsSection(database, cipher, FormAnswers(current_catalogue).format),
        DraftsSection(database),
        ComplaintsSection(database, cipher),
        FeedbackSection(database, cipher),
        PaymentsSection(database),
        ConsentsSection(database, cipher),
        MessagesSection(database),
        InboundSmsSection(database),
        MissedCallsSection(database),
        DocumentsSection(database),
        OptOutSection(database),
        AuditSection(database),
    )


def _build_payment_services(
    *, settings: Settings, resources: Resources, current_catalogue: CurrentCatalogue, notifier: PaymentNotifier
) -> PaymentServices:
    database, cipher, http = resources.database, resources.cipher, resources.wallet_client
    wallet = build_wallet(settings, database, http)
    payments = Payments(
        database=database,
        cipher=cipher,
        wallet=wallet.name if wallet else "none",
        notifier=notifier,
        push_delay=_push_delay(settings, wallet),
    )
    refunds = Refunds(database, notifier)
    reconciler = PaymentReconciler(database, cipher, notifier, AuditLog(database))
    if isinstance(wallet, SandboxWallet):
        wallet.on_report = payments.record_report

    def takes_cash(service_code: str) -> bool:
        """Whether the department of a service lets operators take its fee in cash."""
        service = current_catalogue.catalogue.services.get(service_code)
        department = current_catalogue.catalogue.departments.get(service.department) if service else None
        return department is not None and department.cash

    def find_biller(code: str) -> ConnectedBiller | None:
        """The biller, if its bills can be paid here."""
        biller = current_catalogue.catalogue.billers.get(code)
        if biller is None or not can_pay_biller(settings, biller, wallet):
            return None
        return ConnectedBiller(code, biller.consumer, biller.currency, build_biller(settings, biller, http))

    def fee_currency(service_code: str) -> str:
        service = current_catalogue.catalogue.services.get(service_code)
        return service.currency if service else ""

    def can_pay(msisdn: str, currency: str) -> bool:
        return wallet is not None and wallet.can_pay(msisdn, currency)

    lookup_limits = build_lookup_limits(settings, resources)
    return PaymentServices(
        wallet=wallet,
        payments=payments,
        refunds=refunds,
        fees=Fees(
            database=database,
            payments=payments,
            is_payable=build_payable_check(current_catalogue, wallet),
            can_pay=can_pay,
            fee_currency=fee_currency,
            takes_cash=takes_cash,
            pay_bill=find_pay_bill(settings),
        ),
        reference_payments=ReferencePayments(
            database,
            reconciler,
            notifier,
            wallet=settings.payments.wallet,
            merchants=[settings.payments.daraja.short_code],
        ),
        bkash_payments=ReferencePayments(
            database,
            reconciler,
            notifier,
            wallet=bkash.WALLET,
            merchants=settings.payments.bkash.topics,
            source=bkash.WALLET,
        ),
        cash=CashPayments(database, reconciler, takes_cash),
        bills=Bills(
            database=database,
            cipher=cipher,
            payments=payments,
            refunds=refunds,
            notifier=notifier,
            find_biller=find_biller,
            accepts_amount=lambda amount_minor, currency: accepts_amount(wallet, amount_minor, currency),
            can_pay=can_pay,
            lookup_limits=lookup_limits,
        ),
        billers=OfferedBillers(current_catalogue, lambda code: find_biller(code) is not None, can_pay),
        lookup_limits=lookup_limits,
    )


def build_payable_check(current_catalogue: CurrentCatalogue, wallet: Wallet | None) -> Callable[[str], bool]:
    """Whether the fee of a service can be paid here: its department allows it, and the wallet takes the amount."""

    def is_payable(service_code: str) -> bool:
        service = current_catalogue.catalogue.services.get(service_code)
        department = current_catalogue.catalogue.departments.get(service.department) if service else None
        if service is None or department is None or not department.payments:
            return False
        return accepts_amount(wallet, service.fee_minor, service.currency)

    return is_payable


def _push_delay(settings: Settings, wallet: Wallet | None) -> timedelta:
    """The time between the end of a session and the wallet's prompt."""
    seconds = settings.payments.push_delay
    return timedelta(seconds=min(seconds, SANDBOX_PUSH_DELAY) if isinstance(wallet, SandboxWallet) else seconds)


def _document_link_terms(settings: Settings) -> LinkTerms:
    return LinkTerms(timedelta(hours=settings.documents.link_ttl_hours), settings.documents.link_max_uses)


def _build_tracking(
    *,
    settings: Settings,
    resources: Resources,
    summaries: TrackingSummaries,
    complaint_reader: ComplaintStatusReader,
) -> TrackingLookup:
    """The lookup of tracking numbers, with limits on unknown numbers per caller and per prefix."""
    return TrackingLookup(
        summaries=summaries,
        complaint_reader=complaint_reader,
        caller_limiter=build_miss_limiter(resources, "numbers asked by", settings.tracking.max_misses_per_caller),
        prefix_limiter=build_miss_limiter(
            resources, "numbers that begin with", settings.tracking.max_misses_per_prefix
        ),
    )
