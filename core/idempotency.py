"""Idempotency keys: build them, read them, compare them.

A key names what causes an effect, so that a repeat causes it once. Two things cause effects:

* An input. Its key is `<session>:<position>`. In a USSD session the position is the number of characters of the path up to
  that input. An SMS, and a post of the KaiOS page, is a session of its own with one position.
* An intention: what a caller wants to do once, however often it is confirmed and in whichever session. Its key is
  `<session>:<position>+`, with the input that showed the screen where the intention began. The effect of a step adds the
  name of the step: `<session>:<position>+/send_complaint`.

An effect adds its own suffix: `<key>/email`.
"""

import json
import re
from collections.abc import Callable, Sequence
from hashlib import blake2s, sha256
from typing import Final, TypeAlias

from core.types import CHANNEL_KAIOS, CHANNEL_SMS, CHANNEL_USSD

IsPast: TypeAlias = Callable[[str], bool]
"""Whether the effect with this key precedes the current input: on a replayed path, later effects do not count yet."""

_SEPARATOR: Final = ":"
_INTENTION_MARK: Final = "+"
_match_position = re.compile(r"(\d+)(\+?)", re.ASCII).match


def build_step_key(session_id: str, position: int) -> str:
    """The key of the input at `position` in a session."""
    return f"{session_id}{_SEPARATOR}{position}"


def build_intention_key(session_id: str, position: int) -> str:
    """The key of the intention that begins after the input at `position`; after 0 characters at the start of a session."""
    return f"{build_step_key(session_id, position)}{_INTENTION_MARK}"


def next_intention_key(step_key: str) -> str:
    """The key of the intention that begins after the input with this key."""
    return step_key + _INTENTION_MARK


def build_effect_key(intention_key: str, step: str, subject: Sequence[object] = ()) -> str:
    """The key of what `step` does for an intention. Another `subject`, such as a tracking number, is another effect."""
    if not subject:
        return f"{intention_key}/{step}"
    return f"{intention_key}/{step}.{blake2s(json.dumps(subject).encode(), digest_size=6).hexdigest()}"


def is_intention_key(key: str) -> bool:
    """Whether an intention causes the effect with this key, rather than an input."""
    position = _match_position(_parse(key)[1])
    return position is not None and bool(position[2])


def build_request_key(kind: str, department: str, header: str) -> str:
    """The key of a department's API request about one kind of record, from its `Idempotency-Key` header."""
    return f"api:{kind}:{sha256(json.dumps([department, header]).encode()).hexdigest()}"


def session_of_key(key: str) -> str:
    """The session id in the key of a step."""
    return key.rpartition(_SEPARATOR)[0]


def session_prefix(key: str) -> str:
    """The prefix that the keys of all steps of the same session share."""
    return session_of_key(key) + _SEPARATOR


def channel_from_key(key: str) -> str:
    """The channel of the input: the keys of SMS begin with `sms/`, those of the KaiOS page with `kaios/`."""
    return next((one for one in (CHANNEL_SMS, CHANNEL_KAIOS) if key.startswith(f"{one}/")), CHANNEL_USSD)


def is_earlier_in_session(key: str, other_key: str) -> bool:
    """Whether both belong to one session and `key` precedes `other_key`."""
    session, position = _parse(key)
    other_session, other_position = _parse(other_key)
    return session == other_session and _number(position) < _number(other_position)


def is_same_or_later_in_session(key: str, other_key: str) -> bool:
    """Whether both belong to one session and `key` equals `other_key` or follows it."""
    session, position = _parse(key)
    other_session, other_position = _parse(other_key)
    return session == other_session and _number(position) >= _number(other_position)


def was_recorded_before(key: str | None, current_key: str) -> bool:
    """Whether an effect recorded under `key` precedes `current_key`; False where there is no such effect.

    Both are keys of inputs, or both of intentions. A replayed path passes the step that recorded the effect again, and must
    not find its result there already. An effect of another session always precedes.
    """
    return key is not None and not is_same_or_later_in_session(key, current_key)


def _parse(key: str) -> tuple[str, str]:
    session, _, position = key.rpartition(_SEPARATOR)
    return session, position


def _number(position: str) -> int:
    """The number of a position, without mark and suffixes; 0 where the key has no position."""
    found = _match_position(position)
    return int(found[1]) if found else 0
