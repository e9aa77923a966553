"""What to do with one SMS: an answer in a conversation, a keyword, or neither; and in every case one reply, or none."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import regex
import structlog

from menus.engine import typed_plainly
from menus.journeys.texted import ENTRIES
from services.inbound import DUPLICATE, Waiting
from sessions.store import StoreDown
from sessions.turns import Turn
from sms.conversation import Conversations
from sms.guards import Guards, Loop
from sms.keywords import Asked, Meant, understood

ANYWHERE: Final = frozenset({"menu", "help", "start"})
"""Keywords that are themselves even where a name or a sentence is asked for, as long as they stand alone."""
NUMBERED: Final = frozenset({"status", "apply"})
"""Those that are so with the number that they ask for."""
MACHINES_GET: Final = frozenset({"unknown", "near_miss", "help"})
"""What an automatic reply would be taken for; nobody is told these over and over."""
TAKEN_FOR: Final = (
    *("answer", "resumed", *ENTRIES, "app", "help", "stop", "start"),
    *("near_miss", "unknown", "failed", "given_up"),
    *(DUPLICATE, "loop", "abroad", "ignored"),
)
"""Everything that an SMS can be taken for, as it is counted."""
SCRIPTS: Final[Mapping[str, str]] = {"bn": "Bengali", "hi": "Devanagari"}

log = structlog.get_logger()

Say: TypeAlias = Callable[[str, str, Mapping[str, object]], str]
"""Language, which text, and the facts it says."""
_in_script = {language: regex.compile(rf"\p{{{script}}}").search for language, script in SCRIPTS.items()}
_number_alone = regex.compile(r"[0-9\s.#-]*").fullmatch


class Taken(NamedTuple):
    """What an SMS was taken for, and the reply to it; empty where none is sent, or where whoever did the work has sent it.

    `forget`: nobody is to be able to read it any more, for it was a secret, or may have been one.
    """

    taken_for: str
    reply: str = ""
    forget: bool = False


class OptOuts(Protocol):
    """Who wants nothing unasked; see `services.optouts.OptOuts`."""

    async def out(self, number: str, how: Literal["keyword"]) -> None:
        """From now on this number gets nothing unasked."""

    async def back(self, number: str) -> None:
        """From now on it gets everything again."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answering takes, put together once.

    repeats: whether an SMS is the one before it once more. known_language: of a number that anything is known of.
    send_links: those of the app, to a number, in a language, under an effect.
    """

    conversations: Conversations
    guards: Guards
    optouts: OptOuts
    say: Say
    repeats: Callable[[Waiting], Awaitable[bool]]
    served: Callable[[str], bool]
    known_language: Callable[[str], Awaitable[str | None]]
    send_links: Callable[[str, str, str], Awaitable[object]]
    default_language: str = "en"


async def taken(desk: Desk, sms: Waiting) -> Taken:
    """What `sms` is taken for, with everything done that it asks for; the reply is the caller's to send."""
    if await desk.repeats(sms):
        return Taken(DUPLICATE, forget=True)
    done = await _guarded(desk, sms)
    return done._replace(forget=True) if _number_alone(typed_plainly(sms.text)) else done


async def excuse(desk: Desk, sms: Waiting) -> str:
    """What is said to whoever wrote when we could not do what they asked."""
    language = script_of(sms.text) or desk.default_language
    with suppress(Exception):  # of all that may be broken, this can best be done without
        language = await desk.known_language(sms.number) or language
    return desk.say(language, "sorry", {})


def script_of(text: str) -> str:
    """The language whose letters are in a text; empty where there are none that tell."""
    return next((language for language, found in _in_script.items() if found(text)), "")


async def _guarded(desk: Desk, sms: Waiting) -> Taken:
    """STOP is heard from everybody; anything else from those who are served and are no machine."""
    meant = understood(sms.text)
    loop = await desk.guards.loop(sms.number, sms.text)
    if isinstance(meant, Asked) and meant.name == "stop":
        return await _stop(desk, sms, meant, answered=loop is None)
    if loop:
        return _unanswered(loop)
    if not desk.served(sms.number):
        return await _refused(desk, sms)
    done = await _answered(desk, sms, meant)
    too_often = bool(done.reply) and await desk.guards.told_too_often(sms.number, done.reply)
    return _unanswered("too_often") if too_often and done.taken_for in MACHINES_GET else done


def _unanswered(why: Loop) -> Taken:
    log.warning("sms not answered, it may be a machine's", why=why)
    return Taken("loop")


async def _refused(desk: Desk, sms: Waiting) -> Taken:
    first = await desk.guards.first_today(sms.number)
    return Taken("abroad", desk.say(script_of(sms.text) or desk.default_language, "abroad", {}) if first else "")


async def _answered(desk: Desk, sms: Waiting, meant: Asked | Meant | None) -> Taken:
    standing = await desk.conversations.standing(sms.number, sms.effect)
    if standing and standing.session == sms.effect:  # heard by somebody who died before it was noted
        return Taken("answer", standing.answer.text, forget=True)
    if isinstance(meant, Asked) and (standing is None or _commands(desk, standing, meant, sms.text)):
        return await _keyword(desk, sms, meant, await _language(desk, sms, meant, standing))
    turn = await desk.conversations.answer(sms.number, sms.effect, sms.text)
    if turn is not None:
        secret = standing is None or desk.conversations.asks_a_secret(standing)
        return Taken("answer", turn.answer.text, forget=secret)
    if (turn := await desk.conversations.take_up(sms.number, sms.effect)) is not None:
        return Taken("resumed", turn.answer.text)
    return _not_understood(desk, meant, await _language(desk, sms, meant, None))


def _commands(desk: Desk, standing: Turn, asked: Asked, text: str) -> bool:
    """Whether a keyword is one here, and not the answer to what was asked: a name, a sentence, a number of twelve digits.

    What answers the question is the answer; the few keywords by which one gets out of a question are not.
    """
    if asked.name in ANYWHERE and not asked.rest:
        return True
    if asked.name in NUMBERED and asked.rest.isdigit() and any(map(str.isalpha, text)):
        return True
    return not desk.conversations.takes(standing, text)


async def _keyword(desk: Desk, sms: Waiting, asked: Asked, language: str) -> Taken:
    if asked.name == "start":
        await desk.optouts.back(sms.number)
        return Taken("start", desk.say(language, "started", {}))
    if asked.name == "help":
        return Taken("help", desk.say(language, "help", {}))
    if asked.name == "app":
        await desk.send_links(sms.number, language, sms.effect)
        return Taken("app")
    if asked.name == "menu" and (turn := await desk.conversations.take_up(sms.number, sms.effect)) is not None:
        return Taken("resumed", turn.answer.text)
    entered = (ENTRIES[asked.name], language, {"rest": asked.rest})
    turn = await desk.conversations.enter(sms.number, sms.effect, *entered)
    return Taken(asked.name, turn.answer.text)


def _not_understood(desk: Desk, meant: Asked | Meant | None, language: str) -> Taken:
    if isinstance(meant, Meant):
        return Taken("near_miss", desk.say(language, "did_you_mean", {"words": ", ".join(meant.words)}))
    return Taken("unknown", desk.say(language, "not_understood", {}))


async def _stop(desk: Desk, sms: Waiting, asked: Asked, *, answered: bool) -> Taken:
    """It beats any conversation, even one that cannot be reached just now: that lapses by itself."""
    await desk.optouts.out(sms.number, "keyword")
    with suppress(StoreDown):
        await desk.conversations.end(sms.number)
    language = await _language(desk, sms, asked, None)
    return Taken("stop", desk.say(language, "stopped", {}) if answered else "")


async def _language(desk: Desk, sms: Waiting, meant: Asked | Meant | None, standing: Turn | None) -> str:
    """What they chose; else that of the letters they write; else that of the conversation, or of the keyword."""
    if language := await desk.known_language(sms.number) or script_of(sms.text):
        return language
    if standing is not None:
        return standing.place.language
    return meant.language if isinstance(meant, Asked) else desk.default_language
