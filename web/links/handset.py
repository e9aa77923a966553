"""Detects the handset of a request, and whether it is a robot, from the headers."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from ua_parser import parse

Handset: TypeAlias = Literal["kaios", "android", "ios", "apple", "other"]
"""`apple` is a Mac or an iPad: an iPad sends the same headers as a Mac."""

HANDSETS: Final[tuple[Handset, ...]] = get_args(Handset)
MAX_USER_AGENT_LENGTH: Final = 512  # characters that are parsed; real browsers send about two hundred

# Client hints are read first: a User-Agent names other browsers too.
PLATFORM_HINTS: Final[Mapping[str, Handset]] = {"Android": "android", "iOS": "ios"}
OPERATING_SYSTEMS: Final[Mapping[str, Handset]] = {"KaiOS": "kaios", "Android": "android", "iOS": "ios"}
# Opera Mini fetches pages through its servers, which send the User-Agent of the phone in another header.
USER_AGENT_HEADERS: Final = ("User-Agent", "X-OperaMini-Phone-UA", "Device-Stock-UA")
PREFETCH_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
SAFARI_ENGINE: Final = "AppleWebKit/605"  # sent by every Safari since 2017


def detect_handset(headers: Mapping[str, str]) -> Handset:
    """The handset of a request; `other` is every one without an app store."""
    hinted = PLATFORM_HINTS.get(headers.get("Sec-CH-UA-Platform", "").strip('"'), "other")
    user_agents = (
        _handset_from_user_agent(headers.get(name, "")[:MAX_USER_AGENT_LENGTH]) for name in USER_AGENT_HEADERS
    )
    return next((one for one in (hinted, *user_agents) if one != "other"), "other")


def is_preview_request(headers: Mapping[str, str]) -> bool:
    """Whether no person reads the response: a robot that builds a preview, or a browser that prefetches."""
    if any("prefetch" in headers.get(name, "") or "preview" in headers.get(name, "") for name in PREFETCH_HEADERS):
        return True
    user_agents = headers.get("User-Agent", "")[:MAX_USER_AGENT_LENGTH]
    device = parse(user_agents).device
    return "Preview" in user_agents or (device is not None and device.family == "Spider")


def _handset_from_user_agent(user_agent: str) -> Handset:
    if "kaios" in user_agent.lower():  # Opera Mini on KaiOS, which ua-parser does not know
        return "kaios"
    system = parse(user_agent).os
    family = system.family if system else ""
    if family == "Mac OS X" and SAFARI_ENGINE in user_agent and "Chrome/" not in user_agent:
        return "ios" if "Mobile/" in user_agent or "iOS/" in user_agent else "apple"  # CriOS, FxiOS and so on
    return OPERATING_SYSTEMS.get(family, "other")
