"""Count what a turn of a caller did in the menus: which screen it left and which it led to, or that the input was not taken."""

from typing import NamedTuple

from menus.model import Position
from services.menu_traffic.models import END, REFUSED, CountMove, Move
from sessions.session import Session


class NextSession(NamedTuple):
    """The session after an input, to be saved.

    `source` is the screen that the caller saw before, empty where the call began with the input; `is_refused` says that this
    screen did not take it.
    """

    session: Session
    source: str
    is_refused: bool = False


def count_turn(
    count_move: CountMove,
    position: Position,
    source: str,
    *,
    channel: str,
    network: str = "",
    is_refused: bool = False,
    ends: bool = False,
) -> None:
    """Count one turn that led to `position`; `ends`: it ended the call or the conversation."""
    language, target = position.language, position.screen
    count_move(Move(channel, network, language, source, REFUSED if is_refused else target))
    if ends:
        count_move(Move(channel, network, language, target, END))
