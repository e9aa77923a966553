"""The session of a caller, as the store keeps it, and the path that a provider sends with each key press.

A path is everything typed so far, joined by `*`, PINs included. It is never stored: a session remembers its length.
"""

import re
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple, Protocol

import msgspec

from core.idempotency import build_step_key
from menus.model import Position, StepContext

SEPARATOR: Final = "*"
MAX_REPLACED: Final = 3  # sessions of a caller that are known to be over; late requests come within seconds
MAX_ANSWERED: Final = 8  # requests of a session whose repeat is known; repeats come within seconds
MAX_STAR_POSITIONS: Final = 10  # more than anyone types in one session; hop metadata has room for them


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The text of a screen, and whether the session ends with it."""

    text: str
    ends: bool = False


class HopMetadata(msgspec.Struct, frozen=True):
    """What a provider echoes in its next request: the origin of the session and the length of the path so far.

    Its text is `main.12`, or `main.12.5-9` with the positions of `*` characters that are part of an input. It contains
    nothing that was typed and no phone number, and fits the 99 characters of the HTTP header.
    """

    origin: str
    consumed: int
    star_positions: tuple[int, ...] = ()

    def fits(self, path: str) -> bool:
        """Whether it may be of a reply in the session of this path."""
        return not self.consumed or self.consumed >= len(path) or path[self.consumed] == SEPARATOR

    def __str__(self) -> str:
        start = f"{self.origin}.{self.consumed}"
        return (
            f"{start}.{'-'.join(map(str, self.star_positions[:MAX_STAR_POSITIONS]))}" if self.star_positions else start
        )


class Session(msgspec.Struct, frozen=True, array_like=True):
    """A caller's session: the provider's id, the position in the menus, the last reply, and the consumed path length.

    `replaced` are short hashes of the caller's sessions before this one, the newest first: a late request of one of these is
    none of this session. `has_failed`: the call ended because something was wrong on our side.

    Where no path is sent, `consumed` counts the inputs, `answered` has short hashes of the newest requests, the newest first,
    and `is_durable` says that the database has the session too. `is_lost` is never stored: the database has it alone.
    """

    id: str
    origin: str
    consumed: int
    position: Position
    reply: Reply
    star_positions: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()
    has_failed: bool = False
    answered: tuple[int, ...] = ()
    is_durable: bool = False
    is_lost: bool = False

    def has_replaced(self, session_id: str) -> bool:
        """Whether the caller dialled again after the session with this id."""
        return bool(self.replaced) and _hash_id(session_id) in self.replaced

    def has_answered(self, message_id: str) -> bool:
        """Whether the request with this id is one of the newest of the session."""
        return _hash_id(message_id) in self.answered

    def list_answered(self, message_id: str) -> tuple[int, ...]:
        """What `answered` is after the request with this id."""
        return (_hash_id(message_id), *self.answered)[:MAX_ANSWERED]

    def list_replaced(self) -> tuple[int, ...]:
        """What `replaced` is in a session that the caller begins after this one."""
        return (_hash_id(self.id), *self.replaced)[:MAX_REPLACED]

    @property
    def hop_metadata(self) -> HopMetadata:
        """The metadata for the provider to echo in the next request."""
        return HopMetadata(self.origin, self.consumed, self.star_positions)


def _hash_id(provider_id: str) -> int:
    return zlib.crc32(provider_id.encode())


class FromCaller(Protocol):
    """The caller of a request: a key press (UssdRequest) or a message (IncomingMessage)."""

    @property
    def caller(self) -> str:
        """The E.164 number."""

    @property
    def channel(self) -> str:
        """The channel, such as `ussd`."""

    @property
    def caller_number_verified(self) -> bool:
        """Whether the network vouches for the number."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


def encode_session(session: Session) -> bytes:
    """The bytes that the store keeps."""
    return _encode(session)


def decode_session(data: bytes) -> Session | None:
    """The session in stored bytes; None where a different version of the program wrote them."""
    try:
        return _decode(data)
    except msgspec.MsgspecError:
        return None


def build_step_context(request: FromCaller, session_id: str, input_position: int, today: date) -> StepContext:
    """The context of one input. The engine adds the language and the facts of the position."""
    return StepContext(
        caller=request.caller,
        channel=request.channel,
        session=session_id,
        language="",
        input_key=build_step_key(session_id, input_position),
        facts={},
        caller_number_verified=request.caller_number_verified,
        today=today,
    )


def parse_hop_metadata(echoed: str) -> HopMetadata | None:
    """The metadata that a provider echoed; None for any text that is not ours."""
    if not _match_hop_metadata(echoed):
        return None
    origin, consumed, *stars = echoed.split(".")
    return HopMetadata(origin, int(consumed), tuple(map(int, stars[0].split("-"))) if stars else ())


LANGUAGE_SCREEN, MAIN_MENU, RESUME_OFFER, PAST_SHORT_CODE = ORIGINS = ("languages", "main", "resume", "dialled")
"""The origin of a session: the language screen, the main menu, the offer to resume, or digits after the short code."""


_match_hop_metadata = re.compile(rf"({'|'.join(ORIGINS)})\.\d{{1,6}}(\.\d{{1,6}}(-\d{{1,6}})*)?", re.ASCII).fullmatch


class UserInput(NamedTuple):
    """One input in a path, and the length of the path up to its end."""

    text: str
    path_length: int


def single_new_input(path: str, consumed: int) -> UserInput | None:
    """The input in `path` after `consumed` characters; None where a `*` in it leaves open whether it is one input."""
    rest = path[consumed + 1 if consumed else 0 :]
    return None if SEPARATOR in rest else UserInput(rest, len(path))


def new_inputs(path: str, consumed: int, hop_metadata: HopMetadata | None, *, allow_stars: bool) -> list[UserInput]:
    """The inputs in `path` after `consumed` characters.

    The newest input is taken whole, with its `*`, where its start is known: from the hop metadata, or after `consumed`
    with `allow_stars`. Inputs before it, which never arrived, are split at each `*` that is not known to be literal.
    """
    start = consumed + 1 if consumed else 0
    newest = _find_newest_start(start, len(path), hop_metadata, allow_stars=allow_stars)
    stars = hop_metadata.star_positions if hop_metadata else ()
    inputs = _split_inputs(path, start, newest - 1, stars) if newest > start else []
    if newest <= len(path):
        inputs.append(UserInput(path[newest:], len(path)))
    return inputs


def literal_star_positions(user_input: UserInput) -> tuple[int, ...]:
    """The positions in the path of `*` characters that are part of the input."""
    if SEPARATOR not in user_input.text:
        return ()
    start = user_input.path_length - len(user_input.text)
    return tuple(start + index for index, character in enumerate(user_input.text) if character == SEPARATOR)


def extends(path: str, consumed: int) -> bool:
    """Whether `path` has an input after `consumed` characters; else it is a repeated, late or different path."""
    return len(path) > consumed and (not consumed or path[consumed] == SEPARATOR)


def _find_newest_start(start: int, length: int, hop_metadata: HopMetadata | None, *, allow_stars: bool) -> int:
    """The index at which the newest input starts; past the end of the path where it is not known."""
    if hop_metadata is None:
        return start if allow_stars else length + 1
    if hop_metadata.consumed >= length:  # echoed with the path that it was made for: a repeated request
        return length + 1
    return max(start, hop_metadata.consumed + 1 if hop_metadata.consumed else 0)


def _split_inputs(path: str, start: int, end: int, star_positions: Sequence[int]) -> list[UserInput]:
    """The inputs between two indexes of a path, split at each `*` that is not literal."""
    separators = [index for index in range(start, end) if path[index] == SEPARATOR and index not in star_positions]
    starts = [start, *(index + 1 for index in separators)]
    return [UserInput(path[first:last], last) for first, last in zip(starts, [*separators, end], strict=True)]
