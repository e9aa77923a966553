"""config.toml and the environment, as typed and frozen settings; everything wrong with them is said at once."""

import difflib
import ipaddress
import os
import tomllib
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from faults import Broken, Fault
from toml_lines import line_of, lines

PREFIX = "EKDIAL_"
FROM_FILE = "_FILE"
NOT_SETTINGS = ("EKDIAL_TEST_",)
SHORTEST_SECRET = 32

Language = Literal["en", "bn", "hi"]
Seconds = Annotated[float, Field(gt=0, le=60)]
Ttl = Annotated[int, Field(ge=1, le=86_400)]


def _wrong(problem: str, right: str) -> PydanticCustomError:
    return PydanticCustomError("plain", "{problem}; {right}", {"problem": problem, "right": right})


def _address(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _wrong(
            f"{text!r} is not an IP address or network", "write one such as 192.0.2.7 or 192.0.2.0/24"
        ) from None
    return text


def _region(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise _wrong(f"{code!r} is not a country", "write its two letters, such as BD")
    return code


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise _wrong(f"{name!r} is not a time zone", "write one such as Asia/Dhaka")
    return name


def _http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise _wrong(f"{url!r} is not an address", "write one that begins with https://")
    return url


def _redis(url: str) -> str:
    if not url.startswith(("memory://", "redis://", "rediss://", "unix://")):
        raise _wrong(
            "this is not the address of a Redis", "write memory://, redis://host:6379/0, rediss://… or unix://…"
        )
    return url


def _database(url: str) -> str:
    if not url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
        raise _wrong(
            "this is not a database we speak to",
            "write sqlite+aiosqlite:///file or postgresql+asyncpg://user:password@host/name",
        )
    return url


def _code(text: str) -> str:
    if not (text.startswith("*") and text.endswith("#") and text[1:-1].replace("*", "").isdigit()):
        raise _wrong(f"{text!r} is not a short code", "write one such as *123#")
    return text


Address = Annotated[str, AfterValidator(_address)]
Http = Annotated[str, AfterValidator(_http)]
ServiceCode = Annotated[str, AfterValidator(_code)]


class Section(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Server(Section):
    """Where the gateway listens, and where what it keeps itself lies."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: Http = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    var: Path = Path("var")

    @property
    def loopback(self) -> bool:
        """Whether nothing outside this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """What links start with."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"


class Keys(Section):
    """The one secret that all keys are derived from."""

    secret: SecretStr = SecretStr("")


class Redis(Section):
    """Where sessions, codes and limits are kept."""

    url: Annotated[str, AfterValidator(_redis)] = "memory://"
    cluster: bool = False
    deadline: Seconds = 1.0

    @property
    def embedded(self) -> bool:
        """Whether it lives in this process and is seen by no other."""
        return self.url.startswith("memory://")


class Database(Section):
    """Where what must last is recorded."""

    url: Annotated[str, AfterValidator(_database)] = "sqlite+aiosqlite:///var/ekdial.db"

    @property
    def embedded(self) -> bool:
        """Whether it is a file of ours, which we may bring up to date ourselves."""
        return self.url.startswith("sqlite")


class Sms(Section):
    """Who carries messages."""

    provider: Literal["sandbox", "africastalking"] = "sandbox"
    parallel: Annotated[int, Field(ge=1, le=500)] = 16


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


class Network(Section):
    """What one network's phones show; what is not given is as everywhere."""

    screen_septets: Annotated[int, Field(ge=40, le=182)] | None = None
    screen_units: Annotated[int, Field(ge=40, le=80)] | None = None
    unicode: bool | None = None


class Ussd(Section):
    """The short code and what a hop may take."""

    service_codes: Annotated[tuple[ServiceCode, ...], Field(min_length=1)] = ("*123#",)
    session_ttl: Ttl = 300
    resume_window: Ttl = 600
    screen_septets: Annotated[int, Field(ge=40, le=182)] = 160
    screen_units: Annotated[int, Field(ge=40, le=80)] = 70
    unicode: bool = False
    vouches: bool = True
    deadline: Annotated[float, Field(gt=0, lt=10)] = 8.0
    networks: Mapping[str, Network] = Field(default_factory=lambda: {"63903": Network(screen_septets=182)})


class Languages(Section):
    """What callers choose from."""

    offered: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en", "bn", "hi")
    default: Language = "en"


class MenuPlan(Section):
    """The order of the main menu."""

    main: Mapping[str, str] = Field(
        default_factory=lambda: {"1": "find", "2": "track", "5": "account", "6": "app", "7": "help", "8": "language"}
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
    android: Http = "https://play.google.com/store/apps/details?id=in.gov.umang.negd.g2c"
    ios: Http = "https://apps.apple.com/in/app/umang/id1236448857"


class Countries(Section):
    """Whose numbers are served, and whose calendar counts."""

    allowed: tuple[Annotated[str, AfterValidator(_region)], ...] = (
        "BD", "IN", "KE", "US", "GB", "CA", "AU", "AE", "NL", "SG", "NZ",
    )  # fmt: skip
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Dhaka"


class CatalogueFolder(Section):
    """Where the services are described."""

    folder: Path = Path("services/catalogue/data")


class Simulator(Section):
    """The phone on the desk."""

    enabled: bool | Literal["auto"] = "auto"


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
    ussd: Ussd = Ussd()
    languages: Languages = Languages()
    menu: MenuPlan = MenuPlan()
    accounts: Accounts = Accounts()
    helpdesk: Helpdesk = Helpdesk()
    links: Links = Links()
    countries: Countries = Countries()
    catalogue: CatalogueFolder = CatalogueFolder()
    simulator: Simulator = Simulator()

    @property
    def simulated(self) -> bool:
        """Whether the phone on the desk is there."""
        return self.server.loopback if self.simulator.enabled == "auto" else self.simulator.enabled

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


class _Environment(EnvSettingsSource):
    """The library's reading of nested variables, over a given environment instead of the process's own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name.lower(): value for name, value in environment.items()}
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._environment


def read(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of `path` with the environment's over them.

    Raises:
        Broken: the file is not there or not TOML, or anything in it or in an `EKDIAL_` variable is not as it must be.
    """
    given = {
        name: value for name, value in (environment if environment is not None else os.environ).items() if _ours(name)
    }
    source = _source(path)
    variables = _from_files(given)
    faults = list(_unknown(variables))
    try:
        settings = Settings(**_overlaid(_tables(path, source), _Environment(variables)()))
    except SettingsError as unread:
        raise Broken([*faults, Fault("environment", 0, "", str(unread), "write tables and lists as JSON")]) from None
    except ValidationError as invalid:
        found = lines(source)
        faults += [_fault(path, found, variables, error) for error in invalid.errors(include_url=False)]
        raise Broken(sorted(faults)) from None
    faults += [
        Fault(path.name, line_of(place, lines(source)), ".".join(place), *said)
        for place, *said in _contradictions(settings)
    ]
    if faults:
        raise Broken(sorted(faults))
    return settings


def _ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS)


def _source(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as missing:
        said = Fault(
            str(path), 0, "", missing.strerror or "cannot be read", "name a file that is there with --config FILE"
        )
        raise Broken([said]) from None


def _tables(path: Path, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as broken:
        raise Broken([Fault(path.name, 0, "", f"this is not TOML: {broken}", "mend that place")]) from None


def _from_files(given: Mapping[str, str]) -> dict[str, str]:
    """The variables, with the contents of the files that `…_FILE` variables name."""
    variables = {}
    for name, value in given.items():
        if name.endswith(FROM_FILE):
            variables[name.removesuffix(FROM_FILE)] = _contents(name, value)
        else:
            variables[name] = value
    return variables


def _contents(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as missing:
        said = Fault("environment", 0, name, f"{file}: {missing.strerror}", "name a file that can be read")
        raise Broken([said]) from None


def _overlaid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Section by section, the environment's keys over the file's; a table given by the environment replaces the file's."""
    together = dict(under)
    for section, table in over.items():
        together[section] = {**together.get(section, {}), **table}
    return together


def _unknown(variables: Mapping[str, str]) -> Iterator[Fault]:
    known = [
        f"{PREFIX}{section}__{key}".upper()
        for section, field in Settings.model_fields.items()
        for key in _section(field.annotation).model_fields
    ]
    for name in variables:
        if name not in known:
            yield Fault("environment", 0, name, "there is no such setting", _nearest(name, known))


def _section(annotation: Any) -> type[BaseModel]:
    section: type[BaseModel] = annotation
    return section


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else "take it out, or see config.toml for what there is"


def _fault(
    path: Path, found: Mapping[tuple[str, ...], int], variables: Mapping[str, str], error: ErrorDetails
) -> Fault:
    place = tuple(str(part) for part in error["loc"])
    problem, right = _said(error)
    variable = PREFIX + "__".join(place[:2]).upper()
    if variable in variables:
        return Fault("environment", 0, variable, problem, right)
    return Fault(path.name, line_of(place, found), ".".join(place), problem, right)


def _said(error: ErrorDetails) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "plain":
        return context["problem"], context["right"]
    if kind == "extra_forbidden":
        return "there is no such setting", _nearest(str(error["loc"][-1]), _siblings(error["loc"]))
    return _REASONS.get(kind, error["msg"]).format(**context), _REMEDIES.get(
        kind, "see config.toml for what it may be"
    ).format(**context)


def _siblings(place: tuple[int | str, ...]) -> list[str]:
    if len(place) == 1:
        return list(Settings.model_fields)
    return list(_section(Settings.model_fields[str(place[0])].annotation).model_fields)


_REASONS = {
    "int_parsing": "this is not a whole number",
    "int_type": "this is not a whole number",
    "float_parsing": "this is not a number",
    "bool_parsing": "this is neither true nor false",
    "string_type": "this is not text",
    "literal_error": "this is not one of what it may be",
    "tuple_type": "this is not a list",
    "too_short": "this list is empty",
    "model_type": "this is not a table",
    "greater_than_equal": "this is too small",
    "greater_than": "this is too small",
    "less_than_equal": "this is too large",
    "less_than": "this is too large",
}
_REMEDIES = {
    "int_parsing": "write one such as 300",
    "int_type": "write one such as 300",
    "float_parsing": "write one such as 1.5",
    "bool_parsing": "write true or false",
    "string_type": "put it in quotes",
    "literal_error": "write {expected}",
    "tuple_type": 'write one such as ["en", "bn"]',
    "too_short": "name at least one",
    "model_type": "write its keys under a [header]",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "less_than": "write less than {lt}",
}


def _contradictions(settings: Settings) -> Iterator[tuple[tuple[str, str], str, str]]:
    """Settings that are each in order and cannot be together: where, what is wrong, what would be right."""
    at = settings.africastalking
    if not settings.server.loopback and not at.callback_token.get_secret_value():
        yield (
            ("africastalking", "callback_token"),
            f"the gateway would listen on {settings.server.host} and take callbacks from anyone",
            "give a callback_token, or listen on 127.0.0.1",
        )
    if settings.sms.provider == "africastalking" and not at.api_key.get_secret_value():
        yield (
            ("africastalking", "api_key"),
            "messages cannot be sent without it",
            "give the account's key, or set sms.provider to sandbox",
        )
    if settings.languages.default not in settings.languages.offered:
        yield (
            ("languages", "default"),
            f"{settings.languages.default} is not offered",
            "choose one of languages.offered",
        )
    secret = settings.keys.secret.get_secret_value()
    if secret and len(secret) < SHORTEST_SECRET:
        yield (
            ("keys", "secret"),
            "it is too short to be safe",
            f"give at least {SHORTEST_SECRET} characters drawn at random",
        )
    if not secret and not (settings.redis.embedded and settings.server.loopback):
        yield (
            ("keys", "secret"),
            "sessions in a Redis that others share must be sealed with a key that all workers have",
            "give one: python server.py keys secret prints a fresh one",
        )
