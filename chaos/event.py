"""What an event is: one row of the report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chaos.stage import Stage

Act = Callable[[Stage, float], None]


@dataclass(frozen=True, kw_only=True)
class Event:
    """`act` does harm to a stage for so many seconds and undoes it; it returns when the harm is over.

    `rate` multiplies the rate of the run; `times_capacity` brings so many callers more for the same seconds, as
    a multiple of what the gateways answer at most, which is measured first. `hides_language`: the language of a registered
    caller cannot be looked up, so that the first screen may ask for it. `settings` are those of the gateways, as names of environment variables. `store` is `single` or `cluster`. With `moves_clock` the first gateway
    has a clock of its own.
    """

    title: str
    promise: str
    act: Act
    seconds: float = 6.0
    rate: float = 1.0
    times_capacity: float = 0.0
    delivery: str = "once"
    slow_redis: bool = False
    nginx: bool = False
    store: str = "single"
    moves_clock: bool = False
    hides_language: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> object:
        """What the gateways must be started with; events of equal needs share them."""
        return self.slow_redis, self.nginx, self.store, self.moves_clock, tuple(sorted(self.settings.items()))
