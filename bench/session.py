"""The session that is played: what its four hops send, and what each of them must be answered."""

from collections.abc import Iterator, Sequence
from itertools import count, cycle
from random import getrandbits, randrange
from typing import NamedTuple, TypeAlias

ROUTE = "/ussd/africastalking"

HELLO = "CON Hello"
LANGUAGES = """\
CON Ekdial: public services
1 English
2 Bangla
3 Hindi"""
MAIN = """\
CON Ekdial
1 Find a service
2 Track application
3 Documents
4 Complain or suggest
5 My account
6 Get the app
7 Help
8 Language
9 Pay a bill"""
ASK_NUMBER = """\
CON Type the 12-digit tracking number
1 My applications
0 Back"""

Script: TypeAlias = Sequence[tuple[str, str]]
"""What has been typed by each hop, and its right answer."""


class Hop(NamedTuple):
    """A callback's body, and the body of its right answer."""

    asks: bytes
    right: bytes


def followed(number: str, screen: str) -> Script:
    """A first-time caller chooses English and asks for a tracking number, whose status this screen tells."""
    return ("", LANGUAGES), ("1", MAIN), ("1*2", ASK_NUMBER), (f"1*2*{number}", screen)


def greeted() -> Script:
    """The same key presses, and hello to each of them."""
    return [(text, HELLO) for text, _ in followed("123456789012", "")]


def sessions(callers: Iterator[str], scripts: Sequence[Script]) -> Iterator[Sequence[Hop]]:
    """Sessions without end, each script in turn, each time by another caller under another id of the provider's."""
    for caller, script in zip(callers, cycle(scripts), strict=False):
        session = f"ATUid_{getrandbits(128):032x}"
        yield [Hop(_form(caller, text, session), answer.encode()) for text, answer in script]


def callers() -> Iterator[str]:
    """Numbers of Bangladesh in E.164 form, beginning anywhere, no two alike."""
    return (f"+88017{number:08}" for number in count(randrange(10**7)))


def _form(caller: str, text: str, session: str) -> bytes:
    """The fields in the order in which the provider sends them."""
    number, typed = caller.replace("+", "%2B"), text.replace("*", "%2A")
    form = f"phoneNumber={number}&serviceCode=%2A123%23&text={typed}&sessionId={session}&networkCode=99999"
    return form.encode()
