"""The session that callers play: four USSD requests and their expected replies."""

from collections.abc import Iterator, Sequence
from itertools import count, cycle
from random import getrandbits, randrange
from typing import NamedTuple, TypeAlias

USSD_ROUTE = "/ussd/africastalking"

HELLO_REPLY = "CON Hello"
LANGUAGE_SCREEN = """\
CON Ekdial: public services
1 English
2 Bangla
3 Hindi"""
MAIN_SCREEN = """\
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
NUMBER_SCREEN = """\
CON Type the 12-digit tracking number
1 My applications
0 Back"""

Script: TypeAlias = Sequence[tuple[str, str]]
"""Everything typed so far in each request, and the expected reply."""


class Exchange(NamedTuple):
    """The body of a request, and the body of the expected reply."""

    request_body: bytes
    expected_reply: bytes


def tracking_script(tracking_number: str, screen: str) -> Script:
    """Return the script of a first call: choose English, enter the tracking number, see `screen`."""
    return ("", LANGUAGE_SCREEN), ("1", MAIN_SCREEN), ("1*2", NUMBER_SCREEN), (f"1*2*{tracking_number}", screen)


def hello_script() -> Script:
    """Return the same inputs with the reply of the bare handler."""
    return [(text, HELLO_REPLY) for text, _ in tracking_script("123456789012", "")]


def build_sessions(callers: Iterator[str], scripts: Sequence[Script]) -> Iterator[Sequence[Exchange]]:
    """Yield endless sessions, each script in turn, each with a new caller and session id."""
    for caller, script in zip(callers, cycle(scripts), strict=False):
        session = f"ATUid_{getrandbits(128):032x}"  # nosec B311 # ids of a benchmark
        yield [Exchange(_build_form(caller, text, session), answer.encode()) for text, answer in script]


def generate_msisdns() -> Iterator[str]:
    """Yield different numbers of Bangladesh in E.164 format from a random start."""
    return (f"+88017{number:08}" for number in count(randrange(10**7)))  # nosec B311 # numbers of a benchmark


def _build_form(msisdn: str, text: str, session: str) -> bytes:
    """The form with its fields in the order of the provider."""
    number, typed = msisdn.replace("+", "%2B"), text.replace("*", "%2A")
    form = f"phoneNumber={number}&serviceCode=%2A123%23&text={typed}&sessionId={session}&networkCode=99999"
    return form.encode()
