"""hSenid TAP: the platforms that speak its protocol, one row each.

Sources: the reference pages of bdapps (f10b65f), Applink (2407edc), Ideamart (2654211) and mSpace (6e12b81) that the vendor
publishes under `hSenidMobileCPaaS`. Network codes and prefixes are those of the national numbering plans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from providers.tap.status_codes import LIMIT_CODES, STATUS_CODES, StatusCodes

DialectName: TypeAlias = Literal["bdapps", "applink", "ideamart", "mspace"]

API_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One platform. `requires_version`: it refuses a request without `version`, which we always send.

    `network` is the code of country and network; `prefixes` are the beginnings of the numbers that the operator gave out.
    A number that its owner took to another operator keeps its prefix.
    """

    operator: str
    country: str
    base_url: str
    network: str
    prefixes: Sequence[str]
    requires_version: bool
    time_zone: ZoneInfo
    status_codes: StatusCodes = field(repr=False)
    ussd_path: str = "/ussd/send"
    sms_path: str = "/sms/send"


_DHAKA, _COLOMBO = ZoneInfo("Asia/Dhaka"), ZoneInfo("Asia/Colombo")
_WITH_LIMITS: Final[StatusCodes] = {**STATUS_CODES, **LIMIT_CODES}

DIALECTS: Final[Mapping[DialectName, Dialect]] = {
    "bdapps": Dialect(
        operator="Robi and Airtel, Bangladesh",
        country="BD",
        base_url="https://developer.bdapps.com",
        network="47002",
        prefixes=("+88018", "+88016"),
        requires_version=False,
        time_zone=_DHAKA,
        status_codes=STATUS_CODES,
    ),
    "applink": Dialect(
        operator="Banglalink, Bangladesh",
        country="BD",
        base_url="https://api.applink.com.bd",
        network="47003",
        prefixes=("+88019", "+88014"),
        requires_version=True,
        time_zone=_DHAKA,
        status_codes=_WITH_LIMITS,
    ),
    "ideamart": Dialect(
        operator="Dialog, Sri Lanka",
        country="LK",
        base_url="https://api.ideamart.io",
        network="41302",
        prefixes=("+9477", "+9476", "+9474"),
        requires_version=False,
        time_zone=_COLOMBO,
        status_codes=STATUS_CODES,
    ),
    "mspace": Dialect(
        operator="SLT-Mobitel, Sri Lanka",
        country="LK",
        base_url="https://api.mspace.lk",
        network="41301",
        prefixes=("+9471", "+9470"),
        requires_version=True,
        time_zone=_COLOMBO,
        status_codes=_WITH_LIMITS,
    ),
}
