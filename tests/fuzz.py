"""Throws what nobody would write at everything that reads what anybody may send, and says how much of it was tried.

    python -m tests.fuzz --seconds 60 [--seed N]

The suite does the same for a few seconds from one seed. What fails is printed with its seed and input, and exits with 1.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic, thread_time
from typing import Any, NamedTuple, NoReturn, Protocol, TypeAlias
from unicodedata import normalize
from urllib.parse import urlencode

import regex
import smsutil
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader

from callbacks import MOST, BadCallback, form
from screens.alphabet import BASIC, EXTENSION, septets, units
from screens.pages import Budget
from sms.callback import arrived_of
from sms.keywords import Asked, Meant, prepare, understood
from sms.keywords.vocabulary import NAMES, known
from sms.providers.africastalking import read_optout, read_report
from sms.segments import counted, folded, parts
from tests.sms.misspelt import LATER_MISSPELT, LATER_ORDINARY, MISSPELT, ORDINARY
from ussd.callback import Line, call_of, ended_of
from voice.callback import ring_of

SLOWEST = 0.25  # seconds of processor time that one input may take; the longest SMS takes a hundredth of it
SHOWN = 300  # characters of an input that failed; the seed and its number make all of it again
LONGEST = 4000  # characters of a text; most are far shorter

Input: TypeAlias = str | bytes


class Check(Protocol):
    """Fails with an AssertionError, or with whatever the code that is tried raises."""

    async def __call__(self, made: Any, /) -> None:
        """Try one input."""


class Target(NamedTuple):
    """Something that reads what others wrote: how inputs for it are made, and what must be true of each."""

    make: Callable[[Random], Input]
    check: Check


class Tried(NamedTuple):
    """How many inputs were tried, and the processor seconds of the slowest."""

    inputs: int
    slowest: float


class Found(AssertionError):
    """An input that does what none may; the message has all that is needed to do it again."""


# Inputs --------------------------------------------------------------------------------------------------------------

prepare()  # so that no input's time has it
WORDS = [
    *(word.written for word in known().words.values()),
    *(word.written for word in known().languages.values()),
    *(*MISSPELT, *ORDINARY, *LATER_MISSPELT, *LATER_ORDINARY),
    *("1234 5678 9012", "১২৩৪৫৬৭৮৯০১২", "१२३४ ५६७८ ९०१२", "O", "l23", "+8801700000001", "12:30", "😀", "👍🏽", "👨\u200d👩\u200d👧", "🇧🇩"),
]  # fmt: skip
ODD = [
    *("\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066", "\ufeff", "\u00ad", "\ufe0f", "\u20e3", "\ufffd", "\x00", "\x1b"),
    *("\u0301", "\u093c", "\u09bc", "\u09cd", "\u094d", "\u09be", "\u093f", "\u1100", "\u1161", "\u0e33", "\U000e0020", "\ud83d", "\ude00"),
    *("’", "“", "—", "…", "\u00a0", "«", "»", "₹", "৳", "ç", "é", "€", "[", "~", "\\", "\f", "\r\n", "\n", "\u2028", "\t", "#", "+", "*"),
    *("İ", "ß", "ﬁ", "①", "½", "٣", "𝟗", "Ａ", "ব\u09bc", "অা", "एे"),
]  # fmt: skip


def text_of(random: Random) -> str:
    """Words of ours and others', with blanks or none, then spoilt a little, and now and then very long."""
    said = random.choice(("", " ", " ", "\n", "#", "-")).join(random.choices(WORDS, k=random.randint(0, 6)))
    for _ in range(random.choice((0, 0, 1, 2, 5))):
        said = random.choice(SPOILS)(said, random)[:LONGEST]
    return said


def gsm_of(random: Random) -> str:
    """What GSM-7 holds, about as long as a boundary between segments lies far."""
    return "".join(random.choices(BASIC + EXTENSION * 4, k=random.choice((5, 150, 153, 160, 161, 306, 307, 700))))


def long_of(random: Random) -> str:
    """A text of any kind, repeated until it takes several segments."""
    made = random.choice((text_of, gsm_of))(random)
    return (made * random.randint(1, 4))[: LONGEST // 2]


def _inserted(said: str, random: Random) -> str:
    at = random.randint(0, len(said))
    new = random.choice(ODD) if random.random() < 0.7 else chr(random.randrange(0x11_0000))
    return said[:at] + new * random.choice((1, 1, 1, 2, 60)) + said[at:]


def _cut(said: str, random: Random) -> str:
    first, last = sorted(random.choices(range(len(said) + 1), k=2))
    return said[:first] + said[last:]


def _swapped(said: str, random: Random) -> str:
    at = random.randint(0, len(said))
    return said[at:] + said[:at]


def _repeated(said: str, random: Random) -> str:
    return said * random.choice((2, 2, 3, 50))


def _in_case(said: str, random: Random) -> str:
    return random.choice((str.upper, str.swapcase, str.title))(said)


def _in_form(said: str, random: Random) -> str:
    return normalize(random.choice(("NFC", "NFD", "NFKC", "NFKD")), said)


SPOILS: Sequence[Callable[[str, Random], str]] = (_inserted, _inserted, _cut, _swapped, _repeated, _in_case, _in_form)

FORMS: Sequence[Mapping[str, str]] = (
    {"phoneNumber": "+254700000001", "serviceCode": "*384*70001#", "text": "1*2", "sessionId": "ATUid_01", "networkCode": "99999"},
    {"date": "2026-01-02 03:04:05", "sessionId": "ATUid_01", "status": "Incomplete", "durationInMillis": "19200", "hopsCount": "2", "errorMessage": ""},
    {"linkId": "", "text": "STATUS 1", "to": "22384", "id": "0f3c1d2e", "date": "2026-01-02 03:04:05", "from": "+254700000001"},
    {"id": "ATXid_01", "status": "Failed", "phoneNumber": "+254700000001", "networkCode": "63902", "failureReason": "DeliveryFailure", "retryCount": "0"},
    {"senderId": "EKDIAL", "phoneNumber": "+254700000001"},
    {"callSessionState": "Ringing", "direction": "Inbound", "callerNumber": "+254700000001", "sessionId": "ATVId_01", "destinationNumber": "+254711000000", "isActive": "1"},
)  # fmt: skip


def body_of(random: Random) -> bytes:
    """A callback's body: fields missing, strange, twice, of another callback; then octets changed, cut, or far too many."""
    fields = [pair for source in random.choices(FORMS, k=random.choice((1, 1, 2))) for pair in source.items()]
    random.shuffle(fields)
    spoilt = [(name, _value(value, random)) for name, value in fields if random.random() < 0.95]
    body = urlencode(spoilt, errors="surrogatepass").encode()
    if random.random() < 0.3:
        body = _octets(body, random)
    return body * random.choice((1,) * 30 + (3, 200))


def _value(value: str, random: Random) -> str:
    kind = random.random()
    if kind < 0.6:
        return value
    return text_of(random) if kind < 0.8 else random.choice(SPOILS)(value, random)


def _octets(body: bytes, random: Random) -> bytes:
    changed = bytearray(body)
    for _ in range(random.randint(1, 8)):
        at = random.randint(0, len(changed))
        changed[at : at + random.randint(0, 2)] = random.choice(
            (b"%", b"&", b"=", b"+", b"\xff", b"\x00", b"%FF", b"\r\n", b"")
        )
    return bytes(changed)


# Checks --------------------------------------------------------------------------------------------------------------


async def keyword(text: str) -> None:
    """An answer in a form of ours; a STOP with nothing of substance beside it; the same in another normalisation form."""
    answer = understood(text)
    assert named(understood(normalize("NFC", text))) == named(answer)
    if isinstance(answer, Meant):
        assert 0 < len(answer.names) == len(answer.words) == len(set(answer.names)) <= 3
    if isinstance(answer, Asked):
        assert answer.language in {"en", "bn", "hi"}
        assert answer.rest == answer.rest.strip()
        if answer.name == "stop":
            assert not answer.rest
            assert not regex.search(r"\p{Nd}", text[:200]), "a number beside it"
    assert set(named(answer)) <= set(NAMES)


def named(answer: Asked | Meant | None) -> tuple[str, ...]:
    """The keywords of an answer."""
    return answer.names if isinstance(answer, Meant) else (answer.name,) if answer else ()


async def segments(text: str) -> None:
    """The parts are the text, each fits, no grapheme is cut that a segment holds; another library's count is the least."""
    sent, cut, size = folded(text), parts(text), counted(text)
    cost = units if size.alphabet == "ucs2" else lambda part: septets(part) or 0
    assert "".join(cut) == sent
    assert len(cut) == size.segments
    assert all(0 < cost(part) <= size.per_segment for part in cut)
    assert not _begins(cut) & _inside(sent, lambda grapheme: cost(grapheme) <= size.per_segment)
    if sent and "\x1b" not in sent:
        assert len(smsutil.split(sent).parts) <= size.segments


def _begins(cut: Sequence[str]) -> set[int]:
    return {sum(map(len, cut[:place])) for place in range(1, len(cut))}


def _inside(text: str, whole: Callable[[str], bool]) -> set[int]:
    found = regex.finditer(r"\X", text)
    return {at for grapheme in found if whole(grapheme[0]) for at in range(grapheme.start() + 1, grapheme.end())}


async def callback(body: bytes) -> None:
    """A form or one line of refusal; and of a form, from every reader, what it says or one line of refusal."""
    fields = await _or_refused(form(_posted(body), within=1), {400, 413})
    assert (fields == 413) == (len(body) > MOST)
    if not isinstance(fields, int):
        for read in READERS:
            await _or_refused(_now(read, fields), {400})


async def _or_refused(reading: Awaitable[object], statuses: set[int]) -> Any:
    """What was read, or the status of a refusal in one plain line."""
    try:
        return await reading
    except BadCallback as bad:
        plain = bad.line.isprintable() and len(bad.line) < 120
        return bad.status if plain and bad.status in statuses else _fail(repr(bad.line))


def _fail(why: str) -> NoReturn:
    raise AssertionError(why)


async def _now(read: Callable[[Mapping[str, str]], object], fields: Mapping[str, str]) -> object:
    return read(fields)


@dataclass(frozen=True, slots=True)
class Posted:
    """All that is looked at of a request; one of odd length does not say how long it is."""

    content: StreamReader
    content_length: int | None


def _posted(body: bytes) -> Any:
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), limit=2**30, loop=loop)  # it is never told to pause
    content.feed_data(body)
    content.feed_eof()
    return Posted(content, None if len(body) % 2 else len(body))


_LINE = Line(("*384*70001#", "*123#"), Budget(), {"63902": Budget(septets=182)})
READERS: Sequence[Callable[[Mapping[str, str]], object]] = (
    lambda fields: call_of(fields, "", _LINE),
    ended_of,
    lambda fields: arrived_of(fields, lambda _, value: str(len(value))),
    read_report,
    read_optout,
    ring_of,
)

TARGETS: Mapping[str, Target] = {
    "keywords": Target(text_of, keyword),
    "segments": Target(long_of, segments),
    "callbacks": Target(body_of, callback),
}


# Runs ----------------------------------------------------------------------------------------------------------------


async def tried(target: Target, seed: int, wanted: Callable[[int], bool]) -> Tried:
    """Inputs until no more are `wanted` of so many; `Found` with the first that fails."""
    slowest, number = 0.0, 0
    while wanted(number):
        made = target.make(Random(f"{seed}/{number}"))
        began = thread_time()
        try:
            await target.check(made)
        except Exception as error:
            raise Found(f"seed {seed}, input {number}: {made[:SHOWN]!r}: {type(error).__name__}: {error}") from error
        slowest, number = max(slowest, thread_time() - began), number + 1
    if slowest > SLOWEST:
        raise Found(f"seed {seed}: an input took {slowest:.3f} s")
    return Tried(number, slowest)


def for_seconds(seconds: float) -> Callable[[int], bool]:
    """Wants inputs for so long."""
    until = monotonic() + seconds
    return lambda _: monotonic() < until


async def run(seconds: float, seed: int) -> Iterator[str]:
    """A line a target, each of which gets its share of the time."""
    share = seconds / len(TARGETS)
    results = [(name, await tried(target, seed, for_seconds(share))) for name, target in TARGETS.items()]
    return (f"{name}: {did.inputs:,} inputs, the slowest {did.slowest * 1000:.1f} ms" for name, did in results)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Try what nobody would write.")
    parser.add_argument("--seconds", type=float, default=60, help="for all together (default: 60)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the inputs (default: a new one)")
    given = parser.parse_args(arguments)
    sys.stdout.write(f"seed {given.seed}\n")
    try:
        sys.stdout.writelines(f"{line}\n" for line in asyncio.run(run(given.seconds, given.seed)))
    except Found as found:
        sys.stdout.write(f"{found}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
