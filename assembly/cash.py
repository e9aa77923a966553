"""Paying put together: the wallet that is configured, what can be paid here, and what the menus may ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import phonenumbers

from menus.journeys import bills as asking
from menus.journeys.bills import Billing
from menus.journeys.pay import Asked, Payer, Paying
from menus.model import Refused, Texts
from services.catalogue.model import Biller
from services.catalogue.shelf import Shelf
from services.client import Client
from services.given import Say, Sealing
from services.messages import Messages
from services.payments import Payments, Refunds, billing, fees
from services.payments.bills import Asking, Behind, Bills, Connected, Shown, as_taken
from services.payments.daraja import Daraja, Merchant, callback_address
from services.payments.fees import Fees
from services.payments.http_biller import HttpBiller
from services.payments.port import Wallet, takes
from services.payments.sandbox import Sandbox
from services.payments.sandbox_biller import SandboxBiller
from services.payments.telling import Letters, Telling
from services.records.database import Records
from settings import Settings

AT_THE_DESK: Final = 1.0  # second: the simulator's phone knows itself when its call is over


@dataclass(frozen=True, slots=True)
class Below:
    """What paying stands on."""

    records: Records
    messages: Messages
    seal: Sealing
    say: Say
    client: Client
    letters: Letters | None


@dataclass(frozen=True, slots=True)
class Cash:
    """Everything about money; without a wallet nothing can be paid, and what was paid before is still told."""

    wallet: Wallet | None
    payments: Payments
    refunds: Refunds
    fees: Fees
    bills: Bills

    @property
    def sandbox(self) -> Sandbox | None:
        """The wallets of the simulator, where these are what is paid from."""
        return self.wallet if isinstance(self.wallet, Sandbox) else None


def cash_of(settings: Settings, beneath: Below, shelf: Shelf) -> Cash:
    """All of it."""
    wallet = wallet_of(settings, beneath.records, beneath.client)
    telling = Telling(beneath.messages, beneath.say, beneath.letters)
    wait = settings.payments.after_call
    after = timedelta(seconds=min(wait, AT_THE_DESK) if isinstance(wallet, Sandbox) else wait)
    name = wallet.name if wallet else "none"
    payments = Payments(beneath.records, beneath.seal, name, telling, after_call=after)
    refunds = Refunds(beneath.records, telling)
    reaches = wallet.reaches if wallet else _nobody
    if isinstance(wallet, Sandbox):
        wallet.tells = payments.heard
    connect = _connect(settings, shelf, beneath.client, wallet)
    stands = (beneath.records, beneath.seal, payments, refunds, telling)
    bills = Bills(Behind(*stands, connect=connect, takes=as_taken(wallet), reaches=reaches))
    payable = _payable(shelf, wallet)
    return Cash(wallet, payments, refunds, Fees(beneath.records, payments, payable, reaches), bills)


def wallet_of(settings: Settings, records: Records, client: Client) -> Wallet | None:
    """What is paid from here; the sandbox only where there is a phone that it can show its prompts on."""
    paying = settings.payments
    if paying.wallet == "sandbox":
        return Sandbox(records) if settings.simulated else None
    if paying.wallet == "none":
        return None
    merchant = Merchant(
        base_url=paying.base_url,
        consumer_key=paying.consumer_key.get_secret_value(),
        consumer_secret=paying.consumer_secret.get_secret_value(),
        short_code=paying.short_code,
        passkey=paying.passkey.get_secret_value(),
        party=paying.till or paying.short_code,
        kind="CustomerBuyGoodsOnline" if paying.till else "CustomerPayBillOnline",
        callback=callback_address(settings.server.url, paying.callback_token.get_secret_value()),
    )
    return Daraja(client, merchant, deadline=paying.deadline)


def paying_of(cash: Cash) -> Paying:
    """What the journey of a fee may ask."""

    async def pay(number: str, payer: Payer, effect: str) -> Asked:
        return await cash.fees.pay(number, fees.Payer(*payer), effect)

    return Paying(cash.fees.of, pay)


def billing_of(cash: Cash, shelf: Shelf, connected: Callable[[str], bool]) -> Billing:
    """What the journey of bills may ask; `connected` says whether a biller's bills can be paid here."""

    async def look(asker: asking.Asker, typed: str, effect: str, counts: asking.Counts) -> asking.Bill:
        return _bill(await cash.bills.look(Asking(*asker), typed, effect, counts))

    async def again(asker: asking.Asker, effect: str, counts: asking.Counts) -> asking.Bill:
        return _bill(await cash.bills.look_again(Asking(*asker), effect, counts))

    async def pay(bill: int, payer: Payer, effect: str) -> Asked:
        return await cash.bills.pay(bill, fees.Payer(*payer), effect)

    def label(code: str) -> Texts:
        return shelf.now.billers[code].consumer.labels

    def billers(number: str) -> Sequence[str]:
        return [it.code for it in _offered(shelf.now.billers, number) if connected(it.code)]

    return Billing(billers, label, cash.bills.last, look, again, pay)


def connected_of(settings: Settings, shelf: Shelf, cash: Cash) -> Callable[[str], bool]:
    """Whether this biller's bills can be paid here: it is connected, and the wallet takes its currency."""

    def connected(code: str) -> bool:
        biller = shelf.now.billers.get(code)
        return biller is not None and _is_connected(settings, biller, cash.wallet)

    return connected


def _payable(shelf: Shelf, wallet: Wallet | None) -> Callable[[str], bool]:
    """Whether a service's fee can be paid here: its department has switched it on, and the wallet takes it."""

    def payable(code: str) -> bool:
        service = shelf.now.services.get(code)
        department = shelf.now.departments.get(service.department) if service else None
        if service is None or department is None or not department.payments:
            return False
        return takes(wallet, service.fee_minor, service.currency)

    return payable


def _connect(
    settings: Settings, shelf: Shelf, client: Client, wallet: Wallet | None
) -> Callable[[str], Connected | None]:
    def connect(code: str) -> Connected | None:
        found = shelf.now.billers.get(code)
        if found is None or not _is_connected(settings, found, wallet):
            return None
        return Connected(code, found.consumer, found.currency, _biller(settings, found, client))

    return connect


def _biller(settings: Settings, found: Biller, client: Client) -> billing.Biller:
    if found.adapter == "sandbox":
        return SandboxBiller(found.code, found.currency)
    at = settings.payments.billers[found.code]
    return HttpBiller(client, at.url, at.key.get_secret_value(), deadline=settings.payments.biller_deadline)


def _is_connected(settings: Settings, biller: Biller, wallet: Wallet | None) -> bool:
    """Samples are paid with sample money and real bills with real money, and nothing else with either."""
    if wallet is None or biller.currency not in wallet.currencies:
        return False
    samples = isinstance(wallet, Sandbox)
    return samples if biller.adapter == "sandbox" else not samples and biller.code in settings.payments.billers


def _offered(billers: Mapping[str, Biller], number: str) -> Sequence[Biller]:
    """Those of the number's own country first, then by name."""
    try:
        here = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        here = ""
    return sorted(billers.values(), key=lambda it: (it.country != here, it.country, it.names["en"], it.code))


def _bill(shown: Shown) -> asking.Bill:
    refused = Refused(shown.refused.reason, shown.refused.facts) if shown.refused else None
    return asking.Bill(shown.outcome, shown.bill, shown.facts, refused)


def _nobody(_: str) -> bool:
    return False
