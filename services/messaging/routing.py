"""Which provider carries an SMS: the first route that fits it, else the default provider.

The provider is chosen when a message is queued, and stored, so that each provider's outbox claims its own rows by an index.
The sender and the fallback are read from the routes when the message is claimed or moved: a sender that an operator does not
accept, or a fallback that was missing, can be mended in config.toml for the messages that wait already.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from core.phone_numbers import find_country
from services.messaging.kinds import MessageKind


@dataclass(frozen=True, slots=True)
class SmsFacts:
    """What a route can ask of an SMS.

    `network` is the code of the recipient's network, such as `47002`, and empty where it is not known. `used_code` is the short
    code that the recipient dialled or wrote to, and empty where the SMS answers nobody.
    """

    msisdn: str = field(repr=False)
    kind: MessageKind
    network: str = ""
    used_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A provider, and the SMS that it carries: an empty set stands for all of them.

    `fallback` carries them while the provider is suspended; empty: they wait. `sender` and `fallback_sender` are the short
    codes or names that they come from; empty: the provider's own. `is_one_way`: no reply to them reaches us.
    """

    provider: str
    fallback: str = ""
    sender: str = ""
    fallback_sender: str = ""
    is_one_way: bool = False
    countries: AbstractSet[str] = frozenset()
    networks: AbstractSet[str] = frozenset()
    kinds: AbstractSet[str] = frozenset()
    used_codes: AbstractSet[str] = frozenset()

    def carries(self, sms: SmsFacts) -> bool:
        """Return whether this route fits an SMS. A number whose network is not known fits no route by network."""
        return (
            (not self.kinds or sms.kind in self.kinds)
            and (not self.used_codes or sms.used_code in self.used_codes)
            and (not self.networks or sms.network in self.networks)
            and (not self.countries or find_country(sms.msisdn) in self.countries)
        )

    def uses(self, provider: str) -> bool:
        """Return whether this route sends by a provider, first or as its fallback."""
        return provider in (self.provider, self.fallback)


@dataclass(frozen=True)
class SmsRoutes:
    """The routes in the order of the settings, and the one for all other SMS."""

    default: Route
    routes: tuple[Route, ...] = ()

    @cached_property
    def providers(self) -> tuple[str, ...]:
        """Every provider that may send, the default one first."""
        named = (name for route in self._all for name in (route.provider, route.fallback) if name)
        return tuple(dict.fromkeys((self.default.provider, *named)))

    @cached_property
    def ask_network(self) -> bool:
        """Whether a route depends on the network of the recipient."""
        return any(route.networks for route in self.routes)

    @cached_property
    def names_senders(self) -> bool:
        """Whether a route names the sender of its messages."""
        return any(route.sender or route.fallback_sender for route in self._all)

    def choose(self, sms: SmsFacts) -> Route:
        """Return the first route that fits."""
        return next(route for route in self._all if route.carries(sms))

    def find_sender(self, provider: str, sms: SmsFacts) -> str:
        """Return the sender of an SMS that this provider sends; empty where no route for it names one."""
        fitting = (route for route in self._all if route.carries(sms) and route.uses(provider))
        route = next(fitting, None)
        if route is None:
            return ""
        return route.sender if route.provider == provider else route.fallback_sender

    def find_fallback(self, provider: str, sms: SmsFacts) -> str:
        """Return the provider that carries an SMS while `provider` is suspended; empty where it waits.

        What has been moved already is on another provider than its route's first, and has none.
        """
        route = self.choose(sms)
        return route.fallback if route.provider == provider else ""

    def has_fallback(self, provider: str) -> bool:
        """Return whether any SMS of this provider can be moved."""
        return any(route.provider == provider and route.fallback for route in self._all)

    @cached_property
    def _all(self) -> tuple[Route, ...]:
        return (*self.routes, self.default)
