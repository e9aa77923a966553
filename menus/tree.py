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
from menus.model import Journey, Labels, Menu
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
    journeys: Mapping[str, Journey] = {
        "language": build_language_journey(plan.languages, services),
        "main": build_main_journey(plan.main_menu, plan.helpdesk, services),
        "resume": build_resume_journey(),
        "search": build_search_journey(services),
        "service_details": build_service_details_journey(services),
        "centres": build_centres_journey(services),
        "apply": build_apply_journey(services, track_key=plan.key_for("track")),
        "withdrawal": build_withdrawal_journey(services),
        "answer": build_answer_journey(services),
        "tracking": build_tracking_journey(services),
        "complaints": build_complaints_journey(services),
        "sign_in": build_sign_in_journey(services, by_email=plan.by_email),
        "registration": build_registration_journey(services, pin_by_sms=plan.pin_by_sms),
        "proof": build_proof_journey(services),
        "new_pin": build_new_pin_journey(services),
        "security_questions": build_security_questions_journey(services, labels),
        "recovery": build_recovery_journey(services, plan.helpdesk),
        "email": build_email_journey(services),
        "profile": build_profile_journey(services, by_email=plan.by_email),
        "privacy": build_privacy_journey(services),
        "documents": build_documents_journey(services),
        "payment": build_payment_journey(services),
        "bills": build_bills_journey(services),
        "assisted": build_assisted_journey(services, plan.main_menu),
        "keywords": build_keyword_journey(services, plan.languages),
    }
    screens = tuple(screen for journey in journeys.values() for screen in journey)
    variants = build_visit_variants(screens)
    return Menu(
        (*screens, *variants),
        home="main",
        stuck="stuck",
        unavailable="no_longer",
        persistent_facts=SIGNED_IN_FACTS | CITIZEN_FACTS | {"questions_offered"},
        entries=KEYWORD_SCREENS,
        operator_policy=build_operator_policy(services),
        session_policy=build_session_policy(services),
        proof_policy=build_proof_policy(services),
        labels=labels,
        journeys=_index_journeys({**journeys, "assisted": (*journeys["assisted"], *variants)}),
    )


def _index_journeys(journeys: Mapping[str, Journey]) -> Mapping[str, str]:
    """The name of the journey of each screen."""
    return {screen.name: name for name, journey in journeys.items() for screen in journey}
