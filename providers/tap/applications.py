"""hSenid TAP: the applications that are set up, and which of them a webhook or a message belongs to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.http.provider_webhooks import Fields
from providers.tap.dialects import DIALECTS, Dialect
from providers.tap.settings import TapSettings

UNKNOWN_APPLICATION: Final = "applicationId is none of [providers.tap.applications]; give the id that the portal shows."


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application: its account, its platform, and which numbers it serves. `base_url` has no slash at its end."""

    name: str
    id: str
    password: str = field(repr=False)
    dialect: Dialect
    base_url: str
    sender: str
    keyword: str
    service_codes: Sequence[str]
    prefixes: tuple[str, ...]


class Applications:
    """Every application, by its id at the platform."""

    def __init__(self, applications: Sequence[Application]) -> None:
        self._all = tuple(applications)
        self._by_id = {application.id: application for application in applications}

    @property
    def receive_replies(self) -> bool:
        """Whether every reply reaches us: an SMS to a shared short code needs the application's keyword first."""
        return not any(application.keyword for application in self._all)

    def list(self) -> Sequence[Application]:
        """All of them, in the order of the settings."""
        return self._all

    def find_by_fields(self, fields: Fields) -> Application | None:
        """The application that a webhook names. One that names none is for the only application, if there is only one."""
        named = fields.get("applicationId")
        if named is None and len(self._all) == 1:
            return self._all[0]
        return self._by_id.get(named) if isinstance(named, str) else None

    def find_for_message(self, to: str, sender: str) -> Application | None:
        """The application that sends to a number: the one with that sender, else the longest prefix, else the first."""
        if sender:
            named = next((application for application in self._all if application.sender == sender), None)
            if named is not None:
                return named
        by_prefix = [
            (len(prefix), application)
            for application in self._all
            for prefix in application.prefixes
            if to.startswith(prefix)
        ]
        if by_prefix:
            return max(by_prefix, key=lambda pair: pair[0])[1]
        return self._all[0] if self._all else None


def build_applications(settings: TapSettings, service_codes: Sequence[str] = ()) -> Applications:
    """The applications of the settings. One without codes of its own has `service_codes`."""
    return Applications(
        [
            Application(
                name=name,
                id=one.application_id,
                password=settings.find_password(name),
                dialect=(dialect := DIALECTS[one.dialect]),
                base_url=(one.base_url or dialect.base_url).rstrip("/"),
                sender=one.sender,
                keyword=one.keyword,
                service_codes=one.service_codes or service_codes,
                prefixes=one.prefixes or tuple(dialect.prefixes),
            )
            for name, one in settings.applications.items()
        ]
    )


def read_text(fields: Fields, name: str, *, max_length: int = 128) -> str:
    """The text of a field; empty where it is missing, too long, not printable, or neither text nor a whole number."""
    value = fields.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and len(text) <= max_length and text.isprintable() else ""


ADDRESS_SCHEME: Final = "tel:"
_is_masked: Final = re.compile(r"[A-Za-z0-9_+/=.:-]{8,128}").fullmatch


def name_hidden_caller(application: Application, address: str) -> str:
    """The name of a subscriber whose number the platform masks, such as `robi hu3b84346f…` for `tel:hu3b84346f…`.

    Empty for any other address. The names of two applications are never the same.
    """
    identity = address.removeprefix(ADDRESS_SCHEME)
    is_hash = _is_masked(identity) and any(map(str.isalpha, identity))
    return f"{application.name} {identity}" if is_hash and address.startswith(ADDRESS_SCHEME) else ""


ACKNOWLEDGEMENT: Final[Mapping[str, str]] = {"statusCode": "S1000", "statusDetail": "Success"}
"""What the platform wants as the response to every webhook of its own."""
