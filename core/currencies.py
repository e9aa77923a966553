"""The currencies of fees and bills, read from `currencies.toml`: their signs and decimals. To add one, add its table there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from babel.numbers import get_currency_precision

from core.toml_source import parse_toml, read_utf8

CURRENCIES_FILE: Final = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: its sign in Latin letters and in other scripts, with the blank that follows it, and its number of decimals."""

    code: str
    sign: str
    own_sign: str
    decimals: int
    groups_in_lakhs: bool = False


def _load_currencies() -> Mapping[str, Currency]:
    tables = parse_toml(read_utf8(CURRENCIES_FILE), CURRENCIES_FILE.name)
    return {code: Currency(code, decimals=get_currency_precision(code), **table) for code, table in tables.items()}


CURRENCIES: Final = _load_currencies()
CURRENCY_CODES: Final = tuple(CURRENCIES)

if TYPE_CHECKING:
    CurrencyCode: TypeAlias = str
else:  # pydantic reads the allowed codes
    CurrencyCode = Literal[CURRENCY_CODES]


def split_amount(amount_minor: int, currency: str) -> tuple[int, str]:
    """The whole units of an amount, and its decimals as text, such as (12, "05"); the decimals are empty where they are 0."""
    decimals = CURRENCIES[currency].decimals if currency in CURRENCIES else get_currency_precision(currency)
    units, rest = divmod(abs(amount_minor), 10**decimals)
    return units, f"{rest:0{decimals}}" if rest else ""
