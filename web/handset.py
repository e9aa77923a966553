"""Which handset follows a link, and whether it is a person's at all: from what the browser says of itself."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from ua_parser import parse

Handset: TypeAlias = Literal["kaios", "android", "ios", "apple", "other"]
"""`apple` is a Mac, or an iPad that says it is one: nothing that it sends tells them apart."""

HANDSETS: Final[tuple[Handset, ...]] = get_args(Handset)
LONGEST: Final = 512  # characters that are looked at; those of real browsers have some two hundred

# Client hints, where they are that plain, are asked first: a browser's long name is full of others' names.
PLATFORMS: Final[Mapping[str, Handset]] = {"Android": "android", "iOS": "ios"}
SYSTEMS: Final[Mapping[str, Handset]] = {"KaiOS": "kaios", "Android": "android", "iOS": "ios"}
# Opera Mini's servers fetch pages for the phone, and say in another header what the phone's own browser says.
SAID_IN: Final = ("User-Agent", "X-OperaMini-Phone-UA", "Device-Stock-UA")
AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
SAFARI: Final = "AppleWebKit/605"  # every Safari since 2017, on whatever it runs


def handset_of(headers: Mapping[str, str]) -> Handset:
    """What the request comes from; `other` is everything that no store has an app for."""
    hinted = PLATFORMS.get(headers.get("Sec-CH-UA-Platform", "").strip('"'), "other")
    said = (_said_by(headers.get(name, "")[:LONGEST]) for name in SAID_IN)
    return next((one for one in (hinted, *said) if one != "other"), "other")


def looks_only(headers: Mapping[str, str]) -> bool:
    """Whether nobody reads what is answered: a robot that makes a preview of a link, or a browser that fetches ahead."""
    if any("prefetch" in headers.get(name, "") or "preview" in headers.get(name, "") for name in AHEAD):
        return True
    said = headers.get("User-Agent", "")[:LONGEST]
    device = parse(said).device
    return "Preview" in said or (device is not None and device.family == "Spider")


def _said_by(browser: str) -> Handset:
    if "kaios" in browser.lower():  # Opera Mini on KaiOS, which the tables do not know
        return "kaios"
    system = parse(browser).os
    family = system.family if system else ""
    if family == "Mac OS X" and SAFARI in browser and "Chrome/" not in browser:
        return "ios" if "Mobile/" in browser or "iOS/" in browser else "apple"  # CriOS, FxiOS and so on
    return SYSTEMS.get(family, "other")
