"""All settings with their types, defaults and limits. `config/loader.py` reads them from config.toml and the environment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.dlt import DltSettings
from config.retention import RetentionSettings
from config.section import Section
from config.server import ServerSettings
from config.sms import SmsSettings
from config.systems import DepartmentSettings, DocumentSettings, PaymentSettings
from config.types import (
    MEMORY_URL,
    AutoBool,
    CountryCode,
    DatabaseUrl,
    DepartmentCode,
    EmailAddress,
    FormerSecrets,
    Hostname,
    HttpUrl,
    IpNetwork,
    KeyedByCountry,
    KeyedByMsisdn,
    Mailbox,
    MissedCallAction,
    NetworkCode,
    NonEmpty,
    RedisUrl,
    Seconds,
    Septets,
    ServiceCode,
    StrictFloat,
    StrictInt,
    TimeZone,
    TtlSeconds,
    Utf16Units,
    WebhookTokens,
)
from core.currencies import CurrencyCode
from core.errors import KeyPath, Problem
from core.http.origins import is_loopback_host
from core.languages import DEFAULT_LANGUAGE, LANGUAGE_CODES, LANGUAGES, LanguageCode
from core.toml_source import find_line

ENVIRONMENT = "environment"
ENV_PREFIX = "EKDIAL_"

SectionT = TypeVar("SectionT", bound="ProviderSection")
Contradiction: TypeAlias = tuple[KeyPath, str, str]
"""Key path, problem, fix: two settings that are valid one by one and cannot hold together."""


class KeySettings(Section):
    """The secret from which all keys are derived, and those of former times, which are only read with."""

    secret: SecretStr = SecretStr("")
    former: FormerSecrets = ()

    @property
    def former_secrets(self) -> tuple[str, ...]:
        """The former secrets in plain text, in the order of the setting."""
        return tuple(secret.get_secret_value() for secret in self.former)


class RedisSettings(Section):
    """The store of sessions, one-time codes and counters."""

    url: RedisUrl = SecretStr(MEMORY_URL)
    cluster: bool = False
    deadline: Seconds = 1.0

    @property
    def is_embedded(self) -> bool:
        """True if the store is in the memory of this process."""
        return self.url.get_secret_value() == MEMORY_URL


class DatabaseSettings(Section):
    """The store of everything that must last."""

    url: DatabaseUrl = SecretStr("sqlite+aiosqlite:///var/ekdial.db")


class WebhookSettings(Section):
    """Who may post to the webhooks of providers and wallets."""

    tokens: WebhookTokens = ()
    allowed_ips: tuple[IpNetwork, ...] = ()
    trusted_proxies: tuple[IpNetwork, ...] = ()

    @property
    def secret_tokens(self) -> tuple[str, ...]:
        """The tokens in plain text, in the order of the setting."""
        return tuple(token.get_secret_value() for token in self.tokens)

    @property
    def first_token(self) -> str:
        """The token for webhook addresses that the gateway itself hands out; empty if there is none."""
        return next(iter(self.secret_tokens), "")


class ProviderSection(Section):
    """Base of a provider's table `[providers.<name>]`. `provider` is that name."""

    provider: ClassVar[str]

    def find_contradictions(self, settings: "Settings") -> Iterator[Contradiction]:  # noqa: ARG002 - for providers
        """Yield the settings of this provider that do not fit the others; by default none."""
        return iter(())

    def sms_provider_names(self) -> tuple[str, ...]:
        """Return what `sms.provider` may be to send by this provider, or by one of the providers of this family."""
        return (self.provider,)

    def is_in_use(self, settings: "Settings") -> bool:
        """Return whether this provider's webhooks are served: it sends the SMS, or its table has a setting of its own."""
        return self.provider in settings.sms.providers or self != type(self)()


class ProviderSections(Section):
    """All tables `[providers.<name>]`. The loader adds one field for each provider that it is given."""


class ApiSettings(Section):
    """Limits of the HTTP API for departments."""

    per_minute: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 600


class CodeSettings(Section):
    """Limits of one-time codes, against SMS pumping."""

    per_prefix_per_hour: Annotated[StrictInt, Field(ge=1)] = 60
    per_country_per_hour: Annotated[StrictInt, Field(ge=1)] = 2000
    countries: Annotated[Mapping[str, StrictInt], KeyedByCountry] = Field(default_factory=dict)
    per_day: Annotated[StrictInt, Field(ge=1)] = 20_000
    unverified_per_prefix_per_hour: Annotated[StrictInt, Field(ge=1)] = 20
    unverified_per_country_per_hour: Annotated[StrictInt, Field(ge=1)] = 500
    unverified_per_day: Annotated[StrictInt, Field(ge=1)] = 5000
    min_sample: Annotated[StrictInt, Field(ge=1)] = 20
    min_entry_rate: Annotated[StrictInt, Field(ge=0, le=100)] = 30


class UnverifiedSmsSettings(Section):
    """Limits of SMS that callers with an unverified number cause: replies, PINs, receipts, notices to others."""

    per_number_per_hour: Annotated[StrictInt, Field(ge=1)] = 60
    per_number_per_day: Annotated[StrictInt, Field(ge=1)] = 200
    per_prefix_per_hour: Annotated[StrictInt, Field(ge=1)] = 300
    per_country_per_hour: Annotated[StrictInt, Field(ge=1)] = 20_000
    countries: Annotated[Mapping[str, StrictInt], KeyedByCountry] = Field(default_factory=dict)
    per_day: Annotated[StrictInt, Field(ge=1)] = 200_000


class MailSettings(Section):
    """The SMTP server and the sender of e-mail."""

    host: Hostname = ""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    certificates: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: Mailbox = ""
    reply_to: Mailbox = ""
    deadline: Seconds = 30.0
    concurrency: Annotated[StrictInt, Field(ge=1, le=50)] = 4

    @property
    def is_loopback(self) -> bool:
        """True if the SMTP server is on this machine."""
        return is_loopback_host(self.host)


class NetworkSettings(Section):
    """Screens of one network's phones; None has the value of `[ussd]`."""

    screen_septets: Septets | None = None
    screen_units: Utf16Units | None = None
    unicode: bool | None = None


class UssdCode(Section):
    """A code that people dial, the providers at which they do, and who does; an empty list stands for everybody."""

    code: ServiceCode
    providers: Annotated[tuple[str, ...], NonEmpty]
    countries: tuple[CountryCode, ...] = ()
    networks: tuple[NetworkCode, ...] = ()


class UssdSettings(Section):
    """The short codes, the session, and the limits of a USSD request."""

    service_codes: Annotated[tuple[ServiceCode, ...], NonEmpty] = ("*123#",)
    codes: tuple[UssdCode, ...] = ()
    ended_reply_ttl: TtlSeconds = 300
    session_ttl: TtlSeconds = 600
    screen_septets: Septets = 160
    screen_units: Utf16Units = 70
    unicode: bool = False
    caller_number_verified: bool = True
    deadline: Annotated[StrictFloat, Field(gt=0, lt=10)] = 8.0
    max_in_flight: Annotated[StrictInt, Field(ge=1, le=100_000)] = 500
    networks: Mapping[str, NetworkSettings] = Field(
        default_factory=lambda: {"63903": NetworkSettings(screen_septets=182), "99998": NetworkSettings(unicode=True)}
    )

    def find_service_codes(self, provider: str) -> tuple[str, ...]:
        """Return the codes that people dial at a provider: those of `codes` that name it, else `service_codes`."""
        return tuple(one.code for one in self.codes if provider in one.providers) or self.service_codes


class LanguageSettings(Section):
    """The languages that callers can choose, and the languages of those who have not chosen."""

    offered: Annotated[tuple[LanguageCode, ...], NonEmpty] = LANGUAGE_CODES
    default: LanguageCode = DEFAULT_LANGUAGE
    by_country: Annotated[Mapping[str, LanguageCode], KeyedByCountry] = Field(
        default_factory=lambda: {country: language.code for language in LANGUAGES for country in language.countries}
    )


class MenuSettings(Section):
    """The digits of the main menu and their entries."""

    main: Mapping[str, str] = Field(
        default_factory=lambda: {
            "1": "find",
            "2": "track",
            "3": "documents",
            "4": "complaint",
            "5": "account",
            "6": "app",
            "7": "help",
            "8": "language",
            "9": "bills",
        }
    )


class AccountSettings(Section):
    """How a citizen gets a PIN, and when a silent number is released.

    A recovered PIN works after a notice of hours, where the account was not used for days.
    """

    pin_by_sms: bool = False
    recovery_notice_after_days: Annotated[StrictInt, Field(ge=1, le=3650)] = 90
    recovery_notice_hours: Annotated[StrictInt, Field(ge=1, le=168)] = 24
    release_after_days: Annotated[StrictInt, Field(ge=0, le=3650)] = 365


class HelpdeskSettings(Section):
    """Phone number and e-mail address of the help line."""

    phone: str = "+880 1550-060060"
    email: str = "support@mygov.bd"


class LinkSettings(Section):
    """Addresses of the app, by handset."""

    web: HttpUrl = "https://web.umang.gov.in/web/#/"
    kaios: HttpUrl = "https://web.umang.gov.in/uaw/i/v/ref"
    android: HttpUrl = "https://play.google.com/store/apps/details?id=in.gov.umang.negd.g2c"
    ios: HttpUrl = "https://apps.apple.com/in/app/umang/id1236448857"


class MissedCallSettings(Section):
    """The missed-call numbers with their actions, and the limits of what is sent."""

    cool_down: Annotated[StrictInt, Field(ge=1, le=30 * 86_400)] = 3600
    daily_limit: Annotated[StrictInt, Field(ge=1, le=10_000_000)] = 20_000
    unsupported_country_daily_limit: Annotated[StrictInt, Field(ge=0, le=10_000_000)] = 200
    numbers: Annotated[Mapping[str, MissedCallAction], KeyedByMsisdn] = Field(
        default_factory=lambda: dict[str, MissedCallAction]({"+254711000001": "download_link"})
    )


class ComplaintSettings(Section):
    """Escalation of complaints, feedback digests, and the address for complaints without a department."""

    answer_days: Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=365)], ...], NonEmpty] = (7, 7, 15)
    email: EmailAddress = ""
    digest: Literal["day", "week", "off"] = "week"


class ApplicationSettings(Section):
    """Daily limits of applications for other people, each of which sends SMS to a number that the applicant names."""

    for_others_per_account_per_day: Annotated[StrictInt, Field(ge=0, le=1000)] = 5
    for_others_per_beneficiary_per_day: Annotated[StrictInt, Field(ge=0, le=1000)] = 3


class TrackingSettings(Section):
    """Limits of tracking numbers that do not exist, asked for in ten minutes."""

    max_misses_per_caller: Annotated[StrictInt, Field(ge=3, le=1000)] = 10
    max_misses_per_prefix: Annotated[StrictInt, Field(ge=10, le=100_000)] = 50


class OperatorSettings(Section):
    """Daily limits of one operator at a village centre; an operator can be added with others."""

    consents_a_day: Annotated[StrictInt, Field(ge=1)] = 40
    applications_a_day: Annotated[StrictInt, Field(ge=1)] = 30
    wrong_codes_a_day: Annotated[StrictInt, Field(ge=1)] = 10


class CountrySettings(Section):
    """The supported countries, and their time zones."""

    allowed: Annotated[tuple[CountryCode, ...], NonEmpty] = (
        "BD", "IN", "KE", "US", "GB", "CA", "AU", "AE", "NL", "SG", "NZ",
    )  # fmt: skip
    time_zone: TimeZone = "Asia/Dhaka"
    time_zones: Annotated[Mapping[str, TimeZone], KeyedByCountry] = Field(default_factory=dict)


class ConsoleSettings(Section):
    """The console of staff: who needs a second step, when a sign-in ends, and what an SMS costs.

    `sms_price` is that of one segment in `sms_currency`; 0: the console shows no cost.
    """

    enabled: bool = True
    two_step: AutoBool = "auto"
    idle_minutes: Annotated[StrictInt, Field(ge=1, le=24 * 60)] = 30
    session_hours: Annotated[StrictInt, Field(ge=1, le=24 * 7)] = 12
    sms_price: Annotated[StrictFloat, Field(ge=0, le=100)] = 0
    sms_currency: CurrencyCode = "BDT"


class KaiosSettings(Section):
    """The page for KaiOS phones: when it signs out, how much it shows at once, and how often an address may fail."""

    enabled: bool = True
    idle_seconds: Annotated[StrictInt, Field(ge=30, le=3600)] = 300
    answer_seconds: Annotated[StrictInt, Field(ge=20, le=600)] = 30  # WCAG 2.2.1 asks for 20 s to extend a time limit
    page_characters: Annotated[StrictInt, Field(ge=120, le=4000)] = 600
    failures_per_address: Annotated[StrictInt, Field(ge=5, le=100_000)] = 100
    codes_per_address: Annotated[StrictInt, Field(ge=5, le=100_000)] = 100


class CatalogueSettings(Section):
    """The folders of the catalogue."""

    folder: Path = Path("services/catalogue/data")
    centres: Path = Path("services/catalogue/centres")
    watch: bool = True


class SimulatorSettings(Section):
    """The phone in the browser."""

    enabled: AutoBool = "auto"


def environment_variable(key_path: KeyPath) -> str:
    """Return the name of the variable that overrides the setting at `key_path`, such as `EKDIAL_SERVER__PORT`."""
    return ENV_PREFIX + "__".join(key_path).upper()


@dataclass(frozen=True, slots=True)
class SettingsOrigin:
    """The places where settings were written: the file, the line of each key in it, and the environment variables."""

    file: str = "config.toml"
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()

    def find_place(self, key_path: KeyPath) -> str:
        """The variable in which the setting at `key_path` was written, or the file and line; empty where nobody wrote it."""
        for length in range(len(key_path), 1, -1):
            variable = environment_variable(key_path[:length])
            if variable in self.variables:
                return variable
        written = next(
            (key_path[:length] for length in range(len(key_path), 1, -1) if key_path[:length] in self.lines), ()
        )
        return f"{self.file}:{self.lines[written]}" if written else ""

    def problem_at(self, key_path: KeyPath, problem: str, fix: str) -> Problem:
        """Return a problem with the file and line, or the variable, in which the setting at `key_path` was written."""
        for length in range(len(key_path), 1, -1):
            variable = environment_variable(key_path[:length])
            if variable in self.variables:
                return Problem(ENVIRONMENT, 0, ".".join((variable, *key_path[length:])), problem, fix)
        return Problem(self.file, find_line(key_path, self.lines), ".".join(key_path), problem, fix)


class Settings(BaseSettings):
    """All settings, one field for each table of config.toml."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", hide_input_in_errors=True
    )

    server: ServerSettings = ServerSettings()
    keys: KeySettings = KeySettings()
    redis: RedisSettings = RedisSettings()
    database: DatabaseSettings = DatabaseSettings()
    sms: SmsSettings = SmsSettings()
    dlt: DltSettings = DltSettings()
    providers: ProviderSections = ProviderSections()
    webhooks: WebhookSettings = WebhookSettings()
    api: ApiSettings = ApiSettings()
    codes: CodeSettings = CodeSettings()
    unverified_sms: UnverifiedSmsSettings = UnverifiedSmsSettings()
    mail: MailSettings = MailSettings()
    ussd: UssdSettings = UssdSettings()
    languages: LanguageSettings = LanguageSettings()
    menu: MenuSettings = MenuSettings()
    accounts: AccountSettings = AccountSettings()
    helpdesk: HelpdeskSettings = HelpdeskSettings()
    links: LinkSettings = LinkSettings()
    missed_calls: MissedCallSettings = MissedCallSettings()
    documents: DocumentSettings = DocumentSettings()
    complaints: ComplaintSettings = ComplaintSettings()
    applications: ApplicationSettings = ApplicationSettings()
    tracking: TrackingSettings = TrackingSettings()
    operators: OperatorSettings = OperatorSettings()
    departments: Mapping[DepartmentCode, DepartmentSettings] = Field(default_factory=dict)
    payments: PaymentSettings = PaymentSettings()
    countries: CountrySettings = CountrySettings()
    console: ConsoleSettings = ConsoleSettings()
    kaios: KaiosSettings = KaiosSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    retention: RetentionSettings = RetentionSettings()
    simulator: SimulatorSettings = SimulatorSettings()

    _origin: SettingsOrigin = PrivateAttr(default_factory=SettingsOrigin)

    def provider_section(self, model: type[SectionT]) -> SectionT:
        """Return the settings of the provider; its defaults if the loader did not get its model."""
        section = getattr(self.providers, model.provider, None)
        return section if isinstance(section, model) else model()

    def problem_at(self, key_path: KeyPath, problem: str, fix: str) -> Problem:
        """Return a problem that other code found with the setting at `key_path`, such as `("menu", "main", "3")`."""
        return self._origin.problem_at(key_path, problem, fix)

    def set_origin(self, origin: SettingsOrigin) -> None:
        """Store where the settings were written, for `problem_at`."""
        self._origin = origin

    @property
    def origin(self) -> SettingsOrigin:
        """Where the settings were written."""
        return self._origin

    @property
    def short_codes(self) -> tuple[str, ...]:
        """Every code of ours that people dial or send SMS to."""
        ussd = (*self.ussd.service_codes, *(one.code for one in self.ussd.codes))
        return tuple(dict.fromkeys((*ussd, self.sms.short_code, *(one.code for one in self.sms.short_codes))))

    @property
    def is_public(self) -> bool:
        """True unless only this machine can reach the gateway, and no message leaves it.

        A gateway behind a proxy listens on loopback too, and has a `public_url`.
        """
        return not self.server.is_loopback or self.sms.leaves_this_machine or bool(self.server.public_url)

    @property
    def needs_two_steps(self) -> bool:
        """True if everybody who signs in to the console needs an authenticator app."""
        return self.is_public if self.console.two_step == "auto" else self.console.two_step

    @property
    def is_simulator_enabled(self) -> bool:
        """True if the simulator is on, which it never is on a public gateway."""
        return self.simulator.enabled is not False and not self.is_public

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the library's signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the values of the loader only: it has merged file and environment."""
        return (init_settings,)
