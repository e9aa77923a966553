"""The addresses of PDUs as MSISDNs."""

from typing import Final

from core.http.provider_webhooks import read_msisdn
from providers.smpp.pdus import Deliver

TON_NATIONAL, TON_ALPHANUMERIC = 2, 5
INTERNATIONAL_PREFIXES: Final = ("+", "00")


def read_source(deliver: Deliver, country_code: str) -> str:
    """The MSISDN that a PDU is from; empty where its source is a name or a short code.

    `country_code` is that of national numbers, such as `880`; empty where the SMSC writes numbers whole.
    """
    address = deliver.source.strip()
    if deliver.source_ton == TON_ALPHANUMERIC:
        return ""
    is_national = deliver.source_ton == TON_NATIONAL or address.startswith("0")
    if country_code and is_national and not address.startswith((*INTERNATIONAL_PREFIXES, country_code)):
        address = f"+{country_code}{address.lstrip('0')}"
    return read_msisdn(address)
