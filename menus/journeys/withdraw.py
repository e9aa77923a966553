"""Withdraw an application: by its applicant, or by the other person whom it is for."""

from core.validation import Valid
from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Step, StepContext
from menus.proof import FRESH_PIN, NUMBER_OR_CODE
from services.applications.models import WithdrawalOutcome, WithdrawalResult


def build_withdrawal_journey(services: JourneyServices) -> Journey:
    """The screens from the applicant's own application, and those of the keyword in the other person's SMS."""
    return (*_withdrawal_screens(services), *_refusal_screens(services))


def _withdrawal_screens(services: JourneyServices) -> Journey:
    async def withdraw_now(context: StepContext) -> Outcome[WithdrawalOutcome]:
        facts = context.facts
        return _withdrawal_outcome(
            await services.withdrawals.withdraw(
                facts["account"], facts["number"], context.channel, context.idempotency_key
            )
        )

    own, help_option = Option("own", goto="own"), Option("help", goto="get_help", key="7")
    return (
        Choice("withdraw", (Option("yes", goto="withdraw_now", means="yes"), Option("no", goto="look_up", means="no"))),
        Step(
            "withdraw_now",
            withdraw_now,
            {"withdrawn": "withdraw_done", "final": "withdraw_late", "unknown": "withdraw_not_yours"},
            commits=True,
            needs=FRESH_PIN,
            subject=("number",),
        ),
        Choice("withdraw_done", (own,)),
        Choice("withdraw_late", (own, help_option)),
        Choice("withdraw_not_yours", (own, help_option)),
    )


def _refusal_screens(services: JourneyServices) -> Journey:
    async def refuse(context: StepContext) -> Outcome[WithdrawalOutcome]:
        """Give the same reply for an unknown number, a misspelt one and one of somebody else."""
        number = validators.tracking_number(context.facts["rest"], context.today)
        if not isinstance(number, Valid):
            return Outcome("unknown")
        return _withdrawal_outcome(
            await services.withdrawals.refuse(
                context.caller, str(number.value), context.channel, context.idempotency_key
            )
        )

    next_screens = {"withdrawn": "refusal_done", "final": "refusal_late", "unknown": "refusal_unknown"}
    return (
        Step("texted_refusal", refuse, next_screens, commits=True, needs=NUMBER_OR_CODE, carries=("rest",)),
        Goodbye("refusal_done"),
        Goodbye("refusal_late"),
        Goodbye("refusal_unknown"),
    )


def _withdrawal_outcome(result: WithdrawalResult) -> Outcome[WithdrawalOutcome]:
    return Outcome(result.outcome, {"service": result.service, "status": result.status} if result.service else {})
