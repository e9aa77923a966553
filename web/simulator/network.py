"""A network of the simulator."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

NETWORK_NAMES: Final[Mapping[str, str]] = {
    "47001": "Grameenphone",
    "47002": "Robi",
    "47003": "Banglalink",
    "47004": "Teletalk",
    "63902": "Safaricom",
    "63903": "Airtel Kenya",
    "63907": "Telkom Kenya",
    "63999": "Equitel",
    "99998": "Sandbox, Unicode",
    "99999": "Sandbox",
}


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """A network of the simulator: its code, its name, and the screen size of its phones, prefix included.

    Without a name it has the usual name of its code, or the code. `replaced` are the members of `phone.json` that differ
    on this network: the paths of its webhooks, and the short code.
    """

    code: str
    name: str = ""
    unicode: bool = False
    septets: int = 160
    units: int = 70  # UTF-16 units, on a screen in UCS-2
    replaced: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The members of a network in `phone.json`."""
        members = asdict(self) | {"name": self.name or NETWORK_NAMES.get(self.code, self.code), **self.replaced}
        del members["replaced"]
        return members
