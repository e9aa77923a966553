"""Find providers and routes of SMS that cannot be, or that can never be used."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from config.settings import Contradiction, Settings
from config.sms import SmsRoute
from core.errors import KeyPath

CONDITIONS: Final = ("countries", "networks", "kinds", "short_codes")
EMAIL_KINDS: Final = frozenset({"notice", "digest"})
"""Kinds of message that are e-mail only."""


def check_sms(settings: Settings, providers: Collection[str]) -> Iterator[Contradiction]:
    """Yield what is wrong with `[sms]`; `providers` are the names of all that exist."""
    yield from _check_name(("sms", "provider"), settings.sms.provider, providers)
    for number, route in enumerate(settings.sms.routes):
        key_path = ("sms", "routes", str(number))
        yield from _check_providers(key_path, route, providers)
        yield from _check_senders(key_path, route)
        yield from _check_conditions(key_path, settings, number)
    yield from _check_codes(("ussd", "codes"), [one.code for one in settings.ussd.codes])
    yield from _check_codes(("sms", "short_codes"), [one.code for one in settings.sms.short_codes])
    for name in settings.sms.limits:
        if name not in settings.sms.providers:
            yield ("sms", "limits", name), "no SMS is sent by it", "name it in a route, or leave it out"
    if settings.sms.leaves_this_machine and set(settings.sms.providers) <= set(providers):
        yield from _check_public_url(settings)


def _check_codes(key_path: KeyPath, codes: Sequence[str]) -> Iterator[Contradiction]:
    for number, code in enumerate(codes):
        if code in codes[:number]:
            fix = f"name all its {'providers' if code.startswith('*') else 'countries'} in one table"
            yield (*key_path, str(number), "code"), f"{code} is given twice", fix


def _check_public_url(settings: Settings) -> Iterator[Contradiction]:
    if not settings.server.public_url:
        yield (
            ("server", "public_url"),
            f"links in SMS would begin with {settings.server.url}, which no phone can open",
            "write the https:// address that leads here, or set sms.provider to sandbox",
        )


def _check_name(key_path: KeyPath, name: str, providers: Collection[str]) -> Iterator[Contradiction]:
    if name not in providers:
        names = " or ".join(map(repr, sorted(providers)))
        yield key_path, "this is not one of what it may be", f"write {names}"


def _check_providers(key_path: KeyPath, route: SmsRoute, providers: Collection[str]) -> Iterator[Contradiction]:
    yield from _check_name((*key_path, "provider"), route.provider, providers)
    if not route.fallback:
        return
    yield from _check_name((*key_path, "fallback"), route.fallback, providers)
    if route.fallback == route.provider:
        yield (
            (*key_path, "fallback"),
            "this is the provider itself, which is suspended then",
            "name another one, or leave it out",
        )


def _check_senders(key_path: KeyPath, route: SmsRoute) -> Iterator[Contradiction]:
    if route.fallback_sender and not route.fallback:
        yield (*key_path, "fallback_sender"), "there is no fallback", "name one, or leave it out"
    if route.receives_replies and is_sender_of_letters(route.sender):
        yield (
            (*key_path, "receives_replies"),
            "nobody can reply to a sender of letters",
            "write false, or the short code that takes the replies as sender",
        )


def is_sender_of_letters(sender: str) -> bool:
    """Return whether a sender is a name, to which no phone can reply."""
    return bool(sender) and not sender.removeprefix("+").isdecimal()


def _check_conditions(key_path: KeyPath, settings: Settings, number: int) -> Iterator[Contradiction]:
    """Yield why a route can never match."""
    route = settings.sms.routes[number]
    if route.kinds and set(route.kinds) <= EMAIL_KINDS:
        yield (*key_path, "kinds"), "these are sent by e-mail only", "name a kind that is sent by SMS"
    for place, code in enumerate(route.short_codes):
        if code not in (codes := settings.short_codes):
            problem, fix = f"{code} is not a code of ours", f"write {' or '.join(codes)}"
            yield (*key_path, "short_codes", str(place)), problem, fix
    if (earlier := _find_wider(settings.sms.routes[:number], route)) is not None:
        yield (
            key_path,
            f"route {earlier + 1} comes first and carries all of it",
            "put this one before that, or take it out",
        )


def _find_wider(earlier: Sequence[SmsRoute], route: SmsRoute) -> int | None:
    """Return the number, from 0, of the first route before this one that carries everything that it would."""
    return next((number for number, one in enumerate(earlier) if _includes(one, route)), None)


def _includes(wide: SmsRoute, narrow: SmsRoute) -> bool:
    return all(_includes_values(getattr(wide, name), getattr(narrow, name)) for name in CONDITIONS)


def _includes_values(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """An empty list stands for everything."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))
