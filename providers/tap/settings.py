"""The table `[providers.tap]` of config.toml."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from config.section import Section
from config.settings import Contradiction, ProviderSection, Settings
from config.types import HttpUrl, NumberPrefix, Seconds, ServiceCode, StrictInt
from providers.tap.dialects import DialectName


class TapApplication(Section):
    """One application, as the operator's portal registers it.

    `sender` is its short code or a registered alias. `keyword` is the word that routes an SMS to it; empty where the short
    code is ours alone.
    """

    dialect: DialectName = "bdapps"
    application_id: str = ""
    password: SecretStr = SecretStr("")
    base_url: HttpUrl = ""
    sender: str = ""
    keyword: str = ""
    service_codes: tuple[ServiceCode, ...] = ()
    prefixes: tuple[NumberPrefix, ...] = ()


class TapSettings(ProviderSection):
    """The applications at platforms of hSenid TAP, by a name of ours."""

    provider: ClassVar[str] = "tap"

    applications: Mapping[str, TapApplication] = Field(default_factory=dict)
    passwords: SecretStr = SecretStr("")
    deadline: Seconds = 10.0
    push_deadline: Seconds = 5.0
    screen_characters: Annotated[StrictInt, Field(ge=40, le=182)] = 160

    def find_password(self, name: str) -> str:
        """Return the password of an application: from `passwords`, or from the application's own table."""
        return self._passwords().get(name) or self.applications[name].password.get_secret_value()

    def find_contradictions(self, settings: Settings) -> Iterator[Contradiction]:
        """Yield an application without id or password, two with one id, and that SMS are to be sent by none."""
        path = ("providers", self.provider)
        if self.provider in settings.sms.providers and not self.applications:
            fix = "write [providers.tap.applications.<name>], or change sms.provider"
            yield (*path, "applications"), "no application sends SMS", fix
        if self.applications and not self._passwords().keys() <= self.applications.keys():
            fix = "write name=password on each line, as applications are named"
            yield (*path, "passwords"), "a line is for no application", fix
        names: dict[str, str] = {}
        for name, application in self.applications.items():
            place = (*path, "applications", name)
            if not application.application_id or not self.find_password(name):
                yield place, "application_id or password is missing", "write both, as the operator's portal shows them"
            elif (first := names.setdefault(application.application_id, name)) != name:
                yield (*place, "application_id"), f"{first} has the same one", "give each the id of its own"

    def _passwords(self) -> dict[str, str]:
        pairs = (line.partition("=") for line in self.passwords.get_secret_value().splitlines() if line.strip())
        return {name.strip(): password.strip() for name, _, password in pairs}
