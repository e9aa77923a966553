"""The codes that a text names: the one that its recipient dials, and the number to which they send keywords.

Where these differ by country or network, a text is rendered with marks in the place of the codes, and the marks are replaced
when the SMS is queued, because only then is its recipient known.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from core.phone_numbers import find_country
from core.types import Template

USSD_MARK: Final = "\ue000"
SMS_MARK: Final = "\ue001"
"""Private characters: no text and no keyboard has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortCode:
    """A code, and the numbers that use it; an empty set stands for all of them."""

    code: str
    countries: AbstractSet[str] = frozenset()
    networks: AbstractSet[str] = frozenset()

    def serves(self, msisdn: str, network: str) -> bool:
        """Return whether a number uses this code. One whose network is not known uses none of a network."""
        return (not self.networks or network in self.networks) and (
            not self.countries or find_country(msisdn) in self.countries
        )


@dataclass(frozen=True, slots=True)
class ShortCodes:
    """The codes of one channel in the order of the settings, and the one for everybody else."""

    default: str
    codes: tuple[ShortCode, ...] = ()

    def find(self, msisdn: str, network: str = "", used_code: str = "") -> str:
        """Return the code of a number: the one that it has just used, else the first that serves it."""
        serving = [code.code for code in self.codes if code.serves(msisdn, network)] or [self.default]
        return used_code if used_code in serving else serving[0]

    @property
    def ask_network(self) -> bool:
        """Whether a code depends on the network of the number."""
        return any(code.networks for code in self.codes)


@dataclass(frozen=True, slots=True)
class CodeNames:
    """The codes that texts name: USSD and SMS."""

    ussd: ShortCodes
    sms: ShortCodes

    @property
    def facts(self) -> Mapping[str, str]:
        """The facts of every SMS: the codes, or marks where the recipient decides."""
        return {
            "short_code": USSD_MARK if self.ussd.codes else self.ussd.default,
            "sms_code": SMS_MARK if self.sms.codes else self.sms.default,
        }

    @property
    def ask_network(self) -> bool:
        """Whether a code depends on the network of the number."""
        return self.ussd.ask_network or self.sms.ask_network

    def fill_text(self, text: str, msisdn: str, network: str, used_code: str) -> str:
        """Return the text with the codes of this recipient."""
        for mark, codes in ((USSD_MARK, self.ussd), (SMS_MARK, self.sms)):
            if mark in text:
                text = text.replace(mark, codes.find(msisdn, network, used_code))
        return text

    def fill_template(self, template: Template, msisdn: str, network: str, used_code: str) -> Template:
        """Return the template with the codes of this recipient among its variables."""
        variables = tuple(
            (name, self.fill_text(value, msisdn, network, used_code)) for name, value in template.variables
        )
        return Template(template.key, template.form, variables, template.omitted)


NO_CODES: Final = CodeNames(ShortCodes(""), ShortCodes(""))
"""The codes of a queue whose texts have none."""
