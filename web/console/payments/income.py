"""Money that came without a request of ours: fees in cash, and money that belongs to no payment."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from core.amounts import format_money
from core.typed_input import to_ascii_digits
from services.audit.staff_acts import StaffAct
from services.payments.cash import CashPayment, CashRejected
from services.payments.unmatched_money import UnmatchedRejected
from web.console.forms.parsing import parse_id, parse_line, parse_money
from web.console.forms.state import NO_FORM, FormState
from web.console.payments.services import PATH, LedgerServices, find_status
from web.console.requests import ConsoleRequest, FormError

CASH_PATH: Final = f"{PATH}/cash"
REPORT_PATH: Final = f"{PATH}/money/{{report:[0-9]+}}"
MAX_RECEIPT_LENGTH: Final = 32
MAX_ACCOUNT_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class IncomePages:
    """Records cash, and says what money is for that belongs to no payment."""

    services: LedgerServices

    async def show_cash(self, request: ConsoleRequest) -> web.StreamResponse:
        """The form for a fee in cash."""
        return _render_cash(request, NO_FORM)

    async def record_cash(self, request: ConsoleRequest) -> web.StreamResponse:
        """Record a fee in cash, and send the receipt to the citizen."""
        try:
            cash, act = _parse_cash(request), request.build_act()
        except FormError as error:
            return _render_cash(request, FormState("cash", request.fields, error))
        result = await self.services.cash.record(cash, act.actor, act.idempotency_key)
        if isinstance(result, CashRejected):
            return _render_cash(request, FormState("cash", request.fields, _describe_cash(request, result)))
        return request.redirect(f"{PATH}/{result.payment}", f"cash_{result.state}")

    async def show_report(self, request: ConsoleRequest) -> web.StreamResponse:
        """Money that belongs to no payment, with what can be done with it."""
        return await self._render_report(request, NO_FORM)

    async def assign(self, request: ConsoleRequest) -> web.StreamResponse:
        """Make the money a payment of what it is for."""
        report = parse_id(request.path_value("report"))
        try:
            account = parse_line(request, "account", MAX_ACCOUNT_LENGTH, required=True)
            act = request.build_act()
        except FormError as error:
            return await self._render_report(request, FormState("assign", request.fields, error))
        result = await self.services.unmatched.assign(f"#{report}", account, act)
        if isinstance(result, UnmatchedRejected):
            problem = FormError(request.translate(f"payments.unmatched.{result.reason}"), "account")
            return await self._render_report(request, FormState("assign", request.fields, problem))
        return request.redirect(f"{PATH}/{result.payment}", "assigned")

    async def give_back(self, request: ConsoleRequest) -> web.StreamResponse:
        """Record that a person gave the money back in the wallet's portal."""
        report = parse_id(request.path_value("report"))
        try:
            receipt, act = self._parse_given_back(request)
        except FormError as error:
            return await self._render_report(request, FormState("given_back", request.fields, error))
        result = await self.services.unmatched.give_back(f"#{report}", receipt, act)
        if isinstance(result, UnmatchedRejected):
            problem = FormError(request.translate(f"payments.unmatched.{result.reason}"))
            return await self._render_report(request, FormState("given_back", request.fields, problem))
        return request.redirect(f"{PATH}/money/{report}", "given_back")

    def _parse_given_back(self, request: ConsoleRequest) -> tuple[str, StaffAct]:
        return parse_line(request, "receipt", MAX_RECEIPT_LENGTH, required=True), request.build_act()

    async def _render_report(self, request: ConsoleRequest, form: FormState) -> web.Response:
        report = await self.services.unmatched.find(parse_id(request.path_value("report")))
        if report is None:
            raise web.HTTPNotFound
        return request.render("payments/money.html", find_status(form), report=report, form=form)


def _render_cash(request: ConsoleRequest, form: FormState) -> web.Response:
    return request.render("payments/cash.html", find_status(form), form=form)


def _parse_cash(request: ConsoleRequest) -> CashPayment:
    number = "".join(to_ascii_digits(parse_line(request, "number", MAX_ACCOUNT_LENGTH, required=True)).split())
    amount = parse_money(request, "amount")
    if amount is None:
        raise FormError(request.translate("forms.amount_wrong"), "amount")
    receipt = parse_line(request, "receipt", MAX_RECEIPT_LENGTH, required=True)
    return CashPayment(number, amount, receipt=receipt, reason=request.build_act().reason)


def _describe_cash(request: ConsoleRequest, rejected: CashRejected) -> FormError:
    fee = format_money(rejected.amount_minor, rejected.currency)
    text = request.translate(f"payments.cash_rejected.{rejected.reason}", fee=fee)
    return FormError(text, "amount" if rejected.reason == "wrong_amount" else "number")
