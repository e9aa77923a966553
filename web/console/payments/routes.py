"""The routes of the pages of payments."""

from web.console.payments.acts import PaymentActs
from web.console.payments.income import CASH_PATH, REPORT_PATH, IncomePages
from web.console.payments.services import PATH, PAYMENT_PATH, LedgerServices
from web.console.payments.statement_pages import STATEMENT_PATH, StatementPages
from web.console.payments.views import LIST_PATH, PaymentViews
from web.console.requests import ConsolePage, ConsoleRoute


def build_payments_page(services: LedgerServices) -> ConsolePage:
    """The page with its routes."""
    views = PaymentViews(services)
    acts, income, statements = PaymentActs(services, views), IncomePages(services), StatementPages(services)
    routes = (
        ConsoleRoute("GET", PATH, views.show_waiting, "payments.view"),
        ConsoleRoute("POST", f"{PATH}/find", views.find, "payments.view"),
        ConsoleRoute("GET", LIST_PATH, views.show_list, "payments.view"),
        ConsoleRoute("GET", f"{PATH}/report", views.show_report, "payments.view"),
        ConsoleRoute("GET", CASH_PATH, income.show_cash, "payments.cash"),
        ConsoleRoute("POST", CASH_PATH, income.record_cash, "payments.cash"),
        ConsoleRoute("GET", STATEMENT_PATH, statements.show, "payments.reconcile"),
        ConsoleRoute("POST", STATEMENT_PATH, statements.compare, "payments.reconcile", takes_file=True),
        ConsoleRoute("GET", REPORT_PATH, income.show_report, "payments.view"),
        ConsoleRoute("POST", f"{REPORT_PATH}/assign", income.assign, "payments.settle"),
        ConsoleRoute("POST", f"{REPORT_PATH}/given-back", income.give_back, "payments.settle"),
        ConsoleRoute("GET", PAYMENT_PATH, views.show, "payments.view"),
        ConsoleRoute("POST", f"{PAYMENT_PATH}/refund", acts.refund, "payments.refund"),
        ConsoleRoute("POST", f"{PAYMENT_PATH}/settle", acts.settle, "payments.settle"),
        ConsoleRoute(
            "POST", f"{PAYMENT_PATH}/refunds/{{refund:[0-9]+}}/returned", acts.record_refund, "payments.refund"
        ),
    )
    return ConsolePage("payments", PATH, "payments.view", routes)
