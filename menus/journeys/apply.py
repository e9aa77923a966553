"""Applying for a service: its form, a summary where anything can be changed, the PIN once more, and a tracking number."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, NamedTuple, Protocol

from menus import checks
from menus.journeys.forms import KNOWN, Filling, answered, forms
from menus.journeys.look import Service, told
from menus.journeys.sign_in import Clock, Tried, TryPin, signed_in
from menus.model import Asked, Choice, Facts, Goodbye, Journey, Listing, Option, Outcome, Question, Step, Visit


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


class Papers(NamedTuple):
    """The papers that an application needs, by code: those that are on file, and those to bring."""

    on_file: Sequence[str]
    bring: Sequence[str]


class Wanted(NamedTuple):
    """An application as the menus know it, from this number; `beneficiary` is another person's, or empty.

    `draft` is the effect under which its form was opened, `assisted` whether an operator filled it in.
    """

    account: int
    number: str
    service: str
    form: Mapping[str, str]
    beneficiary: str
    language: str
    channel: str
    draft: str
    assisted: bool


Delivery = Callable[[str], Awaitable[Literal["waiting"] | None]]
"""Whether an application waits for its office's own system, which does not answer just now."""


class Applying(NamedTuple):
    """The calls that handing in makes, beside those of the form.

    `differing`: the fields of a form whose identity number is not the one of the account's profile; `papers`: those that
    an account's application for a service needs, or nobody's; `payable`: whether the fee of a service can be
    paid here by a number; `submit` takes the effect of the key press that hands in; `delivery` tells whether it waits here for its office's own system.
    """

    filling: Filling
    service: Callable[[str], Service]
    differing: Callable[[int, str, Mapping[str, str]], Awaitable[Sequence[str]]]
    papers: Callable[[int, str], Awaitable[Papers]]
    payable: Callable[[str, str], bool]
    try_pin: TryPin
    time_of_day: Clock
    submit: Callable[[Wanted, str], Awaitable[Receipt]]
    delivery: Delivery


TEXTED: Final = "sms"  # the channel on which the receipt, which is an SMS, is all that need be said
SAID_BY_SMS: Final = "said_by_sms"  # the fact that it was


def apply(calls: Applying, *, track_key: str) -> Journey:
    """From the service's screen to the tracking number; `track_key` is where the main menu follows it."""
    return (
        *forms(calls.filling),
        *_summing_up(calls),
        *_changing(calls),
        *_signing(calls),
        *_sending(calls, track_key),
    )


def _summing_up(calls: Applying) -> Journey:
    async def summary(visit: Visit) -> Outcome[Literal["fee", "free", "changed"]]:
        facts, fields = visit.facts, calls.filling.fields(visit.facts["service"])
        if not all(answered(asked, facts["form"]) for asked in fields):
            return Outcome("changed")
        said = {"summary": [_said(asked, facts) for asked in fields], **await _beside(calls, facts)}
        return Outcome("fee" if said["fee"] else "free", said)

    async def what_to_bring(visit: Visit) -> Outcome[Literal["some", "nothing"]]:
        return Outcome("some" if visit.facts["bring"] else "nothing")

    send = (Option("apply", goto="sure"),)
    options = (*send, Option("change", goto="change_which"), Option("bring", goto="what_to_bring"))
    return (
        Step("summary", summary, {"fee": "confirm", "free": "confirm_free", "changed": "form_changed"}),
        Choice("form_changed", (Option("go_on", goto="ask_missing"),)),
        Choice("confirm", options),
        Choice("confirm_free", options),
        Step("what_to_bring", what_to_bring, {"some": "bring", "nothing": "bring_nothing"}),
        Choice("bring", send),
        Choice("bring_nothing", send),
    )


async def _beside(calls: Applying, facts: Facts) -> dict[str, Any]:
    """What a summary says besides the answers: cost and time as they are today, papers, a number that is another one.

    For another person nothing of one's own helps.
    """
    service, whose = facts["service"], 0 if facts["beneficiary"] else facts["account"]
    papers = await calls.papers(whose, service)
    differing = await calls.differing(whose, service, facts["form"]) if whose else ()
    numbers = [_said(asked, facts) for asked in calls.filling.fields(service) if asked.name in differing]
    offered, bring = told(calls.service(service)), list(papers.bring)
    to_bring = {"bring": bring, "bring_to": offered["office"] if bring else ""}
    return {**offered, **to_bring, "differing": numbers, "on_file": list(papers.on_file)}


def _changing(calls: Applying) -> Journey:
    def rows(facts: Facts) -> Sequence[Facts]:
        fields = calls.filling.fields(facts["service"])
        mine = [{"changing": asked.name, "answer": [_said(asked, facts)]} for asked in fields if _has(asked, facts)]
        other = facts.get("beneficiary")
        return [*mine, {"changing": "", "answer": [other]}] if other else mine

    async def change(visit: Visit) -> Outcome[Literal["answer", "number"]]:
        name = visit.facts["changing"]
        return Outcome("answer", {"ask": [name]}) if name else Outcome("number")

    return (
        Listing("change_which", rows, saves="changing", goto="change_answer", empty="summary"),
        Step("change_answer", change, {"answer": "form", "number": "ask_other"}),
    )


def _signing(calls: Applying) -> Journey:
    async def sure(visit: Visit) -> Outcome[Literal["pin", "assisted", "changed"]]:
        """What was agreed to is what is sent: where it is not so any more, it is said again."""
        facts = visit.facts
        offered = told(calls.service(facts["service"]))
        as_said = all(offered[name] == facts.get(name) for name in offered)
        if not as_said or not all(answered(asked, facts["form"]) for asked in calls.filling.fields(facts["service"])):
            return Outcome("changed")
        return Outcome("assisted") if visit.assisted else Outcome("pin", {"then": "apply"})

    async def check(visit: Visit) -> Outcome[Tried]:
        tried = signed_in(
            await calls.try_pin(visit.citizen, visit.facts["pin"], visit.effect), visit, calls.time_of_day
        )
        return Outcome(tried.name, {name: fact for name, fact in tried.facts.items() if name != "account"})

    forgot = (Option("forgot", goto="recover"),)
    ways = {"in": "submit", "wrong": "send_pin_wrong", "locked": "locked", "unknown": "offer_register"}
    return (
        Step("sure", sure, {"pin": "send_pin", "assisted": "submit", "changed": "summary"}),
        Question("send_pin", "pin", checks.pin, goto="check_send_pin", secret=True, options=forgot),
        Question("send_pin_wrong", "pin", checks.pin, goto="check_send_pin", secret=True, options=forgot),
        Step("check_send_pin", check, ways),
    )


def _sending(calls: Applying, track_key: str) -> Journey:
    async def send(visit: Visit) -> Outcome[Literal["received", "payable", "waiting"]]:
        facts, texted = visit.facts, visit.channel == TEXTED
        whose = (facts["account"], visit.citizen, facts["service"], facts["form"], facts["beneficiary"])
        wanted = Wanted(*whose, visit.told_in, visit.channel, facts["draft"], bool(visit.assisted))
        receipt = await calls.submit(wanted, visit.effect)
        # A call that is walked again may have gone on to pay by now: it finds that way open, whatever is true today.
        waits = None if receipt.again else await calls.delivery(receipt.tracking_number)
        payable = bool(facts.get("fee")) and calls.payable(facts["service"], visit.citizen)
        said = {
            "number": receipt.tracking_number,
            "promised": receipt.promised.isoformat(),
            "bringing": len(facts["bring"]) or None,
            "due": None if payable else facts.get("fee"),
            "track_key": track_key,
            SAID_BY_SMS: texted and not receipt.again,
        }
        if payable and not texted and not waits:  # what is said must fit one screen, and a fee can be paid later
            return Outcome("payable", {**said, **_forgotten(facts)})
        return Outcome(waits or "received", {**said, **_forgotten(facts)})

    return (
        Step(
            "submit",
            send,
            {"received": "received", "payable": "received_to_pay", "waiting": "received_waiting"},
            commits=True,
        ),
        Goodbye("received"),
        Choice("received_to_pay", (Option("pay", goto="pay_fee"),)),
        Goodbye("received_waiting"),
    )


def _forgotten(facts: Facts) -> dict[str, Any]:
    """What need not be remembered once an application is handed in."""
    known = {name: None for name in facts if name.startswith(KNOWN)}
    return {**known, "form": {}, "known": {}, "summary": [], "differing": [], "beneficiary": "", "then": ""}


def _said(asked: Asked, facts: Facts) -> Any:
    return asked.shown(facts["form"][asked.name])


def _has(asked: Asked, facts: Facts) -> bool:
    return answered(asked, facts["form"])
