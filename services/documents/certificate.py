"""What a DigiLocker certificate in XML says of itself: its number, whose it is, who issued it, and from when till when.

All its formats have one frame: `Certificate` with `number`, `issueDate` and `expiryDate`, within it `IssuedTo/Person` and
`IssuedBy/Organization` with a `name`; dates are DD-MM-YYYY. What is particular to a kind of document is left alone.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

from services.documents.port import Facts

DATES: Final = ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d")
CERTIFICATE: Final = ("Certificate",)
PERSON: Final = (*CERTIFICATE, "IssuedTo", "Person")
OFFICE: Final = (*CERTIFICATE, "IssuedBy", "Organization")
_SEPARATOR = " "


class Unreadable(Exception):
    """This is no certificate."""


def facts(xml: bytes) -> Facts:
    """What it says; what it does not say, or not so that it can be understood, is left out.

    Raises:
        Unreadable: this is not XML, has a document type, or is not a certificate.
    """
    found = _attributes(xml)
    if CERTIFICATE not in found:
        raise Unreadable
    certificate = found[CERTIFICATE]
    return Facts(
        number=certificate.get("number", "").strip(),
        holder=found.get(PERSON, {}).get("name", "").strip(),
        issuer=found.get(OFFICE, {}).get("name", "").strip(),
        issued=_day(certificate.get("issueDate", "")),
        valid=_day(certificate.get("expiryDate", "")),
    )


def _attributes(xml: bytes) -> Mapping[tuple[str, ...], Mapping[str, str]]:
    """The attributes of the first element at each of the three paths, whatever namespace it is in."""
    found: dict[tuple[str, ...], Mapping[str, str]] = {}
    path: list[str] = []

    def begins(name: str, attributes: Mapping[str, str]) -> None:
        path.append(name.rpartition(_SEPARATOR)[2])
        if tuple(path) in {CERTIFICATE, PERSON, OFFICE}:
            found.setdefault(tuple(path), attributes)

    def ends(_: str) -> None:
        path.pop()

    parser = ParserCreate(namespace_separator=_SEPARATOR)
    parser.StartElementHandler, parser.EndElementHandler = begins, ends
    parser.StartDoctypeDeclHandler = _refused  # with one begin the bombs
    try:
        parser.Parse(xml, True)
    except ExpatError:
        raise Unreadable from None
    return found


def _refused(*_: object) -> NoReturn:
    raise Unreadable


def _day(written: str) -> date | None:
    for form in DATES:
        try:
            return datetime.strptime(written.strip(), form).date()  # noqa: DTZ007 - a day, in no zone
        except ValueError:
            continue
    return None
