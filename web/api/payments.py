"""Payments in the department API: a fee that was paid in cash at the department's counter."""

from collections.abc import Mapping
from typing import Final

from core.idempotency import build_request_key
from services.payments.cash import CashPayment, CashPayments, CashRejected
from web.api.errors import ApiError, ProblemSpec
from web.api.models.common import Empty
from web.api.models.payments import ApplicationPayment, CashReceipt
from web.api.operations import AnyOperation, ApiRequest, ApiResponse, Operation

PROBLEMS: Final[Mapping[str, ProblemSpec]] = {
    "unknown": (404, "Not found", "Your department has no application with this tracking number."),
    "paid": (409, "Paid before", "The fee of this application is paid. Give the cash back."),
    "no_fee": (409, "No fee", "There is no fee to pay for this application. Give the cash back."),
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
    "wrong_amount": (409, "Another amount", "The fee of this application is another one; take exactly the fee."),
}


def build_operations(cash: CashPayments) -> tuple[AnyOperation, ...]:
    """The one operation on payments: record a fee in cash."""

    async def record(request: ApiRequest[Empty, CashReceipt]) -> ApiResponse:
        body = request.body
        payment = CashPayment(
            request.number, body.amount_minor, body.currency, body.receipt, department=request.department
        )
        key = build_request_key("payment", request.department, request.idempotency_key)
        result = await cash.record(payment, request.actor, key)
        if isinstance(result, CashRejected):
            raise ApiError(_build_problem(result))
        return ApiResponse.for_change(
            ApplicationPayment.model_validate(
                {name: getattr(result, name) for name in ApplicationPayment.model_fields}
            ),
            replayed=result.is_repeat,
        )

    return (
        Operation(
            name="recordPayment",
            method="POST",
            path="/applications/{tracking_number}/payments",
            summary="Record a fee that was paid in cash",
            description="The citizen gets the receipt by SMS, and is not asked for the fee any more.",
            response_model=ApplicationPayment,
            handler=record,
            body_model=CashReceipt,
            problems=PROBLEMS,
        ),
    )


def _build_problem(rejected: CashRejected) -> ProblemSpec:
    status, title, detail = PROBLEMS[rejected.reason]
    if rejected.reason == "wrong_amount":
        detail = f"The fee of this application is {rejected.amount_minor} in hundredths of {rejected.currency}."
    return status, title, detail
