"""Feedback in the department API: listed."""

from dataclasses import asdict
from typing import Any, Protocol

from services.complaints import Feedback as Opinion
from services.pages import Page, Span
from web.api.lists import LIST_REFUSALS, Lists
from web.api.models.common import PageAsked
from web.api.models.complaints import FeedbackList
from web.api.operations import Answer, AnyOperation, Call, Operation


class Opinions(Protocol):
    """What was thought, as the department sees it that it is about."""

    async def feedback(self, department: str, span: Span) -> Page[Opinion]:
        """That about a department, oldest first."""


def operations(opinions: Opinions, lists: Lists) -> tuple[AnyOperation, ...]:
    """What can be asked about feedback."""

    async def list_it(call: Call[PageAsked, None]) -> Answer:
        page = await opinions.feedback(call.department, lists.span(call))
        return lists.answer(call, Page(tuple(map(_facts, page.items)), page.last), FeedbackList)

    return (
        Operation(
            "listFeedback",
            "GET",
            "/feedback",
            "List feedback",
            "What citizens think of your department's services, oldest first.",
            FeedbackList,
            list_it,
            query=PageAsked,
            refusals=LIST_REFUSALS,
        ),
    )


def _facts(opinion: Opinion) -> dict[str, Any]:
    """By the names of the API; what names nothing is null."""
    facts = asdict(opinion)
    return {**facts, "service": facts["service"] or None, "feedback_number": facts.pop("number")}
