"""The services that the pages of payments call, the names of what is paid, and how a page finds its payment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from aiohttp import web

from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation
from services.payments.cash import CashPayments
from services.payments.ledger import Ledger
from services.payments.payment_history import PaymentHistories
from services.payments.payment_list import ListedPayment, PaymentList
from services.payments.payments import Payments
from services.payments.refunds import Refunds
from services.payments.statement_reconciler import StatementReconciler
from services.payments.unmatched_money import UnmatchedMoney
from web.console.forms.parsing import parse_id
from web.console.forms.state import FormState
from web.console.requests import ConsoleRequest

PATH: Final = "/console/payments"
PAYMENT_PATH: Final = f"{PATH}/{{payment:[0-9]+}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerServices:
    """The services. `wallet` is the one in use, `wallets` are all that may be in the books; `zone` is that of days.

    `find_amount_step` is the smallest amount of a currency that a wallet pays, in hundredths.
    """

    ledger: Ledger
    listing: PaymentList
    histories: PaymentHistories
    reconciler: StatementReconciler
    payments: Payments
    refunds: Refunds
    cash: CashPayments
    unmatched: UnmatchedMoney
    current_catalogue: CurrentCatalogue
    find_amount_step: Callable[[str, str], int]
    wallet: str
    wallets: Sequence[str]
    zone: tzinfo

    async def find_of_path(self, request: ConsoleRequest) -> ListedPayment:
        """The payment whose id is in the path.

        Raises:
            HTTPNotFound: there is none.
        """
        found = await self.listing.fetch_by_ids([parse_id(request.path_value("payment"))])
        if not found:
            raise web.HTTPNotFound
        return found[0]

    def build_namer(self, request: ConsoleRequest) -> Callable[[str, str], str]:
        """A function from a purpose and a code to the name of the service or biller, in the language of the member."""
        language = request.member.language

        def name(purpose: str, code: str) -> str:
            catalogue = self.current_catalogue.catalogue
            known = catalogue.billers.get(code) if purpose == "bill" else catalogue.services.get(code)
            return pick_translation(known.names, language) if known else code

        return name

    def list_departments(self, request: ConsoleRequest) -> Sequence[tuple[str, str]]:
        """Every department of the catalogue with its name, by name."""
        departments = self.current_catalogue.catalogue.departments
        named = [(code, pick_translation(one.names, request.member.language)) for code, one in departments.items()]
        return sorted(named, key=lambda one: one[1])


def name_code(request: ConsoleRequest, prefix: str, code: str) -> str:
    """The words for a code in the texts `prefix.…`; the code itself where there are none."""
    key = f"{prefix}.{code}"
    return request.translate(key) if key in request.renderer.word_keys else code


def find_status(form: FormState) -> int:
    """The status of a page: 422 where it is shown again because of a form."""
    return web.HTTPUnprocessableEntity.status_code if form.error else web.HTTPOk.status_code
