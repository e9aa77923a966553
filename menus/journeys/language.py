"""Choosing a language, once, and again whenever one likes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from menus.model import Choice, Journey, Option, Outcome, Step, Visit

Keep = Callable[[str, str, str], Awaitable[None]]
"""Keeps a caller's language: number, language, and the session in which it was chosen."""


def language(offered: Sequence[str], keep: Keep) -> Journey:
    """The language screen, its options in the order in which they are offered."""

    async def keep_language(visit: Visit) -> Outcome[Literal["kept"]]:
        chosen = visit.facts["language"]
        await keep(visit.caller, chosen, visit.session)
        return Outcome("kept", language=chosen)

    return (
        Choice("languages", tuple(Option(one, goto="keep_language") for one in offered), saves="language", opens=True),
        Step("keep_language", keep_language, {"kept": "main"}),
    )
