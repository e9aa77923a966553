"""Models of fees that a department takes in cash."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from web.api.models.common import (
    REFERENCE_NUMBER_EXAMPLE,
    TIMESTAMP_EXAMPLE,
    ReferenceNumber,
    RequestModel,
    ResponseModel,
    config_with_example,
)

MAX_RECEIPT_LENGTH: Final = 32
MAX_AMOUNT: Final = 10**15  # within an integer column
PAYMENT_EXAMPLE: Final = {"amount_minor": 5000, "currency": "BDT", "receipt": "R-2026-117"}


def _read_whole_number(value: object) -> object:
    """A JSON number without a fraction, as JSON Schema has it: 5000.0 is 5000."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class CashReceipt(RequestModel):
    """A fee that was paid at the counter: the whole fee in hundredths of its currency, and the number of the paper receipt."""

    model_config = config_with_example(PAYMENT_EXAMPLE, RequestModel)

    amount_minor: Annotated[int, Field(gt=0, le=MAX_AMOUNT, strict=True), BeforeValidator(_read_whole_number)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    receipt: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z ./_-]*$", max_length=MAX_RECEIPT_LENGTH)]


class ApplicationPayment(ResponseModel):
    """A payment in cash, recorded by this request or by an earlier one with the same key."""

    model_config = config_with_example(
        {
            "tracking_number": REFERENCE_NUMBER_EXAMPLE,
            **PAYMENT_EXAMPLE,
            "state": "paid",
            "at": TIMESTAMP_EXAMPLE,
        },
        ResponseModel,
    )

    tracking_number: ReferenceNumber
    amount_minor: int
    currency: str
    receipt: str
    state: Annotated[
        Literal["paid", "pending"],
        Field(
            description="`pending`: the citizen's wallet is being asked for the same fee. If it pays, give the cash back; "
            "else the cash counts."
        ),
    ]
    at: datetime
