"""Notices of networks in the API: a number was taken from its holder."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from core.idempotency import build_request_key
from core.types import UtcClock, utc_now
from services.citizens.number_release import NumberReleases, ReleaseConflictError, ReleaseRequest
from web.api.errors import ApiError, ProblemSpec
from web.api.models.common import Empty, FieldError
from web.api.models.number_notices import EARLIEST_DAY, NumberNotice, NumberNoticeReceipt
from web.api.operations import AnyOperation, ApiRequest, ApiResponse, Operation
from web.api.routes import INVALID_REQUEST

FURTHEST_ZONE: Final = timedelta(hours=14)
"""Where a day begins first, it begins so long before UTC."""

PROBLEMS: Final[Mapping[str, ProblemSpec]] = {
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
}


def build_operations(releases: NumberReleases, clock: UtcClock = utc_now) -> tuple[AnyOperation, ...]:
    """The one operation on notices: report a number."""

    async def report(request: ApiRequest[Empty, NumberNotice]) -> ApiResponse:
        notice = request.body
        if not EARLIEST_DAY <= notice.taken_on <= (clock() + FURTHEST_ZONE).date():
            raise ApiError(INVALID_REQUEST, errors=[FieldError(where="taken_on", problem="It is no day in the past")])
        release = ReleaseRequest(
            notice.number,
            "notice",
            request.actor,
            build_request_key("number-notice", request.key_holder.department, request.idempotency_key),
            taken_on=notice.taken_on,
        )
        try:
            result = await releases.release(release)
        except ReleaseConflictError:
            raise ApiError(PROBLEMS["conflict"]) from None
        receipt = NumberNoticeReceipt(number=notice.number, taken_on=notice.taken_on)
        return ApiResponse.for_change(receipt, replayed=result.is_repeat)

    return (
        Operation(
            name="reportNumber",
            method="POST",
            path="/number-notices",
            summary="Report a number that was taken from its holder",
            description="For networks, with a key of their own: the account of the former holder leaves the number, and "
            "nothing more is sent to it.",
            response_model=NumberNoticeReceipt,
            handler=report,
            body_model=NumberNotice,
            problems=PROBLEMS,
            key_kind="network",
        ),
    )
