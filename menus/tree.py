"""The whole tree, put together from its journeys and the calls they are given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from menus.journeys.apply import Fields, Submit, apply
from menus.journeys.documents import Papers, documents
from menus.journeys.email import Emailing, email
from menus.journeys.find import Offered, Sectors, Service, Services, find
from menus.journeys.language import Keep, language
from menus.journeys.main import SendLinks, main
from menus.journeys.new_pin import Matches, new_pin
from menus.journeys.recover import Recovering, recover
from menus.journeys.register import Registering, register
from menus.journeys.resume import resume
from menus.journeys.sign_in import TryPin, sign_in
from menus.journeys.texted import ENTRIES, Texted, texted
from menus.journeys.track import FindOwn, FindStatus, SendStatus, track
from menus.model import Menu

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
    """Everything the journeys ask of the services, by what it does."""

    keep_language: Keep
    send_links: SendLinks
    sectors: Sectors
    services: Services
    service: Callable[[str], Service]
    offered: Offered
    fields: Fields
    submit: Submit
    find_status: FindStatus
    find_own: FindOwn
    send_status: SendStatus
    try_pin: TryPin
    matches: Matches
    registering: Registering
    recovering: Recovering
    emailing: Emailing
    papers: Papers
    texted: Texted


def tree(plan: Plan, calls: Calls) -> Menu:
    """Every screen there is, for this deployment."""
    return Menu(
        (
            *language(plan.languages, calls.keep_language),
            *main(plan.main, plan.helpdesk, calls.send_links),
            *resume(),
            *find(calls.sectors, calls.services, calls.service, calls.offered),
            *apply(calls.fields, calls.submit, track_key=plan.key_of("track")),
            *track(calls.find_status, calls.find_own, calls.send_status),
            *sign_in(
                calls.registering.registered_by, calls.try_pin, calls.recovering.time_of_day, by_email=plan.by_email
            ),
            *register(calls.registering, pin_by_sms=plan.pin_by_sms),
            *new_pin(calls.registering.hash_secret, calls.matches),
            *recover(calls.recovering),
            *email(calls.emailing),
            *documents(calls.papers),
            *texted(calls.texted),
        ),
        home="main",
        stuck="stuck",
        keeps=frozenset({"account"}),
        entries=ENTRIES.values(),
    )
