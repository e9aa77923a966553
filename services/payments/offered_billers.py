"""The billers whose bills can be paid here, in the order in which a caller sees them."""

from collections.abc import Callable, Sequence

from core.phone_numbers import find_country
from core.typed_words import split_words
from core.types import Translations
from services.catalogue.current import CurrentCatalogue
from services.payments.fees import CanPay


class OfferedBillers:
    """The billers of the current catalogue that are connected."""

    def __init__(self, catalogue: CurrentCatalogue, is_connected: Callable[[str], bool], can_pay: CanPay) -> None:
        """`is_connected`: whether the bills of the biller with this code can be paid here."""
        self._catalogue = catalogue
        self._is_connected = is_connected
        self._can_pay = can_pay

    def codes_for(self, msisdn: str) -> Sequence[str]:
        """The codes of the billers that the wallet of this number can pay.

        Those of the number's own country come first, then all by country and English name.
        """
        home = find_country(msisdn)
        ordered = sorted(
            self._catalogue.catalogue.billers.values(),
            key=lambda it: (it.country != home, it.country, it.names["en"], it.code),
        )
        return [
            biller.code
            for biller in ordered
            if self._is_connected(biller.code) and self._can_pay(msisdn, biller.currency)
        ]

    def find_by_name(self, msisdn: str, text: str) -> Sequence[str]:
        """The codes of `codes_for` whose names have every word of the text, in whatever language they are written."""
        words = set(split_words(text))
        return [code for code in self.codes_for(msisdn) if words <= self._words_of_names(code)]

    def _words_of_names(self, code: str) -> set[str]:
        names = self._catalogue.get_biller(code).names
        return {word for name in names.values() for word in split_words(name)}

    def consumer_labels(self, code: str) -> Translations:
        """The question for the consumer number of a biller.

        Raises:
            NoLongerOfferedError: the catalogue has no such biller any more.
        """
        return self._catalogue.get_biller(code).consumer.labels
