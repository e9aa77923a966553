"""The page on which the helpdesk looks up a citizen, and helps. Every look and act is in the audit log.

The address of a record has a sealed reference: no number is in the history of a browser, or in a log of addresses.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from aiohttp import web

from core.phone_numbers import PhoneNumberError, is_detached, parse_msisdn
from services.audit.staff_acts import StaffAct
from services.citizens.account_support import AccountSupport
from services.helpdesk.lookup import CitizenLookup
from services.helpdesk.models import Citizen, FormerAccount, Identity, Reference
from services.helpdesk.references import parse_reference
from services.helpdesk.resends import MessageResends
from services.helpdesk.sealed_references import SealedReferences
from web.console.citizens.access_acts import ACCESS_ACTS
from web.console.citizens.notices import NoticesForm
from web.console.forms.parsing import parse_id
from web.console.forms.state import NO_FORM, FormState
from web.console.messages.resending import is_resendable, refuse_resend
from web.console.requests import ConsoleHandler, ConsolePage, ConsoleRequest, ConsoleRoute, FormError
from web.console.word_lookup import WordLookup

PATH: Final = "/console/citizens"
RECORD_PATH: Final = f"{PATH}/{{reference}}"
NOT_FOUND: Final = web.HTTPNotFound.status_code
REFUSED: Final = web.HTTPUnprocessableEntity.status_code

ALREADY_SO: Final = frozenset({"frozen_already", "not_frozen"})
"""What an act says of an account that is as it asks, and also of a number without one."""


class Done(NamedTuple):
    """The key of the text that says what was done, and whose record is shown; None: the same."""

    text: str
    shown: Reference | None = None


RunAct: TypeAlias = Callable[[ConsoleRequest, Citizen, StaffAct], Awaitable[Done]]
"""Runs an act. Raises FormError where it was not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizensPage:
    """Looks up citizens, and does what the helpdesk may do for one."""

    lookup: CitizenLookup
    resends: MessageResends
    support: AccountSupport
    references: SealedReferences
    notices: NoticesForm
    is_supported_number: Callable[[str], bool]

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        acts: Mapping[str, tuple[str, RunAct]] = {
            **{name: (f"citizens.{name}", self._build_access_act(name)) for name in ACCESS_ACTS},
            "release": ("citizens.release", self._release),
            "attach": ("citizens.attach", self._attach),
            "resend": ("messages.resend", self._resend),
        }
        routes = (
            ConsoleRoute("GET", PATH, self.show_search, "citizens.view"),
            ConsoleRoute("POST", PATH, self.search, "citizens.view"),
            *self.notices.build_routes(),
            ConsoleRoute("GET", RECORD_PATH, self.show_record, "citizens.view"),
            ConsoleRoute("GET", f"{RECORD_PATH}/messages", self.show_messages, "citizens.view"),
            ConsoleRoute("POST", f"{RECORD_PATH}/reveal", self.reveal, "citizens.reveal"),
            *(
                ConsoleRoute("POST", f"{RECORD_PATH}/{name}", self._build_handler(name, run), action)
                for name, (action, run) in acts.items()
            ),
        )
        return ConsolePage("citizens", PATH, "citizens.view", routes)

    async def show_search(self, request: ConsoleRequest) -> web.StreamResponse:
        """The field."""
        return _render_search(request)

    async def search(self, request: ConsoleRequest) -> web.StreamResponse:
        """Go to the record that the typed number leads to."""
        text = request.fields.get("what", "")
        reference = parse_reference(text)
        if reference is None:
            return _render_search(request, "wrong", text, status=REFUSED)
        return request.redirect(self._address(reference))

    async def show_record(self, request: ConsoleRequest) -> web.StreamResponse:
        """All that is known of a citizen, masked."""
        return await self._render_record(request, self._open(request))

    async def show_messages(self, request: ConsoleRequest) -> web.StreamResponse:
        """The messages before the one that the address names, newest first."""
        reference, before = self._open(request), parse_id(request.query.get("before", ""))
        found = await self.lookup.list_messages(reference, request.build_look(), before=before)
        if found is None:
            return _render_search(request, f"unknown.{reference.kind}", status=NOT_FOUND)
        return request.render(
            "citizens/messages.html",
            address=self._address(reference),
            messages=found,
            form=NO_FORM,
            **_word_facts(request),
        )

    async def reveal(self, request: ConsoleRequest) -> web.StreamResponse:
        """The record with the whole number, name and e-mail address, once: no address shows them again."""
        reference = self._open(request)
        try:
            identity = await self.lookup.reveal(reference, request.build_act())
        except FormError as error:
            return await self._render_record(request, reference, form=FormState("reveal", request.fields, error))
        return await self._render_record(request, reference, identity=identity)

    def _build_handler(self, name: str, run: RunAct) -> ConsoleHandler:
        """The handler of an act: back to the record, which says what was done, or beside the form why it was not."""

        async def handle(request: ConsoleRequest) -> web.StreamResponse:
            reference = self._open(request)
            citizen = await self.lookup.find(reference)
            if citizen is None:
                raise web.HTTPNotFound
            try:
                done = await run(request, citizen, request.build_act())
            except FormError as error:
                return await self._render_record(
                    request, reference, form=FormState(_name_form(name, request), request.fields, error)
                )
            return request.redirect(self._address(done.shown or reference), done.text)

        return handle

    def _build_access_act(self, name: str) -> RunAct:
        run = ACCESS_ACTS[name]

        async def act(request: ConsoleRequest, citizen: Citizen, act: StaffAct) -> Done:
            if is_detached(citizen.msisdn):
                raise _refuse(request, "no_number")
            result = await run(self.support, citizen.msisdn, act)
            if result.refused in ALREADY_SO and not await self.support.has_account(citizen.msisdn):
                raise _refuse(request, "no_account")
            if result.refused:
                raise _refuse(request, result.refused)
            return Done(result.done)

        return act

    async def _release(self, request: ConsoleRequest, citizen: Citizen, act: StaffAct) -> Done:
        if is_detached(citizen.msisdn):
            raise _refuse(request, "no_number")
        result = await self.support.release(citizen.msisdn, act)
        if result.outcome == "nothing":
            raise _refuse(request, "no_account")
        return Done("released" if result.account else "released_without_account")

    async def _attach(self, request: ConsoleRequest, _citizen: Citizen, act: StaffAct) -> Done:
        try:
            number = parse_msisdn(request.fields.get("number", ""))
        except PhoneNumberError:
            raise _refuse(request, "not_a_number", "number") from None
        if not self.is_supported_number(number):
            raise _refuse(request, "country", "number")
        outcome = await self.support.attach(parse_id(request.fields.get("account", "")), number, act)
        if outcome != "attached":
            raise _refuse(request, outcome, "number")
        return Done("attached", Reference("number", number))

    async def _resend(self, request: ConsoleRequest, citizen: Citizen, act: StaffAct) -> Done:
        message = parse_id(request.fields.get("message", ""))
        if not await self.lookup.has_message(citizen, message):
            raise refuse_resend(request, "no_message")
        result = await self.resends.resend(message, act)
        if result.outcome != "sent":
            raise refuse_resend(request, result.outcome)
        return Done("resent")

    def _open(self, request: ConsoleRequest) -> Reference:
        """The reference in the address.

        Raises:
            HTTPNotFound: nobody sealed it.
        """
        reference = self.references.open(request.path_value("reference"))
        if reference is None:
            raise web.HTTPNotFound
        return reference

    def _address(self, reference: Reference) -> str:
        return f"{PATH}/{self.references.seal(reference)}"

    async def _render_record(
        self,
        request: ConsoleRequest,
        reference: Reference,
        *,
        identity: Identity | None = None,
        form: FormState = NO_FORM,
    ) -> web.StreamResponse:
        """The record, with who it is where that is revealed, and with what is wrong beside the form that failed."""
        record = await self.lookup.show(reference, request.build_look())
        if record is None:
            return _render_search(request, f"unknown.{reference.kind}", status=NOT_FOUND)
        if record.is_empty:
            return _render_search(request, "empty", status=NOT_FOUND)
        return request.render(
            "citizens/record.html",
            REFUSED if form.error else web.HTTPOk.status_code,
            record=record,
            account=record.account,
            address=self._address(reference),
            identity=identity,
            form=form,
            former=[(one.account, _describe_former(request, one)) for one in record.former_accounts],
            **_word_facts(request),
        )


def _render_search(
    request: ConsoleRequest, problem: str = "", what: str = "", *, status: int = web.HTTPOk.status_code
) -> web.StreamResponse:
    text = request.translate(f"citizens.problem.{problem}") if problem else ""
    return request.render("citizens/citizens.html", status, problem=text, what=what)


def _name_form(name: str, request: ConsoleRequest) -> str:
    """The name of a form of the record: each message has one that sends it again."""
    return f"{name}-{request.fields.get('message', '')}" if name == "resend" else name


def _describe_former(request: ConsoleRequest, former: FormerAccount) -> str:
    day = former.released_at.astimezone(request.renderer.zone).date()
    return request.translate("citizens.former", account=former.account, day=day)


def _refuse(request: ConsoleRequest, reason: str, name: str = "") -> FormError:
    return FormError(request.translate(f"citizens.refused.{reason}"), name)


def _word_facts(request: ConsoleRequest) -> Mapping[str, Any]:
    """What templates need to say codes in words."""
    words = WordLookup(request.translate, request.renderer.word_keys)
    return {"word": words.find, "is_resendable": is_resendable}
