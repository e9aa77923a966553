"""An account's e-mail address: type it, confirm it, verify it by a link, change or remove it."""

from typing import Literal

from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Choice, Journey, Option, Outcome, Question, Step, StepContext
from menus.proof import ACCESS, FRESH_PIN, REVEALS, SESSION_OR_PIN, SIGNED_IN
from services.citizens.models import LinkOutcome


def build_email_journey(services: JourneyServices) -> Journey:
    """The screens from the account menu; the caller is signed in."""

    async def show_status(context: StepContext) -> Outcome[Literal["none", "waiting", "verified"]]:
        email = await services.emails.get_as_of(context.facts["account"], context.is_past)
        if email is None:
            return Outcome("none")
        return Outcome("verified" if email.verified else "waiting", {"address": email.address})

    async def set_address(context: StepContext) -> Outcome[LinkOutcome]:
        facts = context.facts
        return Outcome(
            await services.emails.set_address(
                facts["account"], facts["address"], context.language, context.idempotency_key
            )
        )

    async def resend_link(context: StepContext) -> Outcome[LinkOutcome | Literal["none"]]:
        return Outcome(
            await services.emails.resend_link(context.facts["account"], context.language, context.idempotency_key)
        )

    async def remove(context: StepContext) -> Outcome[Literal["removed"]]:
        await services.emails.remove(context.facts["account"], context.idempotency_key)
        return Outcome("removed", {"address": ""})

    # the same keys before and after verification, which may happen between two replays of a path
    change = (Option("change", goto="ask_email", key="2"), Option("remove", goto="remove_email", key="3"))
    sent = {"sent": "email_sent", "too_many": "email_spent", "verified": "email_verified"}
    return (
        Step(
            "email",
            show_status,
            {"none": "ask_email", "waiting": "email_waiting", "verified": "email_verified"},
            effects=REVEALS,
            needs=SIGNED_IN,
        ),
        Question("ask_email", "address", validators.email, goto="email_confirm"),
        Choice(
            "email_confirm",
            (Option("yes", goto="give_email", means="yes"), Option("again", goto="ask_email", means="no")),
            key_fact="address",
        ),
        Step("give_email", set_address, sent, commits=True, effects=ACCESS, needs=FRESH_PIN),
        Choice("email_sent", (Option("go_on", goto="account"),)),
        Choice("email_waiting", (Option("again", goto="send_email_again"), *change)),
        Step("send_email_again", resend_link, {**sent, "none": "ask_email"}, commits=True, needs=SESSION_OR_PIN),
        Choice("email_verified", change),
        Choice("email_spent", (Option("help", goto="get_help", key="7"),)),
        Step("remove_email", remove, {"removed": "email_removed"}, commits=True, effects=ACCESS, needs=FRESH_PIN),
        Choice("email_removed", (Option("go_on", goto="account"),)),
    )
