"""Paying a service's fee and a biller's bill from a mobile wallet: asked once, charged once, and what was paid never lost.

`port` is what a wallet is asked, `daraja` and `sandbox` are wallets; `rows` are the payments, `reports` what a wallet
said became of them, `refunds` what is given back; `till` is the worker that asks, looks again and gives back. `fees` and
`bills` are what is paid for; `billing` is what a biller is asked.
"""

from services.payments.refunds import Refunds
from services.payments.rows import Payments
from services.payments.values import NotRefunded, Paid, Stands, Wanted

__all__ = ["NotRefunded", "Paid", "Payments", "Refunds", "Stands", "Wanted"]
