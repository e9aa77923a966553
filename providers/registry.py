"""Every provider: one row each. To add one, see docs/how-to/add-a-provider.md."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from config.settings import ProviderSection, Settings
from core.errors import CommandError, KeyPath, Problem
from providers import africastalking, json_http, sandbox, smpp, tap
from providers.entry import ProviderEntry

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from services.citizens.number_checks import SimSwapProvider
    from sms.provider import SmsProvider

PROVIDERS: Final[Mapping[str, ProviderEntry]] = {
    entry.name: entry
    for entry in (
        africastalking.ENTRY,
        json_http.ENTRY,
        sandbox.ENTRY,
        smpp.ENTRY,
        tap.ENTRY,
    )
}

_FAMILIES: Final = frozenset(name for name, entry in PROVIDERS.items() if entry.list_members)

SETTINGS_MODELS: Final[tuple[type[ProviderSection], ...]] = tuple(
    entry.settings for entry in PROVIDERS.values() if entry.settings
)


def list_providers(settings: Settings) -> Sequence[ProviderEntry]:
    """Every provider. In place of a family there are those of its providers that are in use.

    Raises:
        CommandError: two providers have one name, or the row of a provider in use is not valid.
    """
    found = [member for entry in PROVIDERS.values() for member in _list_members(entry, settings)]
    names = Counter(entry.name for entry in found)
    if twice := [name for name, count in names.items() if count > 1 or (count and name in _FAMILIES)]:
        raise CommandError(f"providers: the name {twice[0]} is that of another provider; give the row another name")
    return found


def _list_members(entry: ProviderEntry, settings: Settings) -> Sequence[ProviderEntry]:
    return [entry] if entry.list_members is None else entry.list_members(settings)


def providers_in_use(settings: Settings) -> list[ProviderEntry]:
    """The providers whose webhooks are served: an account that nobody has set up has none, and gets no routes."""
    return [
        entry
        for entry in list_providers(settings)
        if entry.settings is None or settings.provider_section(entry.settings).is_in_use(settings)
    ]


@asynccontextmanager
async def open_sms_providers(settings: Settings) -> AsyncIterator["Mapping[str, SmsProvider]"]:
    """The providers by name that `sms.provider` and the routes name, open inside the context.

    Without those whose messages a process of their own sends.

    Raises:
        CommandError: one of them sends no SMS.
    """
    entries = [entry for entry in sms_entries(settings) if not entry.sends_in_own_process]
    async with AsyncExitStack() as stack:
        yield {entry.name: await stack.enter_async_context(_open_sms(entry, settings)) for entry in entries}


def sms_entries(settings: Settings) -> list[ProviderEntry]:
    """The entries of all providers that may send SMS, the default one first."""
    providers = {entry.name: entry for entry in list_providers(settings)}
    return [providers[name] for name in settings.sms.providers]


def find_providers_without_sms(settings: Settings) -> Iterator[Problem]:
    """Yield each setting that wants SMS to be sent by a provider that sends none."""
    senders = {entry.name for entry in list_providers(settings) if entry.sends_sms}
    for key_path, name in _name_senders(settings):
        if name not in senders:
            yield settings.problem_at(key_path, f"{name} sends no SMS", f"write {' or '.join(sorted(senders))}")


def find_providers_without_ussd(settings: Settings) -> Iterator[Problem]:
    """Yield each code of `[[ussd.codes]]` that is said to be dialled at a provider without USSD."""
    entries = {entry.name: entry for entry in list_providers(settings)}
    with_ussd = sorted(name for name, entry in entries.items() if entry.build_ussd or entry.sends_in_own_process)
    for number, code in enumerate(settings.ussd.codes):
        for place, name in enumerate(code.providers):
            if name not in with_ussd:
                key_path = ("ussd", "codes", str(number), "providers", str(place))
                yield settings.problem_at(key_path, f"nobody dials at {name}", f"write {' or '.join(with_ussd)}")


def _name_senders(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    yield ("sms", "provider"), settings.sms.provider
    for number, route in enumerate(settings.sms.routes):
        yield ("sms", "routes", str(number), "provider"), route.provider
        if route.fallback:
            yield ("sms", "routes", str(number), "fallback"), route.fallback


def _open_sms(entry: ProviderEntry, settings: Settings) -> "AbstractAsyncContextManager[SmsProvider]":
    if entry.open_sms is None:
        raise CommandError(f"{entry.name} sends no SMS; name another provider in sms.provider and sms.routes")
    return entry.open_sms(settings)


@asynccontextmanager
async def open_sim_swap_provider(settings: Settings) -> AsyncIterator["SimSwapProvider | None"]:
    """The first provider whose settings ask for checks of SIM swaps, open inside the context; None where none does."""
    for entry in PROVIDERS.values():
        if entry.open_sim_swap:
            async with entry.open_sim_swap(settings) as provider:
                if provider is not None:
                    yield provider
                    return
    yield None
