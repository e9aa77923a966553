"""Reads config.toml and the environment into settings, or says everything that is wrong with them at once."""

import difflib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError

from faults import Broken, Fault, Place, shown
from settable import MEMORY
from settings import (
    ENVIRONMENT,
    PREFIX,
    SHORTEST_SECRET,
    Connection,
    Connector,
    Documents,
    Languages,
    Mail,
    Network,
    Payments,
    Server,
    Settings,
    Written,
    variable_of,
)
from toml_lines import lines, tables_of, text_of

FROM_FILE = "_FILE"
NOT_SETTINGS = ("EKDIAL_TEST_",)
_is_connector = re.compile(variable_of(("departments", "")) + "[A-Z](_?[A-Z0-9])*").fullmatch  # whichever there are


class _Environment(EnvSettingsSource):
    """The library's reading of nested variables, over given ones instead of the process's own."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = {name.lower(): value for name, value in given.items()}
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given


Tables = dict[str, Any]
"""Section to key to value, as TOML and JSON have them."""


def read(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of `path` with the environment's over them.

    Raises:
        Broken: the file is not there or not TOML, or anything in it or in an `EKDIAL_` variable is not as it must be.
    """
    faults: list[Fault] = []
    source, tables = _file(path, faults)
    variables = _variables(os.environ if environment is None else environment, faults)
    written = Written(shown(path), lines(source), frozenset(variables))
    settings = _validated(_overlaid(tables, _tables(variables, faults)), written, faults)
    if settings and not faults:
        faults.extend(written.fault(*contradiction) for contradiction in _contradictions(settings))
    if faults or not settings:
        raise Broken(sorted(faults))
    settings.remember(written)
    return settings


def _file(path: Path, faults: list[Fault]) -> tuple[str, Tables]:
    try:
        source = text_of(path)
        return source, tables_of(source, shown(path))
    except Broken as broken:
        faults.extend(broken.faults)
        return "", {}


def _variables(environment: Mapping[str, str], faults: list[Fault]) -> dict[str, str]:
    """The variables that are ours, the contents of the files that `…_FILE` ones name among them."""
    given = [_given(name, environment) for name in environment if _ours(name)]
    faults.extend(one for one in given if isinstance(one, Fault))
    return dict(one for one in given if not isinstance(one, Fault))


def _ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS)


def _given(name: str, environment: Mapping[str, str]) -> tuple[str, str] | Fault:
    variable, known = name.removesuffix(FROM_FILE), _known()
    if variable not in known and not _is_connector(variable):
        return Fault(ENVIRONMENT, 0, name, "there is no such setting", _nearest(variable, known, PREFIX))
    if name == variable:
        return variable, environment[name]
    if variable in environment:
        return Fault(ENVIRONMENT, 0, name, f"{variable} is given too", "give one of the two")
    return _contents(name, environment[name])


def _known() -> list[str]:
    return [variable_of((section, key)) for section, keys in _sections().items() for key in keys]


def _sections() -> Mapping[str, list[str]]:
    return {
        name: list(getattr(section.annotation, "model_fields", ()))  # departments are of everybody's own naming
        for name, section in Settings.model_fields.items()
    }


def _contents(name: str, file: str) -> tuple[str, str] | Fault:
    try:
        return name.removesuffix(FROM_FILE), Path(file).read_text(encoding="utf-8").strip()
    except OSError as missing:
        return Fault(ENVIRONMENT, 0, name, f"{file}: {missing.strerror}", "name a file that can be read")
    except ValueError:
        return Fault(ENVIRONMENT, 0, name, f"{file} is not a text file", "save it as UTF-8")


def _tables(variables: Mapping[str, str], faults: list[Fault]) -> Tables:
    """The variables as a file would have them."""
    tables: Tables = {}
    for name, value in variables.items():
        try:
            for section, keys in _Environment({name: value})().items():
                tables.setdefault(section, {}).update(_connector(keys) if _is_connector(name) else keys)
        except (SettingsError, JSONDecodeError):
            said = "this is not JSON", 'write lists and tables as JSON, such as ["en", "bn"]'
            faults.append(Fault(ENVIRONMENT, 0, name, *said))
    return tables


def _connector(keys: Mapping[str, str]) -> Tables:
    """A department's table; the library leaves it as it was written, for it is no setting that it knows."""
    return {code: json.loads(written) for code, written in keys.items()}


def _overlaid(under: Tables, over: Tables) -> Tables:
    """Section by section, the environment's keys over the file's; what is no section stays, to be complained of."""
    together = dict(under)
    for section, keys in over.items():
        below = together.get(section, {})
        together[section] = {**below, **keys} if isinstance(below, dict) else below
    return together


def _validated(tables: Tables, written: Written, faults: list[Fault]) -> Settings | None:
    try:
        return Settings(**tables)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        faults.extend(written.fault(tuple(map(str, error["loc"])), *_said(error)) for error in errors)
        return None


def _said(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong and what would be right, in our words; never the value, which may be a secret."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "plain":
        return context["problem"], context["right"]
    if kind == "extra_forbidden":
        return "there is no such setting", _nearest(str(error["loc"][-1]), _siblings(error["loc"]))
    problem, right = _SAID[kind]
    return problem, right.format(**context)


def _siblings(place: tuple[int | str, ...]) -> Iterable[str]:
    """The keys that there are beside `place`."""
    match place:
        case (_,):
            return _sections()
        case (section, _):
            return _sections()[str(section)]
        case ("departments", *_):
            return Connector.model_fields
        case ("payments", *_):
            return Connection.model_fields
        case _:
            return Network.model_fields


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(name.removeprefix(prefix), [one.removeprefix(prefix) for one in known], n=1)
    return f"did you mean {prefix}{close[0]}?" if close else "take it out, or see config.toml for what there is"


_WHOLE = "this is not a whole number", "write one such as 300"
_FRACTION = "this is not a number", "write one such as 1.5"
_TRUTH = "this is neither true nor false", "write true or false"
_TEXT = "this is not text", "put it in quotes"
_TABLE = "this is not a table", "write its keys under a [header]"
_SAID: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("int_parsing", "int_parsing_size", "int_type", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), _FRACTION),
    **dict.fromkeys(("bool_parsing", "bool_type"), _TRUTH),
    **dict.fromkeys(("string_type", "path_type"), _TEXT),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), _TABLE),
    "tuple_type": ("this is not a list", 'write one such as ["en", "bn"]'),
    "literal_error": ("this is not one of what it may be", "write {expected}"),
    "greater_than_equal": ("this is too small", "write {ge} or more"),
    "greater_than": ("this is too small", "write more than {gt:g}"),
    "less_than_equal": ("this is too large", "write {le:g} or less"),
    "less_than": ("this is too large", "write less than {lt:g}"),
}
"""The library's kind of error to what is wrong and what would be right; a test gives every key every odd value."""


def _contradictions(settings: Settings) -> Iterator[tuple[Place, str, str]]:
    """Settings that are each in order and cannot be together: where, what is wrong, what would be right."""
    at = settings.africastalking
    if not settings.server.loopback and not at.callback_token.get_secret_value():
        yield (
            ("africastalking", "callback_token"),
            f"the gateway would listen on {settings.server.host or 'every address'} and take callbacks from anyone",
            "give a callback_token, or listen on 127.0.0.1",
        )
    if settings.sms.provider == "africastalking" and not at.api_key.get_secret_value():
        yield (
            ("africastalking", "api_key"),
            "messages cannot be sent without it",
            "give the account's key, or set sms.provider to sandbox",
        )
    if settings.sms.provider == "africastalking" and not settings.server.public_url:
        yield (
            ("server", "public_url"),
            f"links in SMS would begin with {settings.server.url}, which no phone can open",
            "write the https:// address that leads here, or set sms.provider to sandbox",
        )
    if settings.redis.cluster and settings.redis.embedded:
        yield (
            ("redis", "cluster"),
            f"{MEMORY} is no cluster",
            "give one of the cluster's addresses in redis.url, or write false",
        )
    yield from _mail(settings.mail, settings.server)
    yield from _issuer(settings.documents)
    yield from _wallet(settings.payments, settings.server)
    yield from _connectors(settings.departments)
    yield from _languages(settings.languages)
    yield from _secret(settings)


def _mail(mail: Mail, server: Server) -> Iterator[tuple[Place, str, str]]:
    if mail.host and not mail.sender:
        yield ("mail", "host"), "mail must come from somebody too", "say in mail.sender from whom"
    if mail.host and mail.username and mail.security == "none":
        yield ("mail", "security"), "the password would go out in clear", "write starttls or tls"
    if mail.host and not mail.loopback and not server.public_url:
        yield (
            ("mail", "host"),
            f"links in e-mail would begin with {server.url}, which nobody else can open",
            "write the https:// address that leads here in server.public_url",
        )


def _issuer(documents: Documents) -> Iterator[tuple[Place, str, str]]:
    if documents.issuer == "digilocker" and not documents.client_id:
        yield (
            ("documents", "client_id"),
            "DigiLocker answers partners only",
            "give our client id, or set issuer to sandbox",
        )
    if documents.issuer == "digilocker" and not documents.client_secret.get_secret_value():
        yield ("documents", "client_secret"), "documents cannot be asked for without it", "give the partner's secret"


def _connectors(departments: Mapping[str, Connector]) -> Iterator[tuple[Place, str, str]]:
    for code, connector in departments.items():
        place = ("departments", code)
        if not connector.url:
            yield (*place, "url"), "nothing can be delivered without it", "write the https:// address of its system"
        if connector.in_clear:
            yield (
                (*place, "url"),
                "what citizens wrote would go out in clear",
                "write an address that begins with https://",
            )
        if not connector.token.get_secret_value() and not connector.secrets:
            yield place, "its system could not know us from anybody else", "give a token, a secret, or both"
        if connector.former_secret.get_secret_value() and not connector.secret.get_secret_value():
            yield (*place, "former_secret"), "there is none after it", "write it as secret"


def _wallet(payments: Payments, server: Server) -> Iterator[tuple[Place, str, str]]:
    for code, biller in payments.billers.items():
        if not biller.url or not biller.key.get_secret_value():
            said = "it cannot be asked without its address and our key"
            yield ("payments", "billers", code), said, "give url and key, or leave it out"
    if payments.wallet != "daraja":
        return
    secrets = ("consumer_key", "consumer_secret", "passkey", "callback_token")
    for key in secrets:
        if not getattr(payments, key).get_secret_value():
            yield ("payments", key), "M-Pesa cannot be asked without it", "give it, or set wallet to none"
    if not payments.short_code.isdecimal():
        yield ("payments", "short_code"), "this is no pay bill number", "write its digits, such as 174379"
    if payments.till and not payments.till.isdecimal():
        yield ("payments", "till"), "this is no till's number", "write its digits, or leave it empty"
    if not server.public_url:
        said = f"M-Pesa would post callbacks to {server.url}, which it cannot reach"
        yield ("server", "public_url"), said, "write the https:// address that leads here"


def _languages(languages: Languages) -> Iterator[tuple[Place, str, str]]:
    if languages.default not in languages.offered:
        yield ("languages", "default"), f"{languages.default} is not offered", "choose one of languages.offered"
    if len(set(languages.offered)) < len(languages.offered):
        yield ("languages", "offered"), "a language is offered twice", "name each once"


def _secret(settings: Settings) -> Iterator[tuple[Place, str, str]]:
    secret = settings.keys.secret.get_secret_value()
    fresh = "python server.py keys secret prints a fresh one"
    if secret and len(secret) < SHORTEST_SECRET:
        yield ("keys", "secret"), "it is too short to be safe", f"give {SHORTEST_SECRET} characters or more: {fresh}"
    if not secret and not (settings.redis.embedded and settings.server.loopback):
        yield (
            ("keys", "secret"),
            f"it is empty, which is for a gateway on loopback with {MEMORY} only",
            f"give one: {fresh}",
        )
