"""Applications in the department API: listed, read, and moved on."""

from collections.abc import Mapping
from typing import Final, Protocol

from services.applications import Filed, Listed, Moved, NotMoved
from services.audit import Who
from services.given import Texts
from services.pages import Page, Span
from web.api.lists import LIST_REFUSALS, Lists
from web.api.models.applications import (
    Application,
    ApplicationEvent,
    ApplicationMoved,
    Applications,
    ApplicationsAsked,
)
from web.api.models.common import Nothing
from web.api.operations import Answer, AnyOperation, Call, Operation
from web.api.problems import Refused, Said

PATH: Final = "/applications/{tracking_number}"
UNKNOWN: Final[Said] = (404, "Not found", "Your department has no application with this tracking number.")
REASONS: Final[Mapping[str, Said]] = {
    "unknown": UNKNOWN,
    "no_such_status": (422, "No such status", "Use one of the eight statuses."),
    "final": (409, "Final", "This application is delivered or withdrawn and moves no further."),
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
}


class Filings(Protocol):
    """The applications, as their department sees them."""

    async def listed(self, department: str, span: Span, *, service: str, status: str) -> Page[Listed]:
        """Those of a department, in the order in which they changed."""

    async def filed(self, department: str, tracking_number: str, *, by: Who) -> Filed | None:
        """The application, or None when this department has none of this number."""

    async def move(
        self, department: str, tracking_number: str, status: str, note: Texts, key: str, *, by: Who
    ) -> Moved | NotMoved:
        """Moves it on, once for each key."""


def operations(filings: Filings, lists: Lists) -> tuple[AnyOperation, ...]:
    """What can be asked about applications."""

    async def list_them(call: Call[ApplicationsAsked, None]) -> Answer:
        asked, span = call.query, lists.span(call)
        page = await filings.listed(call.department, span, service=asked.service, status=asked.status or "")
        return lists.answer(call, page, Applications)

    async def read(call: Call[Nothing, None]) -> Answer:
        filed = await filings.filed(call.department, call.number, by=call.who)
        if filed is None:
            raise Refused(UNKNOWN)
        return Answer(_told(filed))

    async def move(call: Call[Nothing, ApplicationEvent]) -> Answer:
        event = call.body
        note: Texts = dict(event.note.items())
        moved = await filings.move(call.department, call.number, event.status, note, call.key, by=call.who)
        if isinstance(moved, NotMoved):
            raise Refused(REASONS[moved.reason])
        return Answer.of_change(ApplicationMoved.model_validate(moved), again=moved.again)

    return (
        Operation(
            "listApplications",
            "GET",
            "/applications",
            "List applications",
            "Those of your department, in the order in which they changed.",
            Applications,
            list_them,
            query=ApplicationsAsked,
            refusals=LIST_REFUSALS,
        ),
        Operation(
            "readApplication",
            "GET",
            PATH,
            "Read an application",
            "With what the citizen typed, and all that has become of it. That it was read is noted in the audit.",
            Application,
            read,
            refusals={"unknown": UNKNOWN},
        ),
        Operation(
            "moveApplication",
            "POST",
            f"{PATH}/events",
            "Move an application on",
            "The citizen is told by SMS in their language, and tracking shows the new status from then on.",
            ApplicationMoved,
            move,
            body=ApplicationEvent,
            refusals=REASONS,
        ),
    )


def _told(filed: Filed) -> Application:
    plain = Application.model_fields.keys() - {"applicant", "beneficiary", "fee"}
    other = {"number": filed.beneficiary} if filed.beneficiary else None
    fee = {"amount_minor": filed.fee_minor, "currency": filed.currency, "state": filed.fee_state}
    about = {"applicant": filed, "beneficiary": other, "fee": fee}
    return Application.model_validate({**{name: getattr(filed, name) for name in plain}, **about})
