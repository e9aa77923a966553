"""Parse IP addresses and networks, and compare them."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network

IPV6_HOST_BITS: Final = 64  # the last bits of an IPv6 address, which one home or handset chooses itself
_PORT: Final = r"(?::[0-9]{1,5})?"
_match_hop: Final = re.compile(
    rf"""(?P<quote>"?)(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]{_PORT}|(?P<v4>[0-9.]+){_PORT}|(?P<v6>[0-9A-Fa-f:.]+))(?P=quote)"""
).fullmatch


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


@lru_cache(maxsize=1024)
def parse_hop(text: str) -> IpAddress | None:
    """The address in an entry of X-Forwarded-For; None for any other text.

    Proxies also write `203.0.113.7:40312`, `[2001:db8::7]`, `[2001:db8::7]:40312`, and each of them in quotes.
    """
    match = _match_hop(text.strip())
    return parse_address(match["bracketed"] or match["v4"] or match["v6"]) if match else None


def describe_network(address: IpAddress) -> str:
    """The network whose addresses one client may choose from: an IPv4 address, or the /64 network of an IPv6 address."""
    return str(address) if isinstance(address, IPv4Address) else f"{int(address) >> IPV6_HOST_BITS:x}::/64"


def is_in_any(address: IpAddress, networks: tuple[IpNetwork, ...]) -> bool:
    """Whether one of the networks contains the address."""
    return any(address in network for network in networks)
