"""Models of the notices of networks."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from web.api.models.common import RequestModel, ResponseModel, config_with_example

EARLIEST_DAY: Final = date(2000, 1, 1)
NOTICE_EXAMPLE: Final = {"number": "+8801711000001", "taken_on": "2026-11-01"}


class NumberNotice(RequestModel):
    """A number that the network took from its holder, and the day on which it did."""

    model_config = config_with_example(NOTICE_EXAMPLE, RequestModel)

    number: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$"), Field(description="With a plus: E.164.")]
    taken_on: Annotated[
        date,
        Field(description="A day in the past. What began later belongs to the next holder of the number, and stays."),
    ]


class NumberNoticeReceipt(ResponseModel):
    """The notice is carried out. It does not tell whether the number was known."""

    model_config = config_with_example({"status": "accepted", **NOTICE_EXAMPLE}, ResponseModel)

    status: Literal["accepted"] = "accepted"
    number: str
    taken_on: date
