"""Pay a bill: choose a biller, type the consumer number, see the bill, and confirm in the wallet after the session.

The consumer number reaches the step that asks the biller and is never stored in the session. A signed-in caller is offered
the number that they paid last, by its last digits.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from core.typed_numbers import read_digits, remove_separators
from core.validation import Invalid, Valid
from menus.journeys.pay import build_payer, mask_msisdn
from menus.journeys.services import JourneyServices
from menus.model import Choice, Facts, Journey, ListScreen, Option, Outcome, Question, Step, StepContext
from menus.proof import COSTS, NO_PROOF, PAYER, REVEALS, SIGNED_IN
from services.payments.models import BillOutcome, BillQuery, BillView, PayResult

MAX_CONSUMER_NUMBER_LENGTH: Final = 40  # characters, separators included


BILL_FACTS = ("fee", "bill_name", "bill_due")
"""What a biller's answer adds to the facts of a bill."""


def build_bills_journey(services: JourneyServices) -> Journey:
    """From the list of billers to the payment request."""

    async def list_billers(context: StepContext) -> Outcome[Literal["listed"]]:
        return Outcome(
            "listed", {"billers": [{"biller": code} for code in services.billers.codes_for(context.citizen)]}
        )

    async def ask_number(context: StepContext) -> Outcome[Literal["new", "known"]]:
        code, account = context.facts["biller"], int(context.facts.get("account") or 0)
        last = await services.bills.last_consumer_digits(account, code, context.is_past) if account else ""
        return Outcome(
            "known" if last else "new", {"label": dict(services.billers.consumer_labels(code)), "last": last}
        )

    async def look_up_bill(context: StepContext) -> Outcome[BillOutcome]:
        return _bill_outcome(
            await services.bills.look_up(
                _build_query(context), context.facts["consumer"], context.idempotency_key, context.is_past
            ),
            context,
        )

    async def look_up_last_bill(context: StepContext) -> Outcome[BillOutcome]:
        return _bill_outcome(
            await services.bills.look_up_last(_build_query(context), context.idempotency_key, context.is_past), context
        )

    async def pay(context: StepContext) -> Outcome[PayResult | Literal["none"]]:
        return Outcome(
            await services.bills.request_payment(context.facts["bill"], build_payer(context), context.idempotency_key)
        )

    by_payment_state = {"pending": "bill_pending", "paid": "bill_paid"}
    help_options = (Option("help", goto="get_help", key="7"),)
    by_outcome = {
        **by_payment_state,
        "due": "bill_due",
        "none": "bill_none",
        "unknown": "bill_unknown",
        "down": "bill_down",
        "wrong": "bill_number",
        "elsewhere": "bill_elsewhere",
        "too_many": "bill_too_many",
    }
    last_number_option = (Option("same", goto="bill_again"),)
    return (
        Step("bills", list_billers, {"listed": "billers"}),
        ListScreen("billers", _biller_rows, save_as="biller", goto="bill_ask", goto_if_empty="no_billers"),
        Choice("no_billers", help_options),
        Step("bill_ask", ask_number, {"new": "bill_number", "known": "bill_number_known"}),
        Question("bill_number", "consumer", _validate_consumer_number, goto="bill_look", secret=True),
        Question(
            "bill_number_known",
            "consumer",
            _validate_consumer_number,
            goto="bill_look",
            secret=True,
            options=last_number_option,
        ),
        Question(
            "bill_unknown",
            "consumer",
            _validate_consumer_number,
            goto="bill_look",
            secret=True,
            options=help_options,
            retry_of="bill_number",
        ),
        # anyone may see the amount who knows the consumer number, as at the biller's counter; the lookups are limited
        Step("bill_look", look_up_bill, by_outcome, effects=REVEALS, needs=NO_PROOF, facts=BILL_FACTS),
        Step("bill_again", look_up_last_bill, by_outcome, effects=REVEALS, needs=SIGNED_IN, facts=BILL_FACTS),
        Choice("bill_due", (Option("pay", goto="pay_bill", means="yes"), Option("other", goto="bill_number"))),
        Step(
            "pay_bill",
            pay,
            {**by_payment_state, "requested": "wallet_asked", "too_many": "pay_too_often", "none": "bill_elsewhere"},
            commits=True,
            effects=COSTS,
            needs=PAYER,
            subject=("bill",),
            ends_call=("requested",),
        ),
        Choice("bill_none", (Option("other", goto="bill_number"),)),
        Choice("bill_down", help_options),
        Choice("bill_too_many", help_options),
        Choice("bill_pending", help_options),
        Choice("bill_paid", help_options),
        Choice("bill_elsewhere", help_options),
    )


def _bill_outcome(view: BillView, context: StepContext) -> Outcome[BillOutcome]:
    facts = {**view.facts, "bill": view.bill_id, "wallet": mask_msisdn(context.citizen)}
    return Outcome(view.outcome, facts, invalid=view.invalid)


def _build_query(context: StepContext) -> BillQuery:
    return BillQuery(
        biller=context.facts["biller"],
        msisdn=context.citizen,
        account=int(context.facts.get("account") or 0),
        today=context.today,
    )


def _validate_consumer_number(text: str, _today: date) -> Valid | Invalid:
    """Letters and digits without separators; the biller's own field validates them."""
    number = read_digits(text) or remove_separators(text)
    if not number:
        return Invalid("empty")
    too_long = Invalid("too_long", {"most": MAX_CONSUMER_NUMBER_LENGTH})
    return Valid(number) if len(number) <= MAX_CONSUMER_NUMBER_LENGTH else too_long


def _biller_rows(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("billers", ())
    return rows
