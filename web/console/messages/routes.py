"""The messages by state, what only a person can settle, and what waits for each provider. No text of a message is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast, get_args

from aiohttp import web

from services.helpdesk.models import Reference
from services.helpdesk.resends import DEPARTMENT_KINDS, MessageResends
from services.helpdesk.sealed_references import SealedReferences
from services.messaging.message_status import MessageState, Queue, Status
from services.messaging.messages import Messages
from services.messaging.models import Resolution
from web.console.forms.parsing import parse_id
from web.console.forms.state import NO_FORM, FormState
from web.console.messages.resending import is_resendable, refuse_resend
from web.console.rendering import HEADERS
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.word_lookup import WordLookup

PATH: Final = "/console/messages"
SHEET_PATH: Final = f"{PATH}/texts.csv"
MESSAGE_PATH: Final = f"{PATH}/{{message}}"
PAGE_ROWS: Final = 50
HELD: Final = "held"
STATES: Final = ("unknown", HELD, "queued", "sending", "failed", "sent")
"""The lists: what waits for a person comes first."""
AGE_UNITS: Final = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))
REFUSED: Final = web.HTTPUnprocessableEntity.status_code


class QueueLine(NamedTuple):
    """What waits for a provider, and for how long: a number of `minutes`, `hours` or `days`."""

    provider: str
    due: int
    unit: str
    age: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesPage:
    """Lists messages, settles unknown ones, releases held texts, sends again. `build_sheet` returns the texts to register, as CSV."""

    messages: Messages
    resends: MessageResends
    references: SealedReferences
    build_sheet: Callable[[], str]

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show_list, "messages.view"),
            ConsoleRoute("POST", f"{PATH}/release", self.release, "messages.release"),
            ConsoleRoute("GET", SHEET_PATH, self.download_sheet, "messages.view"),
            ConsoleRoute("GET", MESSAGE_PATH, self.show_message, "messages.view"),
            ConsoleRoute("POST", f"{MESSAGE_PATH}/settle", self.settle, "messages.settle"),
            ConsoleRoute("POST", f"{MESSAGE_PATH}/resend", self.resend, "messages.resend"),
            ConsoleRoute("POST", f"{MESSAGE_PATH}/citizen", self.open_citizen, "citizens.view"),
        )
        return ConsolePage("messages", PATH, "messages.view", routes)

    async def show_list(self, request: ConsoleRequest) -> web.StreamResponse:
        """The messages in a state, newest first, or the texts that operators refuse."""
        return await self._render_list(request, request.query.get("state", ""))

    async def download_sheet(self, _: ConsoleRequest) -> web.StreamResponse:
        """The texts to register with the operators of India. The byte-order mark tells spreadsheets that it is UTF-8."""
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="texts.csv"'}
        return web.Response(body=self.build_sheet().encode("utf-8-sig"), content_type="text/csv", headers=headers)

    async def show_message(self, request: ConsoleRequest) -> web.StreamResponse:
        """Where a message is, why, and what can be done."""
        return await self._render_message(request)

    async def settle(self, request: ConsoleRequest) -> web.StreamResponse:
        """Record what became of a message whose result nobody knows."""
        try:
            resolution = await self._settle(request)
        except FormError as error:
            return await self._render_message(request, FormState("settle", request.fields, error))
        return request.redirect(f"{PATH}/{_find_id(request)}", f"settled_{resolution}")

    async def resend(self, request: ConsoleRequest) -> web.StreamResponse:
        """Send a message again, and go to the new one."""
        try:
            new = await self._resend(request)
        except FormError as error:
            return await self._render_message(request, FormState("resend", request.fields, error))
        return request.redirect(f"{PATH}/{new}", "resent")

    async def release(self, request: ConsoleRequest) -> web.StreamResponse:
        """Send the messages of a text that an operator refused, once it is mended."""
        try:
            await self._release(request)
        except FormError as error:
            return await self._render_list(request, HELD, FormState("release", request.fields, error))
        return request.redirect(PATH, "released")

    async def open_citizen(self, request: ConsoleRequest) -> web.StreamResponse:
        """Go to the record of the citizen to whom a message went.

        Raises:
            HTTPNotFound: it went to no number, or to one that was taken from its holder.
        """
        recipient = await self.messages.find_msisdn(_find_id(request))
        if not recipient:
            raise web.HTTPNotFound
        return request.redirect(f"/console/citizens/{self.references.seal(Reference('number', recipient))}")

    async def _settle(self, request: ConsoleRequest) -> Resolution:
        resolution = request.fields.get("resolution", "")
        if resolution not in get_args(Resolution):
            raise FormError(request.translate("messages.settle_choose"), "resolution")
        chosen = cast("Resolution", resolution)
        if not await self.messages.resolve_unknown(_find_id(request), chosen, request.build_act()):
            raise await self._refuse_settling(request)
        return chosen

    async def _resend(self, request: ConsoleRequest) -> int:
        """The id of the new message.

        Raises:
            refuse_resend: it was not sent again.
        """
        result = await self.resends.resend(_find_id(request), request.build_act())
        if result.outcome != "sent":
            raise refuse_resend(request, result.outcome)
        return result.message

    async def _release(self, request: ConsoleRequest) -> None:
        if not await self.messages.holds.release(request.fields.get("text", ""), request.build_act()):
            raise FormError(request.translate("messages.release_nothing"), "text")

    async def _refuse_settling(self, request: ConsoleRequest) -> FormError:
        state = await self.messages.state(_find_id(request))
        is_unknown = state is not None and state.stage == "unknown"
        return FormError(request.translate(f"messages.{'settle_gone' if is_unknown else 'settle_done'}"))

    async def _render_list(self, request: ConsoleRequest, state: str, form: FormState = NO_FORM) -> web.StreamResponse:
        chosen = state if state in STATES else STATES[0]
        before = parse_id(request.query.get("before", ""))
        found = await self._list(chosen, before)
        return request.render(
            "messages/messages.html",
            REFUSED if form.error else web.HTTPOk.status_code,
            states=STATES,
            state=chosen,
            messages=found[:PAGE_ROWS],
            older=f"{PATH}?state={chosen}&before={found[PAGE_ROWS - 1].id}" if len(found) > PAGE_ROWS else "",
            refused_texts=await self.messages.holds.list_refused() if chosen == HELD else (),
            queues=[_describe_queue(one) for one in await self.messages.list_queues()],
            form=form,
            **_word_facts(request),
        )

    async def _list(self, state: str, before: int) -> list[MessageState]:
        if state == HELD:
            return []
        return list(await self.messages.list_by_status(cast("Status", state), PAGE_ROWS + 1, before))

    async def _render_message(self, request: ConsoleRequest, form: FormState = NO_FORM) -> web.StreamResponse:
        message = await self.messages.state(_find_id(request))
        if message is None:
            raise web.HTTPNotFound
        return request.render(
            "messages/message.html",
            REFUSED if form.error else web.HTTPOk.status_code,
            message=message,
            is_citizens=message.kind not in DEPARTMENT_KINDS and message.medium == "sms",
            resolutions=get_args(Resolution),
            form=form,
            **_word_facts(request),
        )


def _find_id(request: ConsoleRequest) -> int:
    """The id in the address.

    Raises:
        HTTPNotFound: there is none.
    """
    if message := parse_id(request.path_value("message")):
        return message
    raise web.HTTPNotFound


def _describe_queue(queue: Queue) -> QueueLine:
    unit, length = next((one for one in AGE_UNITS if queue.oldest_age >= one[1]), AGE_UNITS[-1])
    return QueueLine(queue.provider, queue.due, unit, queue.oldest_age // length)


def _word_facts(request: ConsoleRequest) -> dict[str, Any]:
    words = WordLookup(request.translate, request.renderer.word_keys)
    return {"word": words.find, "is_resendable": is_resendable}
