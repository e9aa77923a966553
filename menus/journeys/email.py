"""An account's e-mail address: typed on a keypad, shown as it was understood, verified by a link, changed, taken back."""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, Protocol

from menus import checks
from menus.journeys.sign_in import existed
from menus.model import Choice, Journey, Option, Outcome, Question, Step, Visit


class Kept(Protocol):
    """The address an account has."""

    @property
    def address(self) -> str:
        """As it was understood."""

    @property
    def verified(self) -> bool:
        """Whether its link was followed."""


Sent = Literal["sent", "too_many", "verified"]
Known = Callable[[int, Callable[[str], bool]], Awaitable[Kept | None]]
"""Account, and whether what was done under an effect counts yet, to the address it has; None when it has none."""
Give = Callable[[int, str, str, str], Awaitable[Sent]]
"""Account, address, language of the letter, effect."""
SendAgain = Callable[[int, str, str], Awaitable[Sent | Literal["none"]]]
"""Account, language of the letter, effect."""
Remove = Callable[[int, str], Awaitable[None]]
"""Account, effect."""


class Emailing(NamedTuple):
    """The calls that this journey makes."""

    known: Known
    give: Give
    again: SendAgain
    remove: Remove


def email(calls: Emailing) -> Journey:
    """From the account's menu to an address, to another one, or to none. It is only entered where somebody is signed in."""

    async def start(visit: Visit) -> Outcome[Literal["none", "waiting", "verified"]]:
        kept = await calls.known(visit.facts["account"], lambda effect: existed(effect, visit.effect))
        if kept is None:
            return Outcome("none")
        return Outcome("verified" if kept.verified else "waiting", {"address": kept.address})

    async def give(visit: Visit) -> Outcome[Sent]:
        facts = visit.facts
        return Outcome(await calls.give(facts["account"], facts["address"], visit.language, visit.effect))

    async def again(visit: Visit) -> Outcome[Sent | Literal["none"]]:
        return Outcome(await calls.again(visit.facts["account"], visit.language, visit.effect))

    async def remove(visit: Visit) -> Outcome[Literal["removed"]]:
        await calls.remove(visit.facts["account"], visit.effect)
        return Outcome("removed", {"address": ""})

    # Under the same keys whether it is verified or not: a link may be followed between two times a path is heard.
    change = (Option("change", goto="ask_email", key="2"), Option("remove", goto="remove_email", key="3"))
    sent = {"sent": "email_sent", "too_many": "email_spent", "verified": "email_verified"}
    return (
        Step("email", start, {"none": "ask_email", "waiting": "email_waiting", "verified": "email_verified"}),
        Question("ask_email", "address", checks.email, goto="email_confirm"),
        Choice("email_confirm", (Option("yes", goto="give_email"), Option("again", goto="ask_email"))),
        Step("give_email", give, sent, commits=True),
        Choice("email_sent", (Option("go_on", goto="account"),)),
        Choice("email_waiting", (Option("again", goto="send_email_again"), *change)),
        Step("send_email_again", again, {**sent, "none": "ask_email"}, commits=True),
        Choice("email_verified", change),
        Choice("email_spent", (Option("help", goto="get_help", key="7"),)),
        Step("remove_email", remove, {"removed": "email_removed"}, commits=True),
        Choice("email_removed", (Option("go_on", goto="account"),)),
    )
