"""Everything that can be set, typed and frozen, with its default and what it may be; `configured.py` reads it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from faults import Fault, Place
from settable import (
    MEMORY,
    Action,
    Address,
    ByCountry,
    ByPhone,
    Country,
    DatabaseUrl,
    DepartmentCode,
    EmailAddress,
    Host,
    Http,
    Mailbox,
    Number,
    QuietHours,
    RedisUrl,
    Seconds,
    Septets,
    ServiceCode,
    SmsCode,
    Some,
    Switch,
    TimeZone,
    Ttl,
    Units,
    WebhookSecret,
    Whole,
    Whose,
)
from toml_lines import line_of

ENVIRONMENT = "environment"
PREFIX = "EKDIAL_"
SHORTEST_SECRET = 32

Language = Literal["en", "bn", "hi"]


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Section(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Server(Section):
    """Where the gateway listens, and where what it keeps itself lies."""

    host: str = "127.0.0.1"
    port: Annotated[Whole, Field(ge=0, le=65535)] = 8080
    public_url: Http = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    var: Path = Path("var")

    @property
    def loopback(self) -> bool:
        """Whether nothing outside this machine can reach it."""
        return _loopback(self.host)

    @property
    def address(self) -> str:
        """Host and port, as an address has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """What links start with."""
        return self.public_url.rstrip("/") or f"http://{self.address}"


class Keys(Section):
    """The one secret that all keys are derived from."""

    secret: SecretStr = SecretStr("")


class Redis(Section):
    """Where sessions, codes and limits are kept."""

    url: RedisUrl = SecretStr(MEMORY)
    cluster: bool = False
    deadline: Seconds = 1.0

    @property
    def embedded(self) -> bool:
        """Whether it lives in this process and is seen by no other."""
        return self.url.get_secret_value() == MEMORY


class Database(Section):
    """Where what must last is recorded."""

    url: DatabaseUrl = SecretStr("sqlite+aiosqlite:///var/ekdial.db")


class Sms(Section):
    """Who carries messages."""

    provider: Literal["sandbox", "africastalking"] = "sandbox"
    short_code: SmsCode = "123"
    conversation_ttl: Ttl = 1800
    screen_segments: Annotated[Whole, Field(ge=1, le=4)] = 2
    parallel: Annotated[Whole, Field(ge=1, le=500)] = 16
    segments_per_second: Annotated[Number, Field(ge=0, le=10_000)] = 0
    quiet_hours: Mapping[Whose, QuietHours] = Field(default_factory=dict)


class AfricasTalking(Section):
    """The account at the provider, and what guards its callbacks."""

    username: str = "sandbox"
    api_key: SecretStr = SecretStr("")
    base_url: Http = ""
    sender_id: str = ""
    deadline: Seconds = 10.0
    callback_token: SecretStr = SecretStr("")
    allowed_ips: tuple[Address, ...] = ()
    trusted_proxies: tuple[Address, ...] = ()


class Api(Section):
    """What departments' systems may ask."""

    per_minute: Annotated[Whole, Field(ge=1, le=1_000_000)] = 600


class Codes(Section):
    """How many one-time codes are sent before somebody must be making money of them."""

    prefix: Annotated[Whole, Field(ge=1)] = 60
    country: Annotated[Whole, Field(ge=1)] = 2000
    countries: Annotated[Mapping[str, Whole], ByCountry] = Field(default_factory=dict)
    daily: Annotated[Whole, Field(ge=1)] = 20_000
    watched: Annotated[Whole, Field(ge=1)] = 20
    entered: Annotated[Whole, Field(ge=0, le=100)] = 30


class Mail(Section):
    """The server that takes our mail, and whom it comes from."""

    host: Host = ""
    port: Annotated[Whole, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    certificates: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: Mailbox = ""
    reply_to: Mailbox = ""
    deadline: Seconds = 30.0
    parallel: Annotated[Whole, Field(ge=1, le=50)] = 4

    @property
    def loopback(self) -> bool:
        """Whether it is a server on this machine, where somebody tries things out."""
        return _loopback(self.host)


class Network(Section):
    """What one network's phones show; what is not given is as everywhere."""

    screen_septets: Septets | None = None
    screen_units: Units | None = None
    unicode: bool | None = None


class Ussd(Section):
    """The short code and what a hop may take."""

    service_codes: Annotated[tuple[ServiceCode, ...], Some] = ("*123#",)
    session_ttl: Ttl = 300
    resume_window: Ttl = 600
    screen_septets: Septets = 160
    screen_units: Units = 70
    unicode: bool = False
    vouches: bool = True
    deadline: Annotated[Number, Field(gt=0, lt=10)] = 8.0
    networks: Mapping[str, Network] = Field(
        default_factory=lambda: {"63903": Network(screen_septets=182), "99998": Network(unicode=True)}
    )


class Languages(Section):
    """What callers choose from, and what is assumed of those who have not chosen."""

    offered: Annotated[tuple[Language, ...], Some] = ("en", "bn", "hi")
    default: Language = "en"
    by_country: Annotated[Mapping[str, Language], ByCountry] = Field(
        default_factory=lambda: dict[str, Language](BD="bn", IN="hi")
    )


class MenuPlan(Section):
    """The order of the main menu."""

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


class Accounts(Section):
    """How citizens get their PIN."""

    pin_by_sms: bool = False


class Helpdesk(Section):
    """Where people answer."""

    phone: str = "+880 1550-060060"
    email: str = "support@mygov.bd"


class Links(Section):
    """Where the app is."""

    web: Http = "https://web.umang.gov.in/web/#/"
    kaios: Http = "https://web.umang.gov.in/uaw/i/v/ref"
    android: Http = "https://play.google.com/store/apps/details?id=in.gov.umang.negd.g2c"
    ios: Http = "https://apps.apple.com/in/app/umang/id1236448857"


class MissedCalls(Section):
    """Which numbers people ring to be sent something, and how often they are sent it."""

    cool_down: Annotated[Whole, Field(ge=1, le=30 * 86_400)] = 3600
    most_a_day: Annotated[Whole, Field(ge=1, le=10_000_000)] = 20_000
    abroad_a_day: Annotated[Whole, Field(ge=0, le=10_000_000)] = 200
    numbers: Annotated[Mapping[str, Action], ByPhone] = Field(
        default_factory=lambda: dict[str, Action]({"+254711000001": "download_link"})
    )


class Documents(Section):
    """Who issues documents, and for how long and how often a link to one works."""

    issuer: Literal["sandbox", "digilocker"] = "sandbox"
    base_url: Http = "https://digilocker.meripehchaan.gov.in/public"
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    deadline: Annotated[Number, Field(gt=0, le=4)] = 3.0
    most_octets: Annotated[Whole, Field(ge=10_000, le=20_000_000)] = 3_000_000
    link_hours: Annotated[Whole, Field(ge=1, le=48)] = 24
    link_uses: Annotated[Whole, Field(ge=1, le=100)] = 5


class Complaints(Section):
    """How long each level has for a complaint, and who reads what concerns no department in particular."""

    answer_days: Annotated[tuple[Annotated[Whole, Field(ge=1, le=365)], ...], Some] = (7, 7, 15)
    email: EmailAddress = ""
    digest: Literal["day", "week", "off"] = "week"


class Tracking(Section):
    """How many numbers that nothing has may be asked for in ten minutes."""

    unknown_numbers: Annotated[Whole, Field(ge=3, le=1000)] = 10
    unknown_prefix: Annotated[Whole, Field(ge=10, le=100_000)] = 50


class Operators(Section):
    """How much one operator at a village centre may do in a day, unless they were enrolled with limits of their own."""

    consents_a_day: Annotated[Whole, Field(ge=1)] = 40
    applications_a_day: Annotated[Whole, Field(ge=1)] = 30
    wrong_codes_a_day: Annotated[Whole, Field(ge=1)] = 10


class Connector(Section):
    """How one department's own system is reached, and how each knows the other."""

    url: Http = ""
    token: SecretStr = SecretStr("")
    secret: WebhookSecret = SecretStr("")
    former_secret: WebhookSecret = SecretStr("")
    deadline: Seconds = 10.0
    parallel: Annotated[Whole, Field(ge=1, le=50)] = 4
    ask_again: Annotated[Number, Field(ge=0.01, le=600)] = 30.0
    poll_minutes: Annotated[Whole, Field(ge=0, le=10_080)] = 0

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those that are signed with and believed, the newest first."""
        given = (self.secret.get_secret_value(), self.former_secret.get_secret_value())
        return tuple(secret for secret in given if secret)

    @property
    def in_clear(self) -> bool:
        """Whether what is delivered could be read on the way: it leaves this machine and is not encrypted."""
        parts = urlsplit(self.url)
        return parts.scheme == "http" and not _loopback(parts.hostname or "")


class Connection(Section):
    """Where a biller's own system is asked, and with which key."""

    url: Http = ""
    key: SecretStr = SecretStr("")


class Payments(Section):
    """Which wallet fees and bills are paid from, and which billers' systems are asked."""

    wallet: Literal["none", "sandbox", "daraja"] = "sandbox"
    after_call: Annotated[Number, Field(ge=0, le=60)] = 3.0
    deadline: Annotated[Number, Field(gt=0, le=30)] = 10.0
    biller_deadline: Annotated[Number, Field(gt=0, le=4)] = 3.0
    base_url: Http = "https://sandbox.safaricom.co.ke"
    consumer_key: SecretStr = SecretStr("")
    consumer_secret: SecretStr = SecretStr("")
    short_code: str = ""
    passkey: SecretStr = SecretStr("")
    till: str = ""
    callback_token: SecretStr = SecretStr("")
    allowed_ips: tuple[Address, ...] = ()
    billers: Mapping[str, Connection] = Field(default_factory=dict)


class Countries(Section):
    """Whose numbers are served, and whose calendar counts."""

    allowed: Annotated[tuple[Country, ...], Some] = (
        "BD", "IN", "KE", "US", "GB", "CA", "AU", "AE", "NL", "SG", "NZ",
    )  # fmt: skip
    time_zone: TimeZone = "Asia/Dhaka"
    time_zones: Annotated[Mapping[str, TimeZone], ByCountry] = Field(default_factory=dict)


class CatalogueFolder(Section):
    """Where the services are described."""

    folder: Path = Path("services/catalogue/data")
    centres: Path = Path("services/catalogue/centres")
    watch: bool = True


class Simulator(Section):
    """The phone on the desk."""

    enabled: Switch = "auto"


def variable_of(place: Place) -> str:
    """The variable that overrides the setting at `place`."""
    return PREFIX + "__".join(place[:2]).upper()


@dataclass(frozen=True, slots=True)
class Written:
    """Where every setting was written: in which file, on which line, or in which variable."""

    file: str = "config.toml"
    lines: Mapping[Place, int] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()

    def fault(self, place: Place, problem: str, right: str) -> Fault:
        """What is wrong at `place`, said for whoever wrote it there."""
        variable = variable_of(place)
        if variable in self.variables:
            return Fault(ENVIRONMENT, 0, ".".join((variable, *place[2:])), problem, right)
        return Fault(self.file, line_of(place, self.lines), ".".join(place), problem, right)


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", hide_input_in_errors=True
    )

    server: Server = Server()
    keys: Keys = Keys()
    redis: Redis = Redis()
    database: Database = Database()
    sms: Sms = Sms()
    africastalking: AfricasTalking = AfricasTalking()
    api: Api = Api()
    codes: Codes = Codes()
    mail: Mail = Mail()
    ussd: Ussd = Ussd()
    languages: Languages = Languages()
    menu: MenuPlan = MenuPlan()
    accounts: Accounts = Accounts()
    helpdesk: Helpdesk = Helpdesk()
    links: Links = Links()
    missed_calls: MissedCalls = MissedCalls()
    documents: Documents = Documents()
    complaints: Complaints = Complaints()
    tracking: Tracking = Tracking()
    operators: Operators = Operators()
    departments: Mapping[DepartmentCode, Connector] = Field(default_factory=dict)
    payments: Payments = Payments()
    countries: Countries = Countries()
    catalogue: CatalogueFolder = CatalogueFolder()
    simulator: Simulator = Simulator()

    _written: Written = PrivateAttr(default_factory=Written)

    def fault(self, place: Place, problem: str, right: str) -> Fault:
        """What somebody else found wrong with the setting at `place`, such as `("menu", "main", "3")`."""
        return self._written.fault(place, problem, right)

    def remember(self, written: Written) -> None:
        """Where they were written, for faults that are found later."""
        self._written = written

    @property
    def simulated(self) -> bool:
        """Whether the phone on the desk is there: of itself only where nobody outside comes in, be it by a proxy."""
        if self.simulator.enabled == "auto":
            return self.server.loopback and not self.server.public_url
        return self.simulator.enabled

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the library's signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `read` hands over: it has put file and environment together already."""
        return (init_settings,)
