"""The pages of payments that show: what waits for a person, lists, one payment, sums."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, get_args
from urllib.parse import urlencode

from aiohttp import web

from core.amounts import format_units
from core.typed_input import to_ascii_digits
from core.types import UtcClock, utc_now
from services.payments.ledger import LedgerIssue, LedgerPeriod, Split
from services.payments.models import (
    OPEN_STATUSES,
    REFUNDABLE_STATUSES,
    UNPAID_STATUSES,
    PaymentStatus,
    RefundCategory,
)
from services.payments.payment_history import PaymentEvent, find_best
from services.payments.payment_list import ListedPayment, PaymentFilter
from web.console.forms.parsing import parse_day, parse_id, start_of_day
from web.console.forms.state import NO_FORM, FormState
from web.console.payments.services import PATH, LedgerServices, find_status, name_code
from web.console.requests import ConsoleRequest, FormError

LIST_PATH: Final = f"{PATH}/list"
PAGE_SIZE: Final = 50
MAX_DAYS: Final = 31
"""Days of a report: its sums read every payment of the period."""
DEFAULT_DAYS: Final = 1
MAX_RECEIPT_LENGTH: Final = 64
REPAYABLE: Final = ("by_hand", "unknown", "failed")
"""The states of a refund that a person makes in the wallet's portal."""
STATUSES: Final[Sequence[str]] = get_args(PaymentStatus)
SPLITS: Final[Sequence[str]] = get_args(Split)
CATEGORIES: Final[Sequence[str]] = ("", *get_args(RefundCategory))
GROUPS: Final = ("unresolved", "amount_mismatch", "duplicate_payment", "refund", "report", "bill")
"""The groups of what waits for a person, in the order of the page."""
FACT_WORDS: Final[Mapping[str, str]] = {
    "status": "payments.state",
    "outcome": "payments.state",
    "reason": "payments.why",
    "category": "payments.categories",
}
"""The facts of a history whose values are codes, and the texts that have words for them."""
FILTERS: Final = ("status", "department", "wallet", "subject", "since", "until")


@dataclass(frozen=True, slots=True)
class PaymentViews:
    """Shows payments."""

    services: LedgerServices
    clock: UtcClock = utc_now

    async def show_waiting(self, request: ConsoleRequest) -> web.StreamResponse:
        """What waits for a person, by kind, the oldest first."""
        return await self._render_waiting(request, NO_FORM)

    async def find(self, request: ConsoleRequest) -> web.StreamResponse:
        """The payment that a number is of; a list where it is of several things."""
        found = await self.services.histories.find(_read_number(request.fields.get("what", "")))
        if not found:
            error = FormError(request.translate("payments.not_found"), "what")
            return await self._render_waiting(request, FormState("find", request.fields, error))
        best = find_best(found)
        if best is None or len(found) > 1:
            return self._render_found(request, found, best)
        return request.redirect(f"{PATH}/{best.id}")

    async def show_list(self, request: ConsoleRequest) -> web.StreamResponse:
        """A page of all payments, newest first.

        Raises:
            HTTPNotFound: the payment after which the page begins does not exist.
        """
        try:
            wanted, form = self._parse_filter(request), NO_FORM
        except FormError as error:
            wanted, form = PaymentFilter(), FormState("filter", request.query, error)
        before = parse_id(request.query.get("before", ""))
        page = await self.services.listing.fetch_page(wanted, PAGE_SIZE, before)
        if page is None:
            raise web.HTTPNotFound
        return request.render(
            "payments/list.html",
            find_status(form),
            payments=page.payments,
            older=_build_address({**request.query, "before": str(page.before)}) if page.before else "",
            values={name: request.query.get(name, "") for name in FILTERS},
            statuses=STATUSES,
            wallets=self.services.wallets,
            departments=self.services.list_departments(request),
            subjects=self._list_subjects(request),
            subject_name=self.services.build_namer(request),
            form=form,
        )

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """One payment with its history."""
        return await self.render_one(request, NO_FORM)

    async def render_one(self, request: ConsoleRequest, form: FormState) -> web.Response:
        """The page of the payment whose id is in the path."""
        payment = await self.services.find_of_path(request)
        history = await self.services.histories.fetch_history(payment)
        return request.render(
            "payments/payment.html",
            find_status(form),
            payment=payment,
            refunds=history.refunds,
            events=[_describe_event(request, one, payment.currency) for one in history.events],
            subject_name=self.services.build_namer(request),
            department=dict(self.services.list_departments(request)).get(payment.department, payment.department),
            reason=name_code(request, "payments.why", payment.reason),
            is_open=payment.status in OPEN_STATUSES,
            is_unpaid=payment.status in UNPAID_STATUSES,
            can_refund=payment.status in REFUNDABLE_STATUSES and payment.remaining_minor > 0,
            remaining=format_units(payment.remaining_minor),
            repayable=REPAYABLE,
            categories=CATEGORIES,
            receipt=request.query.get("receipt", "")[:MAX_RECEIPT_LENGTH],
            form=form,
        )

    async def show_report(self, request: ConsoleRequest) -> web.StreamResponse:
        """The sums of a period by purpose and state."""
        today = self.clock().astimezone(self.services.zone).date()
        split = request.query.get("by", "")
        try:
            (first, last), form = _parse_period(request, today), NO_FORM
        except FormError as error:
            (first, last), form = _default_period(today), FormState("filter", request.query, error)
        zone = self.services.zone
        since, until = start_of_day(first, zone), start_of_day(last + timedelta(days=1), zone)
        period = LedgerPeriod(since or self.clock(), until or self.clock(), zone)
        totals = await self.services.ledger.fetch_totals(period, _find_split(split))
        return request.render(
            "payments/report.html",
            find_status(form),
            totals=totals,
            split=_find_split(split),
            splits=SPLITS,
            first=first,
            last=last,
            group_name=self._build_group_namer(request, _find_split(split)),
            form=form,
        )

    def _render_found(
        self, request: ConsoleRequest, found: Sequence[ListedPayment], best: ListedPayment | None
    ) -> web.Response:
        return request.render(
            "payments/found.html", payments=found, best=best, subject_name=self.services.build_namer(request)
        )

    async def _render_waiting(self, request: ConsoleRequest, form: FormState) -> web.Response:
        groups: dict[str, list[LedgerIssue]] = {name: [] for name in GROUPS}
        for issue in await self.services.ledger.issues():
            groups[_find_group(issue)].append(issue)
        shown = {name: issues[:PAGE_SIZE] for name, issues in groups.items() if issues}
        return request.render(
            "payments/waiting.html",
            find_status(form),
            groups=shown,
            waiting_reason=lambda issue: _describe_reason(request, issue),
            is_cut={name: len(groups[name]) > PAGE_SIZE for name in shown},
            form=form,
        )

    def _parse_filter(self, request: ConsoleRequest) -> PaymentFilter:
        query, zone = request.query, self.services.zone
        since = parse_day(request, query.get("since", ""), "since")
        until = parse_day(request, query.get("until", ""), "until")
        purpose, _, subject = _pick(query, "subject", dict(self._list_subjects(request))).partition(":")
        return PaymentFilter(
            status=_pick(query, "status", STATUSES),
            department=_pick(query, "department", self.services.current_catalogue.catalogue.departments),
            wallet=_pick(query, "wallet", self.services.wallets),
            biller=subject if purpose == "bill" else "",
            service=subject if purpose == "fee" else "",
            since=start_of_day(since, zone),
            until=start_of_day(until + timedelta(days=1) if until else None, zone),
        )

    def _list_subjects(self, request: ConsoleRequest) -> Sequence[tuple[str, str]]:
        """What can be paid: `fee:` and the code of a service with a fee, `bill:` and the code of a biller."""
        catalogue, name = self.services.current_catalogue.catalogue, self.services.build_namer(request)
        fees = [("fee", code) for code, one in catalogue.services.items() if one.fee_minor]
        codes = [*fees, *(("bill", code) for code in catalogue.billers)]
        named = [(f"{purpose}:{code}", name(purpose, code)) for purpose, code in codes]
        return sorted(named, key=lambda one: one[1])

    def _build_group_namer(self, request: ConsoleRequest, split: Split) -> Mapping[str, str]:
        """The names of the groups of a report, by code; a day is its own name."""
        if split == "department":
            return dict(self.services.list_departments(request))
        name, catalogue = self.services.build_namer(request), self.services.current_catalogue.catalogue
        if split == "service":
            return {code: name("fee", code) for code in catalogue.services}
        return {code: name("bill", code) for code in catalogue.billers} if split == "biller" else {}


def _pick(query: Mapping[str, str], name: str, known: Container[str]) -> str:
    """The value of a filter, if it is one that the page offers; otherwise empty, which filters nothing."""
    value = query.get(name, "")
    return value if value in known else ""


def _read_number(text: str) -> str:
    """A number as somebody typed or pasted it, in ASCII digits and without characters that nobody sees."""
    return "".join(one for one in to_ascii_digits(text) if one.isprintable())


def _find_group(issue: LedgerIssue) -> str:
    if issue.kind != "payment":
        return issue.kind
    status = issue.reason.partition(" ")[0]
    if status in {"amount_mismatch", "duplicate_payment"}:
        return status
    return "duplicate_payment" if "PaidTwice" in issue.reason else "unresolved"


def _describe_reason(request: ConsoleRequest, issue: LedgerIssue) -> str:
    """Why an issue waits, in words: a state, and mostly what the wallet said."""
    state, _, why = issue.reason.partition(" ")
    prefix = "payments.refund_state" if issue.kind == "refund" else "payments.state"
    words = [name_code(request, prefix, state), *([name_code(request, "payments.why", why)] if why else [])]
    return " – ".join(words)


def _describe_event(request: ConsoleRequest, event: PaymentEvent, currency: str) -> Mapping[str, object]:
    """An event with words for its codes; facts as triples of name, text, and hundredths where it is an amount."""
    facts = [
        (
            name_code(request, "payments.fact", name.removesuffix("_minor")),
            name_code(request, FACT_WORDS[name], value) if name in FACT_WORDS else value,
            int(value) if name.endswith("_minor") else None,
        )
        for name, value in event.facts.items()
    ]
    act = name_code(request, "payments.event", event.act)
    kind, _, who = event.actor.partition(" ")
    actor = f"{name_code(request, 'payments.actor', kind)} {who}".strip()
    return {"at": event.at, "act": act, "actor": actor, "facts": facts, "currency": currency}


def _find_split(text: str) -> Split:
    return next((one for one in get_args(Split) if one == text), "")


def _default_period(today: date) -> tuple[date, date]:
    return today - timedelta(days=DEFAULT_DAYS - 1), today


def _parse_period(request: ConsoleRequest, today: date) -> tuple[date, date]:
    """The first and the last day of a report.

    Raises:
        FormError: a day is wrong, or the period is too long.
    """
    first, last = _default_period(today)
    last = parse_day(request, request.query.get("until", ""), "until") or last
    first = parse_day(request, request.query.get("since", ""), "since") or min(first, last)
    if not 0 <= (last - first).days < MAX_DAYS:
        raise FormError(request.translate("payments.period_wrong", most=MAX_DAYS), "since")
    return first, last


def _build_address(query: Mapping[str, str]) -> str:
    return f"{LIST_PATH}?{urlencode({name: value for name, value in query.items() if value})}"
