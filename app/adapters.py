"""The adapters to outside systems: wallets, billers, document issuers and departments' connectors.

To add a wallet or an issuer, write its adapter beside the others, give it settings, and add one row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from config.settings import Settings
from config.systems import DepartmentSettings, DocumentSettings
from core.http.client import HttpClient
from core.http.signatures import parse_secret
from db.database import Database
from services.catalogue import models as catalogue
from services.departments.http_connector import DepartmentEndpoint, HttpConnector
from services.documents.issuers.base import Issuer
from services.documents.issuers.digilocker import DigiLocker, PartnerAccount
from services.documents.issuers.sandbox import SandboxIssuer
from services.payments.billers.base import Biller
from services.payments.billers.http import HttpBiller
from services.payments.billers.sandbox import SandboxBiller
from services.payments.wallets import daraja, sandbox
from services.payments.wallets.base import Wallet, WalletWebhook
from services.payments.wallets.sandbox import SandboxWallet

MAX_CONNECTOR_RESPONSE_BYTES: Final = 65_536


def _build_sandbox_wallet(settings: Settings, database: Database, http: HttpClient) -> Wallet | None:  # noqa: ARG001 - one signature for all wallets
    """Return the sandbox wallet, if there is a simulator to show its prompts on."""
    return SandboxWallet(database) if settings.is_simulator_enabled else None


def _build_daraja(settings: Settings, database: Database, http: HttpClient) -> Wallet:  # noqa: ARG001 - see above
    account = settings.payments.daraja
    merchant = daraja.Merchant(
        base_url=account.base_url,
        consumer_key=account.consumer_key.get_secret_value(),
        consumer_secret=account.consumer_secret.get_secret_value(),
        short_code=account.short_code,
        passkey=account.passkey.get_secret_value(),
        party=account.till or account.short_code,
        transaction_type="CustomerBuyGoodsOnline" if account.till else "CustomerPayBillOnline",
        callback_url=daraja.build_callback_url(settings.server.url, settings.webhooks.first_token),
    )
    return daraja.Daraja(http, merchant, deadline=settings.payments.deadline)


def _build_digilocker(settings: DocumentSettings, database: Database, http: HttpClient) -> Issuer:  # noqa: ARG001 - see above
    partner = PartnerAccount(settings.base_url, settings.client_id, settings.client_secret.get_secret_value())
    return DigiLocker(http, partner, deadline=settings.deadline)


@dataclass(frozen=True, slots=True)
class WalletEntry:
    """A wallet: how to build it, and the webhook that reports its payments, if it has one."""

    build: Callable[[Settings, Database, HttpClient], Wallet | None]
    webhook: WalletWebhook | None = None


WALLETS: Final[Mapping[str, WalletEntry]] = {
    "none": WalletEntry(lambda _settings, _database, _http: None),
    "sandbox": WalletEntry(_build_sandbox_wallet),
    "daraja": WalletEntry(_build_daraja, daraja.WEBHOOK),
}
"""The wallets that `payments.wallet` names. Only the webhook of that one is served."""

ISSUERS: Final[Mapping[str, Callable[[DocumentSettings, Database, HttpClient], Issuer]]] = {
    "sandbox": lambda _settings, database, _http: SandboxIssuer(database),
    "digilocker": _build_digilocker,
}
"""The issuers that `documents.issuer` names."""


AMOUNT_STEPS: Mapping[str, Mapping[str, int]] = {"daraja": daraja.CURRENCIES, "sandbox": sandbox.CURRENCIES}
"""By wallet and currency: the smallest amount in hundredths, of which every payment and refund is a multiple."""


def build_wallet(settings: Settings, database: Database, http: HttpClient) -> Wallet | None:
    """Return the wallet that the settings name; None where nothing can be paid."""
    return WALLETS[settings.payments.wallet].build(settings, database, http)


def wallet_webhooks(settings: Settings) -> tuple[WalletWebhook, ...]:
    """Return the webhook of the wallet that the settings name, if it has one: nobody else reports payments."""
    webhook = WALLETS[settings.payments.wallet].webhook
    return (webhook,) if webhook else ()


def find_pay_bill(settings: Settings) -> str:
    """Return the number to which a fee is paid by its tracking number; empty where there is none."""
    return settings.payments.daraja.pay_bill if settings.payments.wallet == "daraja" else ""


def build_issuer(settings: DocumentSettings, database: Database, http: HttpClient) -> Issuer:
    """Return the issuer of documents that the settings name."""
    return ISSUERS[settings.issuer](settings, database, http)


def build_biller(settings: Settings, biller: catalogue.Biller, http: HttpClient) -> Biller:
    """Return the adapter to a biller of the catalogue that `can_pay_biller` allows."""
    if biller.adapter == "sandbox":
        return SandboxBiller(biller.code, biller.currency)
    account = settings.payments.billers[biller.code]
    return HttpBiller(http, account.url, account.key.get_secret_value(), deadline=settings.payments.biller_deadline)


def can_pay_biller(settings: Settings, biller: catalogue.Biller, wallet: Wallet | None) -> bool:
    """Return whether the wallet can pay a biller: sandbox wallet with sandbox biller, real wallet with real biller."""
    if wallet is None or biller.currency not in wallet.currencies:
        return False
    is_sandbox = isinstance(wallet, SandboxWallet)
    return is_sandbox if biller.adapter == "sandbox" else not is_sandbox and biller.code in settings.payments.billers


def build_connector(settings: DepartmentSettings, http: HttpClient) -> HttpConnector:
    """Return the connector to a department's system, over a client that has its deadline."""
    return HttpConnector(
        http, DepartmentEndpoint(settings.url, settings.token.get_secret_value(), signing_keys(settings))
    )


def signing_keys(settings: DepartmentSettings) -> tuple[bytes, ...]:
    """Return the keys that sign requests to and from a department, newest first; empty where none does."""
    return tuple(map(parse_secret, settings.signing_secrets))


def status_poll_interval(settings: DepartmentSettings) -> timedelta | None:
    """Return the time between two status queries; None for a department that sends events."""
    return timedelta(minutes=settings.poll_minutes) if settings.poll_minutes else None
