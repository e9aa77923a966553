"""The page of feedback."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.complaints.department_view import DepartmentComplaints
from web.console.cases.listing import build_next_address, build_options, read_filter
from web.console.cases.names import CatalogueNames
from web.console.cases.page import ConsoleTools
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute

PATH: Final = "/console/feedback"


@dataclass(frozen=True, slots=True)
class FeedbackPage:
    """Shows the feedback of the member's department, or of all."""

    complaints: DepartmentComplaints
    tools: ConsoleTools

    def build_page(self) -> ConsolePage:
        """The page with its route."""
        route = ConsoleRoute("GET", PATH, self.show, "feedback.view")
        return ConsolePage("feedback", PATH, "feedback.view", (route,))

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """The feedback that the filters of the address choose, newest first."""
        chosen = read_filter(request, (), self.tools.zone)
        names = CatalogueNames(self.tools.current_catalogue, request.member.language)
        page = await self.complaints.list_newest_feedback(chosen.scope, chosen.page)
        return request.render(
            "feedback/feedback.html",
            chosen=chosen,
            items=page.items,
            names=names,
            options=build_options(request, names, chosen.scope, with_gateway=True),
            next_address=build_next_address(request, page.next_position),
        )
