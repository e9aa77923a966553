"""Pay the fee of an application from a wallet, or in cash to an operator.

During a USSD session the phone is busy and a wallet cannot show its prompt, so the last screen ends the session. The
wallet's PIN is typed into the wallet and never here.
"""

from typing import Literal

from menus.journeys.services import JourneyServices
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Step, StepContext
from menus.proof import COSTS, OPERATOR_PIN, PAYER
from services.payments.models import CashOutcome, Fee, Payer, PayResult

VISIBLE_DIGITS = 4  # digits, enough for an owner to recognize the number


def build_payment_journey(services: JourneyServices) -> Journey:
    """From a tracking number to the payment request; the number alone entitles the caller to pay."""

    async def check_fee(
        context: StepContext,
    ) -> Outcome[
        Literal["due", "pending", "paid", "refunded", "none", "elsewhere", "unknown", "cash", "cash_or_wallet"]
    ]:
        fee = await services.fees.find(context.facts["number"], context.is_past)
        if fee is None:
            return Outcome("unknown")
        known_facts = {
            "service": fee.service,
            "fee": [fee.amount_minor, fee.currency],
            "wallet": mask_msisdn(context.citizen),
            "pay_bill": services.fees.pay_bill or None,
            "pay_account": context.facts["number"] if services.fees.pay_bill else None,
        }
        if fee.state == "due":
            return Outcome(find_ways_to_pay(context, fee), known_facts)
        return Outcome(fee.state, known_facts)

    def find_ways_to_pay(context: StepContext, fee: Fee) -> Literal["due", "elsewhere", "cash", "cash_or_wallet"]:
        """The ways to pay a fee that is due. Cash is for operators, whose citizen stands before them."""
        by_wallet = services.fees.can_pay(fee, context.citizen)
        if context.consent_id and services.fees.is_taken_in_cash(fee.service):
            return "cash_or_wallet" if by_wallet else "cash"
        return "due" if by_wallet else "elsewhere"

    async def record_cash(context: StepContext) -> Outcome[CashOutcome]:
        if not context.consent_id:
            return Outcome("none")
        facts = context.facts
        return Outcome(
            await services.cash.record_by_operator(
                facts["number"], int(facts.get("account") or 0), facts["operator"], context.idempotency_key
            )
        )

    async def request_payment(context: StepContext) -> Outcome[PayResult | Literal["none"]]:
        return Outcome(
            await services.fees.request_payment(context.facts["number"], build_payer(context), context.idempotency_key)
        )

    by_state = {"pending": "pay_pending", "paid": "pay_paid"}
    help_option = (Option("help", goto="get_help", key="7"),)
    return (
        Step(
            "pay_fee",
            check_fee,
            {
                **by_state,
                "due": "pay_confirm",
                "cash": "cash_confirm",
                "cash_or_wallet": "pay_how",
                "none": "pay_nothing",
                "refunded": "pay_nothing",
                "elsewhere": "pay_elsewhere",
                "unknown": "no_such_number",
            },
        ),
        Choice("pay_confirm", (Option("pay", goto="ask_wallet", means="yes"),)),
        Step(
            "ask_wallet",
            request_payment,
            {**by_state, "requested": "wallet_asked", "too_many": "pay_too_often", "none": "pay_elsewhere"},
            commits=True,
            effects=COSTS,
            needs=PAYER,
            subject=("number",),
            ends_call=("requested",),
        ),
        Goodbye("wallet_asked"),
        Choice("pay_how", (Option("wallet", goto="pay_confirm"), Option("cash", goto="cash_confirm"))),
        Choice("cash_confirm", (Option("taken", goto="record_cash", means="yes"),)),
        Step(
            "record_cash",
            record_cash,
            {"recorded": "cash_recorded", "asked_too": "cash_asked_too", "paid": "pay_paid", "none": "pay_nothing"},
            commits=True,
            needs=OPERATOR_PIN,
            subject=("number",),
        ),
        Choice("cash_recorded", ()),
        Choice("cash_asked_too", ()),
        Choice("pay_pending", help_option),
        Choice("pay_paid", help_option),
        Choice("pay_nothing", help_option),
        Choice("pay_elsewhere", help_option),
        Choice("pay_too_often", help_option),
    )


def build_payer(context: StepContext) -> Payer:
    """The citizen as the payer, also where an operator acts for them."""
    return Payer(context.citizen, int(context.facts.get("account") or 0), context.citizen_language, context.channel)


def mask_msisdn(msisdn: str) -> str:
    """`XX` and the last digits of a number."""
    return f"XX{msisdn[-VISIBLE_DIGITS:]}"
