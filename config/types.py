"""The types of settings. Each has a check whose message is one line *problem; fix*."""

import ipaddress
import json
import re
import zoneinfo
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from config.value_files import strip_invisible, strip_texts
from core.http.origins import is_loopback_host
from core.http.signatures import parse_secret
from core.http.sns import is_topic
from core.phone_numbers import is_country
from core.quiet_hours import QuietPeriod

MEMORY_URL = "memory://"
MIN_SECRET_LENGTH = 32
MIN_DISTINCT_CHARACTERS = 6
"""Of a random secret, even of 32 decimal digits, practically every one has more."""
EXAMPLE_WEBHOOK_SECRET = "whsec_" + "A" * 32

MissedCallAction = Literal["download_link", "latest_status", "call_back_menu"]


def _error(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("plain", "{problem}; {fix}", {"problem": problem, "fix": fix})


def _check_ip_network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise _error(
            f"{text!r} is not an IP address or network", "write one such as 192.0.2.7 or 192.0.2.0/24"
        ) from None
    return text


def _check_country(code: str) -> str:
    if not is_country(code):
        raise _error(f"{code!r} is not a country", "write its two letters, such as BD")
    return code


def _check_countries(by_country: Mapping[str, object]) -> Mapping[str, object]:
    for country in by_country:
        _check_country(country)
    return by_country


def _check_time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise _error(f"{name!r} is not a time zone", "write one such as Asia/Dhaka") from None
    return name


def find_weakness(secret: str) -> tuple[str, str] | None:
    """Return what is wrong with a secret or token, and what would be right; None where it is long and varied enough."""
    fix = f"give {MIN_SECRET_LENGTH} random characters or more: python server.py keys generate-secret prints them"
    if len(secret) < MIN_SECRET_LENGTH:
        return "it is too short", fix
    if len(set(secret)) < MIN_DISTINCT_CHARACTERS:
        return "it repeats a few characters and can be guessed", fix
    return None


def _check_public_url(url: str) -> str:
    if url and not (url.startswith(("http://", "https://")) and _parse_host(url)):
        raise _error(f"{url!r} is not an address", "write one that begins with https://")
    return url


def _check_http_url(url: str) -> str:
    if _check_public_url(url).startswith("http://") and not is_loopback_host(_parse_host(url)):
        raise _error(
            "secrets and the data of citizens would be sent without encryption",
            "write an address that begins with https://",
        )
    return url


def _parse_host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _check_redis_url(url: SecretStr) -> SecretStr:
    if not _is_redis_url(url.get_secret_value()):
        raise _error(
            "this is not the address of a Redis",
            "write memory://, redis://host:6379/0, rediss://host:6379/0 or unix:///path",
        )
    return url


def _is_redis_url(url: str) -> bool:
    if url == MEMORY_URL:
        return True
    from redis.asyncio import ConnectionPool

    try:
        ConnectionPool.from_url(url).make_connection()  # type: ignore[no-untyped-call]  # it does not connect yet
        parts = urlsplit(url)
    except (TypeError, ValueError):  # the library says what is wrong, with the password in it
        return False
    return bool(parts.hostname or (parts.scheme == "unix" and parts.path))


def _check_database_url(url: SecretStr) -> SecretStr:
    if not re.match(r"sqlite\+aiosqlite:///(?!$|\?|:memory:)|postgresql\+asyncpg://.", url.get_secret_value()):
        raise _error(
            "this is not the address of a database",
            "write sqlite+aiosqlite:///file or postgresql+asyncpg://user:password@host/name",
        )
    return url


def _check_topic(text: str) -> str:
    if not is_topic(text):
        raise _error(
            f"{text!r} is not the ARN of a topic", "write one such as arn:aws:sns:ap-southeast-1:354285753755:name"
        )
    return text


def _check_service_code(text: str) -> str:
    if not re.fullmatch(r"\*[0-9]+(\*[0-9]+)*#", text):
        raise _error(f"{text!r} is not a short code", "write one such as *123#")
    return text


def _check_hostname(name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", name):
        raise _error(f"{name[:40]!r} is not the name of a machine", "write one such as smtp.example.org")
    return name


def _check_mailbox(text: str) -> str:
    _, address = parseaddr(text)
    if text and not (address.isascii() and re.fullmatch(r"[^\s@]+@[^\s@]+", address)):
        raise _error(f"{text!r} is not an address that mail can come from", 'write "Ekdial <no-reply@example.org>"')
    return text


def _check_email(text: str) -> str:
    if text and not (text.isascii() and re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@.]+", text)):
        raise _error(f"{text!r} is not an e-mail address", 'write one such as "feedback@example.org"')
    return text


def _check_sms_number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{3,8}|\+[1-9][0-9]{6,14}", text):
        raise _error(f"{text!r} is not a number to send SMS to", "write one such as 22384 or +254711000001")
    return text


def _check_webhook_secret(secret: SecretStr) -> SecretStr:
    try:
        parse_secret(secret.get_secret_value() or EXAMPLE_WEBHOOK_SECRET)
    except ValueError:
        raise _error(
            "this is not a secret to sign with",
            "write whsec_ and Base64, as python server.py keys generate-webhook-secret prints it",
        ) from None
    return secret


def _check_webhook_token(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().strip():
        raise _error("this token is empty", "write a long secret of your own, or take it out")
    return token


def _split_tokens(value: object) -> object:
    """The tokens of a stripped text: JSON, or one token a line as in a file that holds a secret."""
    if not isinstance(value, str):
        return value
    if not value.startswith("["):
        return [strip_invisible(line) for line in value.splitlines()]
    try:
        return strip_texts(json.loads(value))
    except ValueError:
        error = _error("this is not JSON", 'write one token a line, or a list such as ["token"]')
        raise error from None


def _check_department_code(code: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", code):
        raise _error(
            f"{code[:40]!r} is not the code of a department", "write one such as dncc: its file in the catalogue"
        )
    return code


def _check_number_prefix(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{1,9}", text):
        raise _error(f"{text[:16]!r} is not how a number begins", "write one such as +88018")
    return text


def _check_msisdns(by_msisdn: Mapping[str, MissedCallAction]) -> Mapping[str, MissedCallAction]:
    for number in by_msisdn:
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
            raise _error(f"{number!r} is not a phone number", "write one such as +254711000001")
    return by_msisdn


def _check_quiet_hours(text: str) -> str:
    try:
        QuietPeriod.parse(text)
    except ValueError as wrong:
        raise _error(*str(wrong).split("; ", 1)) from None
    return text


def _check_network_or_country(key: str) -> str:
    return key if key.isdecimal() else _check_country(key)


def _check_network(code: str) -> str:
    if not re.fullmatch(r"[0-9]{5,6}", code):
        raise _error(f"{code!r} is not the code of a network", "write its digits, such as 47002")
    return code


def _check_sms_sender(text: str) -> str:
    if text and not re.fullmatch(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ._&-]{1,10}", text):
        raise _error(
            f"{text[:40]!r} is not a sender of SMS", "write a number, or at most 11 letters and digits such as GOVBD"
        )
    return text


def _check_used_code(text: str) -> str:
    return _check_service_code(text) if text.startswith("*") else _check_sms_number(text)


def _check_not_empty(items: tuple[str, ...]) -> tuple[str, ...]:
    if not items:
        raise _error("this list is empty", "name at least one")
    return items


def _reject_boolean(value: object) -> object:
    if isinstance(value, bool):  # pydantic takes true as 1
        raise _error("this is not a number", "write one such as 300")
    return value


def _parse_auto_bool(value: object) -> object:
    known = {"auto": "auto", "true": True, "false": False}
    if str(value).casefold() not in known:
        raise _error("this is neither auto nor true nor false", 'write "auto", true or false')
    return known[str(value).casefold()]


StrictInt = Annotated[int, BeforeValidator(_reject_boolean)]
StrictFloat = Annotated[float, BeforeValidator(_reject_boolean), Field(allow_inf_nan=False)]
Seconds = Annotated[StrictFloat, Field(gt=0, le=60)]
TtlSeconds = Annotated[StrictInt, Field(ge=1, le=86_400)]
Septets = Annotated[StrictInt, Field(ge=40, le=182)]
Utf16Units = Annotated[StrictInt, Field(ge=40, le=80)]
IpNetwork = Annotated[str, AfterValidator(_check_ip_network)]
SnsTopicArn = Annotated[str, AfterValidator(_check_topic)]
CountryCode = Annotated[str, AfterValidator(_check_country)]
HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
"""The address of a system that the gateway talks to; http:// on this machine only."""
PublicUrl = Annotated[str, AfterValidator(_check_public_url)]
"""The address by which others reach the gateway. `contradictions` refuses http://, with all faults of a public gateway."""
SmsNumber = Annotated[str, AfterValidator(_check_sms_number)]
NumberPrefix = Annotated[str, AfterValidator(_check_number_prefix)]
Mailbox = Annotated[str, AfterValidator(_check_mailbox)]
EmailAddress = Annotated[str, AfterValidator(_check_email)]
QuietHours = Annotated[str, AfterValidator(_check_quiet_hours)]
NetworkCode = Annotated[str, AfterValidator(_check_network)]
SmsSender = Annotated[str, AfterValidator(_check_sms_sender)]
UsedCode = Annotated[str, AfterValidator(_check_used_code)]
"""A USSD code that people dial, or a number that they send SMS to."""
NetworkOrCountry = Annotated[str, AfterValidator(_check_network_or_country)]
ServiceCode = Annotated[str, AfterValidator(_check_service_code)]
RedisUrl = Annotated[SecretStr, AfterValidator(_check_redis_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
Hostname = Annotated[str, AfterValidator(_check_hostname)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_check_webhook_secret)]
WebhookToken = Annotated[SecretStr, AfterValidator(_check_webhook_token)]
WebhookTokens = Annotated[tuple[WebhookToken, ...], NoDecode, BeforeValidator(_split_tokens)]
FormerSecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_tokens)]
DepartmentCode = Annotated[str, AfterValidator(_check_department_code)]
TimeZone = Annotated[str, AfterValidator(_check_time_zone)]
AutoBool = Annotated[bool | Literal["auto"], BeforeValidator(_parse_auto_bool)]
NonEmpty = AfterValidator(_check_not_empty)
"""Check of a list that must not be empty."""
KeyedByCountry = AfterValidator(_check_countries)
"""Check of a table whose keys must be countries."""
KeyedByMsisdn = AfterValidator(_check_msisdns)
"""Check of a table whose keys must be phone numbers."""
