"""The pages of payments: the services behind `server.py payments`."""

from typing import TYPE_CHECKING

from app.adapters import WALLETS
from app.cli import build_command_context, build_ledger_commands
from services.payments.models import WALLETS_WITHOUT_REFUNDS
from web.console.payments.routes import build_payments_page
from web.console.payments.services import LedgerServices
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    commands_context = build_command_context(context.app)
    commands = build_ledger_commands(context.app.settings, commands_context)
    return build_payments_page(
        LedgerServices(
            ledger=commands.ledger,
            listing=commands.listing,
            histories=commands.histories,
            reconciler=commands.reconciler,
            payments=commands.payments,
            refunds=commands.refunds,
            cash=commands.cash,
            unmatched=commands.unmatched,
            current_catalogue=commands_context.current_catalogue,
            find_amount_step=commands.find_amount_step,
            wallet=commands.wallet,
            wallets=sorted({*WALLETS, *WALLETS_WITHOUT_REFUNDS} - {"none"}),
            zone=commands.zone,
        )
    )
