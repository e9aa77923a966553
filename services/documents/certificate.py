"""Parses the facts of a DigiLocker certificate in XML: number, holder, issuer, date of issue, date of expiry.

All formats have the same frame: `Certificate` with `number`, `issueDate` and `expiryDate`, and in it `IssuedTo/Person` and
`IssuedBy/Organization` with a `name`; dates are DD-MM-YYYY. Fields of particular kinds of document are not read.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

from services.documents.models import DocumentFacts

DATE_FORMATS: Final = ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d")
CERTIFICATE: Final = ("Certificate",)
PERSON: Final = (*CERTIFICATE, "IssuedTo", "Person")
ORGANIZATION: Final = (*CERTIFICATE, "IssuedBy", "Organization")
_SEPARATOR = " "


class UnreadableCertificateError(Exception):
    """The bytes are not a certificate."""


def parse_facts(xml: bytes) -> DocumentFacts:
    """Return the facts of a certificate; missing and unreadable ones are empty.

    Raises:
        UnreadableCertificateError: this is not XML, has a document type, or is not a certificate.
    """
    found = _parse_attributes(xml)
    if CERTIFICATE not in found:
        raise UnreadableCertificateError
    certificate = found[CERTIFICATE]
    return DocumentFacts(
        number=certificate.get("number", "").strip(),
        holder=found.get(PERSON, {}).get("name", "").strip(),
        issuer=found.get(ORGANIZATION, {}).get("name", "").strip(),
        issued_on=_parse_day(certificate.get("issueDate", "")),
        valid_until=_parse_day(certificate.get("expiryDate", "")),
    )


def _parse_attributes(xml: bytes) -> Mapping[tuple[str, ...], Mapping[str, str]]:
    """Return the attributes of the first element at each of the three paths, in any namespace.

    Raises:
        UnreadableCertificateError: this is not XML, or has a document type.
    """
    found: dict[tuple[str, ...], Mapping[str, str]] = {}
    path: list[str] = []

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        path.append(name.rpartition(_SEPARATOR)[2])
        if tuple(path) in {CERTIFICATE, PERSON, ORGANIZATION}:
            found.setdefault(tuple(path), attributes)

    def on_end(_: str) -> None:
        path.pop()

    parser = ParserCreate(namespace_separator=_SEPARATOR)
    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    parser.StartDoctypeDeclHandler = _reject_doctype  # an entity bomb needs one
    try:
        parser.Parse(xml, True)
    except ExpatError:
        raise UnreadableCertificateError from None
    return found


def _reject_doctype(*_: object) -> NoReturn:
    raise UnreadableCertificateError


def _parse_day(text: str) -> date | None:
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day, in no zone
        except ValueError:
            continue
    return None
