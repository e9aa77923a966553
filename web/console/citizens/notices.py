"""Release the numbers of a file: the notices of a network that took them from their holders."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from core.errors import Problem, ValidationFailedError
from services.audit.staff_acts import StaffAct
from services.citizens.number_notices import EXAMPLE, HEADER, NoticeCounts, NumberNotice
from web.console.forms.state import NO_FORM, FormState
from web.console.requests import ConsoleRequest, ConsoleRoute, FormError

PATH: Final = "/console/citizens/notices"
FILE_NAME: Final = "file"
MAX_NOTICES: Final = 2000
"""Numbers of a file: more would keep the browser waiting for too long. `server.py citizen release --file` takes more."""
MAX_PROBLEMS: Final = 50
REFUSED: Final = web.HTTPUnprocessableEntity.status_code


@dataclass(frozen=True, slots=True)
class NoticesForm:
    """The form that takes the file. `parse` takes its text and a name, and raises ValidationFailedError."""

    parse: Callable[[str, str], Sequence[NumberNotice]]
    release_all: Callable[[Sequence[NumberNotice], bytes, StaffAct], Awaitable[NoticeCounts]]

    def build_routes(self) -> Sequence[ConsoleRoute]:
        """The routes of the form."""
        return (
            ConsoleRoute("GET", PATH, self.show, "citizens.release"),
            ConsoleRoute("POST", PATH, self.release, "citizens.release", takes_file=True),
        )

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """The form."""
        return _render(request)

    async def release(self, request: ConsoleRequest) -> web.StreamResponse:
        """Release every number of the file, or none where a line is wrong; the page says how many."""
        try:
            counts = await self._release(request)
        except FormError as error:
            return _render(request, error)
        except ValidationFailedError as error:
            problem = FormError(request.translate("citizens.notices.wrong"), "lines")
            return _render(request, problem, error.problems)
        return _render(request, counts=counts)

    async def _release(self, request: ConsoleRequest) -> NoticeCounts:
        if not request.file:
            raise FormError(request.translate("citizens.notices.missing"), "file")
        act = request.build_act()
        try:
            text = request.file.decode()
        except UnicodeDecodeError:
            raise FormError(request.translate("citizens.notices.not_utf8"), "file") from None
        notices = self.parse(text, FILE_NAME)
        if len(notices) > MAX_NOTICES:
            raise FormError(request.translate("citizens.notices.too_many", most=MAX_NOTICES), "file")
        return await self.release_all(notices, request.file, act)


def _render(
    request: ConsoleRequest,
    error: FormError | None = None,
    problems: Sequence[Problem] = (),
    counts: NoticeCounts | None = None,
) -> web.Response:
    return request.render(
        "citizens/notices.html",
        REFUSED if error else web.HTTPOk.status_code,
        form=FormState("notices", request.fields, error) if error else NO_FORM,
        problems=problems[:MAX_PROBLEMS],
        counts=counts,
        example=f"{HEADER}\n{EXAMPLE}",
    )
