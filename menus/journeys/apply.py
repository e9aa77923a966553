"""Applying for a service: its form, one field a screen, a summary, and a tracking number.

The effect under which an application is recorded is fixed when its form is opened, so that one form is one
application however often its last screen is heard, in this call or in the one that carries on after a drop.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, Protocol

from menus.model import Asked, Choice, Facts, Form, Goodbye, Journey, Option, Outcome, Step, Visit


class Receipt(Protocol):
    """What an application is answered with."""

    @property
    def tracking_number(self) -> str:
        """Twelve digits."""

    @property
    def promised(self) -> date:
        """The day it is promised for."""

    @property
    def again(self) -> bool:
        """Whether it was handed in before, by the same key press."""


class Wanted(NamedTuple):
    """An application as the menus know it."""

    account: int
    number: str
    service: str
    form: Mapping[str, str]
    language: str
    channel: str


TEXTED: Final = "sms"  # the channel on which the receipt, which is an SMS, is all that need be said
SAID_BY_SMS: Final = "said_by_sms"  # the fact that it was

Fields = Callable[[str], Sequence[Asked]]
Submit = Callable[[Wanted, str], Awaitable[Receipt]]
"""What is applied for, and the effect it is recorded under."""


def apply(fields: Fields, submit: Submit, *, track_key: str) -> Journey:
    """From the service's screen to the tracking number; `track_key` is where the main menu follows it."""

    def fields_of(facts: Facts) -> Sequence[Asked]:
        return fields(facts["service"])

    async def start(visit: Visit) -> Outcome[Literal["signed_out", "ready", "nothing_to_ask"]]:
        if not visit.facts.get("account"):
            return Outcome("signed_out", {"then": "apply"})
        return Outcome("ready" if fields_of(visit.facts) else "nothing_to_ask", {"draft": visit.effect, "form": {}})

    async def send(visit: Visit) -> Outcome[Literal["received"]]:
        facts = visit.facts
        wanted = Wanted(facts["account"], visit.caller, facts["service"], facts["form"], visit.language, visit.channel)
        receipt = await submit(wanted, facts["draft"])
        promised = receipt.promised.isoformat()
        told = {"number": receipt.tracking_number, "promised": promised, "form": {}, "track_key": track_key}
        return Outcome("received", {**told, SAID_BY_SMS: visit.channel == TEXTED and not receipt.again})

    async def summary(visit: Visit) -> Outcome[Literal["fee", "free"]]:
        form = visit.facts["form"]
        said = [asked.shown(form[asked.name]) for asked in fields_of(visit.facts)]
        return Outcome("fee" if visit.facts.get("fee") else "free", {"summary": said})

    options = (Option("apply", goto="submit"), Option("change", goto="form"))
    return (
        Step("start_form", start, {"signed_out": "gate", "ready": "form", "nothing_to_ask": "summary"}),
        Form("form", fields_of, saves="form", goto="summary"),
        Step("summary", summary, {"fee": "confirm", "free": "confirm_free"}),
        Choice("confirm", options),
        Choice("confirm_free", options),
        Step("submit", send, {"received": "received"}, commits=True),
        Goodbye("received"),
    )
