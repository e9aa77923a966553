"""The whole tree, put together from its journeys and the calls they are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from menus.journeys.apply import Applying, apply
from menus.journeys.assist import OF_CITIZEN, Assisting, acting, assist
from menus.journeys.bills import Billing, bills
from menus.journeys.centres import Centres, centres
from menus.journeys.complain import Complaining, complain
from menus.journeys.documents import Papers, documents
from menus.journeys.email import Emailing, email
from menus.journeys.find import Finding, find
from menus.journeys.language import Keep, language
from menus.journeys.look import Looking, look
from menus.journeys.main import SendLinks, main
from menus.journeys.new_pin import Matches, new_pin
from menus.journeys.own_data import OwnData, own_data
from menus.journeys.pay import Paying, pay
from menus.journeys.profile import Profiling, profile
from menus.journeys.recover import Recovering, recover
from menus.journeys.register import Registering, register
from menus.journeys.resume import resume
from menus.journeys.sign_in import SigningIn, sign_in
from menus.journeys.texted import ENTRIES, Texted, texted
from menus.journeys.track import Following, track
from menus.journeys.withdraw import Withdrawing, withdraw
from menus.model import Closing, Menu

__all__ = ["Calls", "Plan", "tree"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment decides about its menus."""

    languages: Sequence[str]
    main: Mapping[str, str]
    helpdesk: Mapping[str, str]
    pin_by_sms: bool = False
    by_email: bool = False

    def key_of(self, door: str) -> str:
        """The key that the main menu has this door under; empty where it has not."""
        return next((key for key, name in self.main.items() if name == door), "")


@dataclass(frozen=True, slots=True)
class Calls:
    """Everything the journeys ask of the services, by what it does. `closed` is what they raise of an account that is."""

    keep_language: Keep
    send_links: SendLinks
    finding: Finding
    looking: Looking
    centres: Centres
    applying: Applying
    withdrawing: Withdrawing
    following: Following
    complaining: Complaining
    signing_in: SigningIn
    matches: Matches
    registering: Registering
    recovering: Recovering
    emailing: Emailing
    profiling: Profiling
    own_data: OwnData
    papers: Papers
    paying: Paying
    billing: Billing
    assisting: Assisting
    texted: Texted
    closed: type[Exception]


def tree(plan: Plan, calls: Calls) -> Menu:
    """Every screen there is, for this deployment."""
    return Menu(
        (
            *language(plan.languages, calls.keep_language),
            *main(plan.main, plan.helpdesk, calls.send_links),
            *resume(),
            *find(calls.finding),
            *look(calls.looking),
            *centres(calls.centres),
            *apply(calls.applying, track_key=plan.key_of("track")),
            *withdraw(calls.withdrawing),
            *track(calls.following),
            *complain(calls.complaining),
            *sign_in(calls.signing_in, by_email=plan.by_email),
            *register(calls.registering, pin_by_sms=plan.pin_by_sms),
            *new_pin(calls.registering.hash_secret, calls.matches),
            *recover(calls.recovering),
            *email(calls.emailing),
            *profile(calls.profiling, by_email=plan.by_email),
            *own_data(calls.own_data),
            *documents(calls.papers),
            *pay(calls.paying),
            *bills(calls.billing),
            *assist(calls.assisting, plan.main),
            *texted(calls.texted),
        ),
        home="main",
        stuck="stuck",
        gone="no_longer",
        keeps=frozenset({"account", "operator"}) | OF_CITIZEN,
        entries=ENTRIES.values(),
        acting=acting(calls.assisting),
        closing=Closing(calls.closed, "account_closed", frozenset({"account"})),
    )
