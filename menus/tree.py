"""Build the whole menu from its journeys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from menus.journeys.answer import build_answer_journey
from menus.journeys.apply import build_apply_journey
from menus.journeys.assisted import (
    CITIZEN_FACTS,
    build_assisted_journey,
    build_operator_policy,
    build_visit_variants,
)
from menus.journeys.bills import build_bills_journey
from menus.journeys.centres import build_centres_journey
from menus.journeys.complaints import build_complaints_journey
from menus.journeys.documents import build_documents_journey
from menus.journeys.email import build_email_journey
from menus.journeys.language import build_language_journey
from menus.journeys.main import build_main_journey
from menus.journeys.new_pin import build_new_pin_journey
from menus.journeys.pay import build_payment_journey
from menus.journeys.privacy import build_privacy_journey
from menus.journeys.profile import build_profile_journey
from menus.journeys.prove import build_proof_journey, build_proof_policy
from menus.journeys.recover import build_recovery_journey
from menus.journeys.register import build_registration_journey
from menus.journeys.resume import build_resume_journey
from menus.journeys.search import build_search_journey
from menus.journeys.security_questions import build_security_questions_journey
from menus.journeys.service_details import build_service_details_journey
from menus.journeys.services import JourneyServices
from menus.journeys.sign_in import build_session_policy, build_sign_in_journey
from menus.journeys.sms_keywords import build_keyword_journey
from menus.journeys.track import build_tracking_journey
from menus.journeys.withdraw import build_withdrawal_journey
from menus.keywords import KEYWORD_SCREENS
from menus.model import Labels, Menu
from menus.proof import SIGNED_IN_FACTS


@dataclass(frozen=True, slots=True)
class MenuPlan:
    """The deployment's choices: languages, the main menu by key, contact details of the helpdesk."""

    languages: Sequence[str]
    main_menu: Mapping[str, str]
    helpdesk: Mapping[str, str]
    pin_by_sms: bool = False
    by_email: bool = False

    def key_for(self, entry: str) -> str:
        """The key of an entry of the main menu; empty where the menu lacks it."""
        return next((key for key, name in self.main_menu.items() if name == entry), "")


def build_menu_tree(plan: MenuPlan, services: JourneyServices, labels: Labels | None = None) -> Menu:
    """Every screen of this deployment's menu."""
    screens = (
        *build_language_journey(plan.languages, services),
        *build_main_journey(plan.main_menu, plan.helpdesk, services),
        *build_resume_journey(),
        *build_search_journey(services),
        *build_service_details_journey(services),
        *build_centres_journey(services),
        *build_apply_journey(services, track_key=plan.key_for("track")),
        *build_withdrawal_journey(services),
        *build_answer_journey(services),
        *build_tracking_journey(services),
        *build_complaints_journey(services),
        *build_sign_in_journey(services, by_email=plan.by_email),
        *build_registration_journey(services, pin_by_sms=plan.pin_by_sms),
        *build_proof_journey(services),
        *build_new_pin_journey(services),
        *build_security_questions_journey(services, labels),
        *build_recovery_journey(services, plan.helpdesk),
        *build_email_journey(services),
        *build_profile_journey(services, by_email=plan.by_email),
        *build_privacy_journey(services),
        *build_documents_journey(services),
        *build_payment_journey(services),
        *build_bills_journey(services),
        *build_assisted_journey(services, plan.main_menu),
        *build_keyword_journey(services, plan.languages),
    )
    return Menu(
        (*screens, *build_visit_variants(screens)),
        home="main",
        stuck="stuck",
        unavailable="no_longer",
        persistent_facts=SIGNED_IN_FACTS | CITIZEN_FACTS | {"questions_offered"},
        entries=KEYWORD_SCREENS,
        operator_policy=build_operator_policy(services),
        session_policy=build_session_policy(services),
        proof_policy=build_proof_policy(services),
        labels=labels,
    )
