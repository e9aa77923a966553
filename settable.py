"""What one setting may be: each kind with its check, which says in one line what is wrong and what would be right."""

import ipaddress
import re
import zoneinfo
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Annotated, Literal
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from services.departments.signing import key_of
from sms.quiet import Quiet

MEMORY = "memory://"
FRESH_LOOKS_LIKE = "whsec_" + "A" * 32

Action = Literal["download_link", "latest_status", "call_back_menu"]


def _wrong(problem: str, right: str) -> PydanticCustomError:
    return PydanticCustomError("plain", "{problem}; {right}", {"problem": problem, "right": right})


def _address(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise _wrong(
            f"{text!r} is not an IP address or network", "write one such as 192.0.2.7 or 192.0.2.0/24"
        ) from None
    return text


def _region(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise _wrong(f"{code!r} is not a country", "write its two letters, such as BD")
    return code


def _regions(by_country: Mapping[str, object]) -> Mapping[str, object]:
    for country in by_country:
        _region(country)
    return by_country


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong(f"{name!r} is not a time zone", "write one such as Asia/Dhaka") from None
    return name


def _http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise _wrong(f"{url!r} is not an address", "write one that begins with https://")
    return url


def _redis(url: SecretStr) -> SecretStr:
    if not _is_redis(url.get_secret_value()):
        raise _wrong(
            "this is not the address of a Redis",
            "write memory://, redis://host:6379/0, rediss://host:6379/0 or unix:///path",
        )
    return url


def _is_redis(url: str) -> bool:
    if url == MEMORY:
        return True
    from redis.asyncio import ConnectionPool

    try:
        ConnectionPool.from_url(url).make_connection()  # type: ignore[no-untyped-call]  # it does not connect yet
        parts = urlsplit(url)
    except (TypeError, ValueError):  # the library says what is wrong, with the password in it
        return False
    return bool(parts.hostname or (parts.scheme == "unix" and parts.path))


def _database(url: SecretStr) -> SecretStr:
    if not re.match(r"sqlite\+aiosqlite:///(?!$|\?|:memory:)|postgresql\+asyncpg://.", url.get_secret_value()):
        raise _wrong(
            "this is not a database that can hold the records",
            "write sqlite+aiosqlite:///file or postgresql+asyncpg://user:password@host/name",
        )
    return url


def _code(text: str) -> str:
    if not re.fullmatch(r"\*[0-9]+(\*[0-9]+)*#", text):
        raise _wrong(f"{text!r} is not a short code", "write one such as *123#")
    return text


def _host(name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", name):
        raise _wrong(f"{name[:40]!r} is not the name of a machine", "write one such as smtp.example.org")
    return name


def _mailbox(text: str) -> str:
    _, address = parseaddr(text)
    if text and not (address.isascii() and re.fullmatch(r"[^\s@]+@[^\s@]+", address)):
        raise _wrong(f"{text!r} is nothing mail can come from", 'write "Ekdial <no-reply@example.org>"')
    return text


def _email(text: str) -> str:
    if text and not (text.isascii() and re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@.]+", text)):
        raise _wrong(f"{text!r} is no e-mail address", 'write one such as "feedback@example.org"')
    return text


def _sms_code(text: str) -> str:
    if not re.fullmatch(r"[0-9]{3,8}|\+[1-9][0-9]{6,14}", text):
        raise _wrong(f"{text!r} is not a number to send SMS to", "write one such as 22384 or +254711000001")
    return text


def _webhook_secret(secret: SecretStr) -> SecretStr:
    try:
        key_of(secret.get_secret_value() or FRESH_LOOKS_LIKE)
    except ValueError:
        raise _wrong(
            "this is not a secret to sign with", "write whsec_ and Base64, as python server.py keys webhook prints it"
        ) from None
    return secret


def _department(code: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", code):
        raise _wrong(
            f"{code[:40]!r} is not the code of a department", "write one such as dncc: its file in the catalogue"
        )
    return code


def _phones(numbers: Mapping[str, Action]) -> Mapping[str, Action]:
    for number in numbers:
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
            raise _wrong(f"{number!r} is not a phone number", "write one such as +254711000001")
    return numbers


def _quiet(written: str) -> str:
    try:
        Quiet.read(written)
    except ValueError as wrong:
        raise _wrong(*str(wrong).split("; ", 1)) from None
    return written


def _network_or_country(key: str) -> str:
    return key if key.isdecimal() else _region(key)


def _some(listed: tuple[str, ...]) -> tuple[str, ...]:
    if not listed:
        raise _wrong("this list is empty", "name at least one")
    return listed


def _number(value: object) -> object:
    """A number as it was written; `true` would count as 1."""
    if isinstance(value, bool):
        raise _wrong("this is not a number", "write one such as 300")
    return value


def _switch(value: object) -> object:
    known = {"auto": "auto", "true": True, "false": False}
    if str(value).casefold() not in known:
        raise _wrong("this is neither auto nor true nor false", 'write "auto", true or false')
    return known[str(value).casefold()]


Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Seconds = Annotated[Number, Field(gt=0, le=60)]
Ttl = Annotated[Whole, Field(ge=1, le=86_400)]
Septets = Annotated[Whole, Field(ge=40, le=182)]
Units = Annotated[Whole, Field(ge=40, le=80)]
Address = Annotated[str, AfterValidator(_address)]
Country = Annotated[str, AfterValidator(_region)]
Http = Annotated[str, AfterValidator(_http)]
SmsCode = Annotated[str, AfterValidator(_sms_code)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
EmailAddress = Annotated[str, AfterValidator(_email)]
QuietHours = Annotated[str, AfterValidator(_quiet)]
Whose = Annotated[str, AfterValidator(_network_or_country)]
ServiceCode = Annotated[str, AfterValidator(_code)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
Host = Annotated[str, AfterValidator(_host)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
DepartmentCode = Annotated[str, AfterValidator(_department)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Switch = Annotated[bool | Literal["auto"], BeforeValidator(_switch)]
Some = AfterValidator(_some)
"""Of a list: it is not empty."""
ByCountry = AfterValidator(_regions)
"""Of a table: its keys are countries."""
ByPhone = AfterValidator(_phones)
"""Of a table: its keys are phone numbers."""
