"""The acts on a payment: give back, record a refund as made, record the outcome that a person found out."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from aiohttp import web

from core.amounts import AmountError, check_step
from services.payments.models import REFUNDABLE_STATUSES, RefundCategory, RefundRejected
from services.payments.payment_list import ListedPayment
from services.payments.refunds import RefundReason
from web.console.forms.parsing import parse_id, parse_line, parse_money
from web.console.forms.state import FormState
from web.console.payments.services import PATH, LedgerServices
from web.console.payments.views import PaymentViews
from web.console.requests import ConsoleRequest, FormError

MAX_RECEIPT_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class PaymentActs:
    """Changes payments. Each act has a reason and an audit line; a problem is shown beside its field."""

    services: LedgerServices
    views: PaymentViews

    async def refund(self, request: ConsoleRequest) -> web.StreamResponse:
        """Show what is given back and what stays; once that is confirmed, request the refund."""
        payment = await self.services.find_of_path(request)
        try:
            amount, category = self._parse_amount(request, payment), _parse_category(request)
            act = request.build_act()
        except FormError as error:
            return await self.views.render_one(request, FormState("refund", request.fields, error))
        if request.fields.get("confirmed") != "yes":
            return self._render_question(request, payment, amount)
        reason = RefundReason("staff", act.actor.id, act.reason, act.idempotency_key, category, act.actor.channel)
        refund = await self.services.refunds.request(payment.id, amount, reason)
        if isinstance(refund, RefundRejected):
            problem = FormError(request.translate(f"payments.refund_rejected.{refund.reason}"))
            return await self.views.render_one(request, FormState("refund", request.fields, problem))
        return request.redirect(f"{PATH}/{payment.id}", "refund")

    async def record_refund(self, request: ConsoleRequest) -> web.StreamResponse:
        """Record a refund that a person made in the wallet's portal."""
        payment, refund = await self.services.find_of_path(request), parse_id(request.path_value("refund"))
        form = f"returned{refund}"
        history = await self.services.histories.fetch_history(payment)
        try:
            receipt, act = parse_line(request, "receipt", MAX_RECEIPT_LENGTH), request.build_act()
        except FormError as error:
            return await self.views.render_one(request, FormState(form, request.fields, error))
        is_of_payment = any(one.id == refund for one in history.refunds)
        if not is_of_payment or not await self.services.refunds.mark_refunded(refund, act, receipt):
            problem = FormError(request.translate("payments.not_returned"))
            return await self.views.render_one(request, FormState(form, request.fields, problem))
        return request.redirect(f"{PATH}/{payment.id}", "returned")

    async def settle(self, request: ConsoleRequest) -> web.StreamResponse:
        """Record the outcome of a payment that a person found out."""
        payment = await self.services.find_of_path(request)
        try:
            outcome = _parse_outcome(request)
            receipt, act = parse_line(request, "receipt", MAX_RECEIPT_LENGTH), request.build_act()
        except FormError as error:
            return await self.views.render_one(request, FormState("settle", request.fields, error))
        if not await self.services.payments.settle(payment.id, outcome, act, receipt):
            problem = FormError(request.translate("payments.not_settled"))
            return await self.views.render_one(request, FormState("settle", request.fields, problem))
        return request.redirect(f"{PATH}/{payment.id}", f"settled_{outcome}")

    def _parse_amount(self, request: ConsoleRequest, payment: ListedPayment) -> int:
        """The hundredths that are given back; all that is left where nothing was typed.

        Raises:
            FormError: it is no amount, more than is left, or none that the wallet can pay.
        """
        if payment.status not in REFUNDABLE_STATUSES:
            raise FormError(request.translate("payments.refund_rejected.not_paid"))
        typed = parse_money(request, "amount")
        amount = payment.remaining_minor if typed is None else typed
        if not 0 < amount <= payment.remaining_minor:
            raise FormError(request.translate("payments.refund_rejected.too_much"), "amount")
        try:
            check_step(amount, self.services.find_amount_step(payment.wallet, payment.currency), payment.currency)
        except AmountError:
            raise FormError(request.translate("payments.amount_step"), "amount") from None
        return amount

    def _render_question(self, request: ConsoleRequest, payment: ListedPayment, amount: int) -> web.Response:
        return request.render(
            "payments/refund.html",
            payment=payment,
            amount=amount,
            stays=payment.remaining_minor - amount,
            fields={name: value for name, value in request.fields.items() if name != "proof"},
            subject_name=self.services.build_namer(request),
        )


def _parse_category(request: ConsoleRequest) -> RefundCategory | Literal[""]:
    typed = request.fields.get("category", "")
    return next((one for one in get_args(RefundCategory) if one == typed), "")


def _parse_outcome(request: ConsoleRequest) -> Literal["paid", "failed"]:
    match request.fields.get("outcome"):
        case "paid":
            return "paid"
        case "failed":
            return "failed"
        case _:
            raise FormError(request.translate("payments.outcome_wrong"), "outcome")
