"""Parse IP addresses and networks, and compare them."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network


def parse_network(text: str) -> IpNetwork:
    """The network; an address is a network of one.

    Raises:
        ValueError: The text is neither an IP address nor a network.
    """
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address or network; write 203.0.113.7 or 203.0.113.0/24") from None


@lru_cache(maxsize=1024)
def parse_address(text: str) -> IpAddress | None:
    """The address, an IPv4 address for one that is mapped into IPv6; None for any other text."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_in_any(address: IpAddress, networks: tuple[IpNetwork, ...]) -> bool:
    """Whether one of the networks contains the address."""
    return any(address in network for network in networks)
