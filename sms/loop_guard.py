"""Detect senders that are machines: two machines would answer each other without end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from core.phone_numbers import is_e164
from core.rate_limit import WindowCounter

WINDOW: Final = timedelta(minutes=10)
MAX_ANSWERS: Final = 30  # to one number in a window, without those to answers that a question took
MAX_ALL_ANSWERS: Final = 60  # to one number in a window; REG and the longest form with some mistakes take 40
MAX_PAUSE: Final = timedelta(hours=12)
MAX_SAME_TEXT: Final = 5  # times that one number gets the same text in a window, as in the Community Health Toolkit
DAY: Final = timedelta(days=1)

LoopReason: TypeAlias = Literal["echo", "too_many", "paused", "too_often"]
"""`too_many`: this SMS reached the limit. `paused`: an SMS before it did."""

Notice: TypeAlias = Literal["refused", "languages"]
"""What one number is told once a day: that its country is not served, or how to change the language."""


class LoopGuard:
    """Counts the replies to each number. The keys of the counters are keyed hashes."""

    def __init__(self, counter: WindowCounter, keyed_hash: Callable[[str, str], str]) -> None:
        """`keyed_hash` takes a purpose and a value; see `core.crypto.Cipher.keyed_hash`."""
        self._counter = counter
        self._keyed_hash = keyed_hash

    async def detect_loop(self, msisdn: str, text: str) -> LoopReason | None:
        """Why this text gets no reply: it repeats our own text, or the number got too many replies; None if it gets one."""
        if await self._counter.count(self._text_key(msisdn, text)):
            return "echo"
        if await self._counter.count(self._counter_key("pause", msisdn)):
            return "paused"
        answers, _ = await self._counter.increment(self._counter_key("answers", msisdn), WINDOW)
        if answers <= MAX_ANSWERS:
            return None
        taken = await self._counter.count(self._counter_key("taken", msisdn))
        return "too_many" if answers > min(MAX_ANSWERS + taken, MAX_ALL_ANSWERS) else None

    async def record_taken_answer(self, msisdn: str) -> None:
        """Count an answer that a question or a form took: a person who goes on, not a machine."""
        await self._counter.increment(self._counter_key("taken", msisdn), WINDOW)

    async def begin_pause(self, msisdn: str) -> timedelta | None:
        """Answer this number no more for a while; return for how long. None where the pause has begun before.

        The first pause of a day lasts a window, each later one twice as long as the one before: two machines that answer
        each other exchange ever fewer SMS.
        """
        if await self._counter.count(self._counter_key("pause", msisdn)):
            return None
        pauses, _ = await self._counter.increment(self._counter_key("pauses", msisdn), DAY)
        duration = min(WINDOW * 2 ** min(pauses - 1, 10), MAX_PAUSE)
        begun, _ = await self._counter.increment(self._counter_key("pause", msisdn), duration)
        return duration if begun == 1 else None

    async def is_repeated_too_often(self, msisdn: str, text: str) -> bool:
        """Count one reply with this text; whether the number got it more than MAX_SAME_TEXT times in a window."""
        times, _ = await self._counter.increment(self._text_key(msisdn, text), WINDOW)
        return times > MAX_SAME_TEXT

    async def is_first_today(self, msisdn: str, notice: Notice = "refused") -> bool:
        """Whether this method is called for the number and this notice for the first time in a day."""
        times, _ = await self._counter.increment(self._counter_key(notice, msisdn), DAY)
        return times == 1

    def _text_key(self, msisdn: str, text: str) -> str:
        return self._counter_key("said", f"{msisdn} {' '.join(text.split())}")

    def _counter_key(self, purpose: str, value: str) -> str:
        return f"ek:sms:{{{self._keyed_hash(f'sms {purpose}', value)}}}"


def is_answerable(sender: str) -> bool:
    """Whether the sender is a phone number, and not a short code or a name such as `MTN`."""
    return is_e164(sender)
