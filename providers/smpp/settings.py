"""The table `[providers.smpp]` of config.toml: the binds, by name."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from config.section import Section
from config.settings import Contradiction, ProviderSection, Settings
from config.types import Hostname, Seconds, StrictFloat, StrictInt
from core.errors import KeyPath
from core.http.origins import is_loopback_host
from providers.smpp.dialects import DIALECTS, CodeField, Dialect, SessionField

ShiftLanguage = Literal["bn", "hi"]
BindMode = Literal["transceiver", "transmitter", "receiver", "pair"]
LongForm = Literal["udh", "sar", "payload"]
Ton = Annotated[StrictInt, Field(ge=0, le=7)]
Npi = Annotated[StrictInt, Field(ge=0, le=18)]


def _check_form(pattern: str, problem: str, fix: str) -> AfterValidator:
    """Return the check that a text has the form of `pattern`."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("plain", "{problem}; {fix}", {"problem": problem, "fix": fix})
        return text

    return AfterValidator(check)


def _check_ascii(limit: int) -> AfterValidator:
    return _check_form(rf"[ -~]{{0,{limit}}}", "SMPP has no room for it", f"write {limit} ASCII letters")


def _check_bind_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,19}", name):
        facts = {"problem": f"{name[:40]!r} is not the name of a bind", "fix": "write one such as robi"}
        raise PydanticCustomError("plain", "{problem}; {fix}", facts)
    return name


BindName = Annotated[str, AfterValidator(_check_bind_name)]


Operation = Annotated[StrictInt, Field(ge=0, le=255)]
BuiltInDialect = Literal["standard", "mica", "sixdee", "huawei", "vendor32"]


class DialectSettings(Section):
    """A dialect of USSD that differs from a built-in one; None has the value of that one. See `dialects.Dialect`."""

    like: BuiltInDialect = "standard"
    dials: frozenset[Operation] | None = None
    answers: frozenset[Operation] | None = None
    aborts: frozenset[Operation] | None = None
    confirms: frozenset[Operation] | None = None
    goes_on: Operation | None = None
    ends: Operation | None = None
    session: SessionField | None = None
    end_flag: bool | None = None
    dialled_in: tuple[CodeField, ...] | None = None
    gsm7_coding: Operation | None = None
    answers_first: bool | None = None

    def build(self) -> Dialect:
        """Return the row."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields if name != "like"}
        given = {name: value for name, value in fields.items() if value is not None}
        return replace(DIALECTS[self.like], **given)

    def find_ambiguity(self) -> str | None:
        """Return what makes a row unusable: an operation with two meanings, or no way to say that a call begins."""
        row = self.build()
        sets = [getattr(row, name) for name in _OPERATION_SETS]
        if sum(map(len, sets)) != len(frozenset().union(*sets)):
            return "an operation has two meanings"
        if not row.dials or not row.answers:
            return "no operation dials, or none answers"
        return "going on and ending are the same operation" if row.goes_on == row.ends else None


_OPERATION_SETS = ("dials", "answers", "aborts", "confirms")


class BindSettings(Section):
    """One bind, or a transmitter and a receiver that are bound together, at an operator's SMSC."""

    host: Hostname = ""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 2775
    tls: bool = False
    tls_ca: Path | None = None
    system_id: Annotated[str, _check_ascii(15)] = ""
    password: SecretStr = SecretStr("")
    system_type: Annotated[str, _check_ascii(12)] = ""
    mode: BindMode = "transceiver"
    account: Annotated[str, _check_form(r"[a-z0-9_]{0,20}", "this is not the name of an account", "write robi")] = ""
    sms: bool = True
    ussd: str = ""
    network: Annotated[str, _check_form(r"[0-9]{0,6}", "this is not a network", "write its code, 47002")] = ""
    admin_port: Annotated[StrictInt, Field(ge=0, le=65535)] = 0
    receives_replies: bool = True
    window: Annotated[StrictInt, Field(ge=1, le=1000)] = 10
    per_second: Annotated[StrictFloat, Field(ge=0, le=10_000)] = 0
    enquire_link: Annotated[StrictFloat, Field(gt=0, le=3600)] = 30.0
    response_timeout: Seconds = 10.0
    reconnect_after: Annotated[StrictFloat, Field(gt=0, le=600)] = 30.0
    refused_again_after: Annotated[StrictFloat, Field(gt=0, le=86_400)] = 300.0
    sender: Annotated[str, _check_ascii(20)] = ""
    service_type: Annotated[str, _check_ascii(5)] = ""
    source_ton: Ton | None = None
    source_npi: Npi | None = None
    destination_ton: Ton = 1
    destination_npi: Npi = 1
    destination_plus: bool = False
    gsm7: Literal["unpacked", "packed"] = "unpacked"
    default_alphabet: Literal["gsm7", "latin1", "ascii"] = "gsm7"
    ucs2_coding: Annotated[StrictInt, Field(ge=0, le=255)] = 8
    vendor_zero: bool = False
    country_code: Annotated[str, _check_form(r"([1-9][0-9]{0,3})?", "this is not a calling code", "write 880")] = ""
    shift_tables: tuple[ShiftLanguage, ...] = ()
    shift: Literal["single", "locking", "both"] = "both"
    long_messages: LongForm = "udh"
    validity: bool = True
    reports: bool = True
    template_refusals: tuple[StrictInt, ...] = ()
    report_ids: Literal["same", "hex", "decimal"] = "same"
    simulated: bool = False


class SmppSettings(ProviderSection):
    """The binds at operators."""

    provider: ClassVar[str] = "smpp"

    binds: Mapping[BindName, BindSettings] = Field(default_factory=dict)
    dialects: Mapping[BindName, DialectSettings] = Field(default_factory=dict)
    passwords: SecretStr = SecretStr("")
    takeover_after: Annotated[StrictFloat, Field(ge=2, le=60)] = 8.0

    @property
    def receives_replies(self) -> bool:
        """True if replies reach us by every bind that may send an SMS."""
        return all(bind.receives_replies for bind in self.binds.values() if bind.sms and bind.mode != "receiver")

    def find_password(self, name: str) -> str:
        """Return the password of a bind: from `passwords`, or from the bind's own table."""
        return self._passwords().get(name) or self.binds[name].password.get_secret_value()

    def find_contradictions(self, settings: Settings) -> Iterator[Contradiction]:
        """Yield that SMS are to be sent and no bind can, and that a password is for no bind."""
        path = ("providers", self.provider)
        if self.provider in settings.sms.providers and not any(
            bind.sms and bind.mode != "receiver" for bind in self.binds.values()
        ):
            yield (*path, "binds"), "no bind sends SMS", "write [providers.smpp.binds.<name>], or change sms.provider"
        for name in (name for name, bind in self.binds.items() if not bind.host):
            yield (*path, "binds", name), "a bind has no host", "write the address of the SMSC"
        if self.binds and not self._passwords().keys() <= self.binds.keys():
            yield (*path, "passwords"), "a line is for no bind", "write name=password on each line, as binds are named"

        for name, bind in self.binds.items():
            if bind.simulated and not (is_loopback_host(bind.host) and settings.is_simulator_enabled):
                problem = "the simulator can be the SMSC of a bind on this machine only, and only where it is enabled"
                fix = 'write host = "127.0.0.1" with simulator.enabled, or simulated = false'
                yield (*path, "binds", name, "simulated"), problem, fix
        yield from self._find_ussd_contradictions((*path, "binds"), (*path, "dialects"))

    def find_dialect(self, name: str) -> Dialect | None:
        """Return the dialect of USSD with this name: of config.toml, or built in; None where there is none."""
        own = self.dialects.get(name)
        return own.build() if own else DIALECTS.get(name)

    def _find_ussd_contradictions(self, binds: KeyPath, dialects: KeyPath) -> Iterator[Contradiction]:
        known = ", ".join((*DIALECTS, *self.dialects))
        for name, bind in self.binds.items():
            if bind.ussd and self.find_dialect(bind.ussd) is None:
                yield (*binds, name, "ussd"), f"{bind.ussd!r} is no dialect", f"write one of {known}, or describe it"
            elif bind.ussd and bind.mode in {"transmitter", "receiver"}:
                fix = 'write mode = "transceiver", or "pair" for a transmitter and a receiver'
                yield (*binds, name, "mode"), "USSD needs both directions", fix
        ports = Counter(bind.admin_port for bind in self.binds.values() if bind.admin_port)
        for name in (name for name, bind in self.binds.items() if ports[bind.admin_port] > 1):
            yield (*binds, name, "admin_port"), "two binds have one port", "give each process a port of its own"
        for name, dialect in self.dialects.items():
            if name in DIALECTS:
                yield (*dialects, name), "a built-in dialect has this name", "give yours another, and like = this one"
            if problem := dialect.find_ambiguity():
                yield (*dialects, name), problem, "give each operation one meaning"

    def _passwords(self) -> dict[str, str]:
        pairs = (line.partition("=") for line in self.passwords.get_secret_value().splitlines() if line.strip())
        return {name.strip(): password.strip() for name, _, password in pairs}
