"""What to do with one SMS: an answer in a conversation, a keyword, or neither; and in every case one reply, or none."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import regex
import structlog

from menus.journeys.texted import ENTRIES
from services.inbound import DUPLICATE, Waiting
from sessions.store import StoreDown
from sessions.turns import Turn
from sms.conversation import Conversations, reply_in
from sms.guards import Guards, Loop
from sms.keywords import Asked, Meant, number_alone, understood

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
    heard_in: the same of who wrote in the letters of a language, which is known from then on where nothing else was chosen.
    send_links: those of the app, to a number, in a language, under an effect. end_consents: whatever an operator was asking
    this number for, or was allowed to do for it, under an effect; whether there was anything.
    """

    conversations: Conversations
    guards: Guards
    optouts: OptOuts
    say: Say
    repeats: Callable[[Waiting], Awaitable[bool]]
    served: Callable[[str], bool]
    known_language: Callable[[str], Awaitable[str | None]]
    heard_in: Callable[[str, str], Awaitable[str]]
    send_links: Callable[[str, str, str], Awaitable[object]]
    end_consents: Callable[[str, str], Awaitable[bool]]
    default_language: str = "en"


async def taken(desk: Desk, sms: Waiting) -> Taken:
    """What `sms` is taken for, with everything done that it asks for; the reply is the caller's to send."""
    if await desk.repeats(sms):
        return Taken(DUPLICATE, forget=True)
    done = await _guarded(desk, sms)
    return done._replace(forget=True) if number_alone(sms.text) else done


async def excuse(desk: Desk, sms: Waiting) -> str:
    """What is said to whoever wrote when we could not do what they asked; nothing to who was told so over and over."""
    language = script_of(sms.text) or desk.default_language
    with suppress(Exception):  # of all that may be broken, this can best be done without
        language = await desk.known_language(sms.number) or language
    said = desk.say(language, "sorry", {})
    with suppress(Exception):
        if await desk.guards.told_too_often(sms.number, said):
            log.warning("sms not excused, it may be a machine's")
            return ""
    return said


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
        return Taken("answer", reply_in(standing), forget=True)
    if isinstance(meant, Asked) and (standing is None or _commands(desk, standing, meant, sms.text)):
        return await _keyword(desk, sms, meant, await _language(desk, sms, meant, standing))
    turn = await desk.conversations.answer(sms.number, sms.effect, sms.text)
    if turn is not None:
        secret = standing is None or desk.conversations.asks_a_secret(standing)
        return Taken("answer", reply_in(turn), forget=secret)
    if (turn := await desk.conversations.take_up(sms.number, sms.effect)) is not None:
        return Taken("resumed", turn.answer.text)
    return _not_understood(desk, meant, await _language(desk, sms, meant, None))


def _commands(desk: Desk, standing: Turn, asked: Asked, text: str) -> bool:
    """Whether a keyword is one here, and not the answer to what was asked: a name, a sentence, a number of twelve digits.

    What answers the question is the answer; the few keywords by which one gets out of a question are not. A number with
    no keyword is an answer wherever one is typed, also a wrong one: who is told what is wrong with it can mend it.
    """
    if asked.name in ANYWHERE and not asked.rest:
        return True
    if number_alone(text) and desk.conversations.asks(standing):
        return False
    if asked.name in NUMBERED and asked.rest.isdigit() and not number_alone(text):
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
    return Taken(asked.name, reply_in(turn))


def _not_understood(desk: Desk, meant: Asked | Meant | None, language: str) -> Taken:
    if isinstance(meant, Meant):
        return Taken("near_miss", desk.say(language, "did_you_mean", {"words": ", ".join(meant.words)}))
    return Taken("unknown", desk.say(language, "not_understood", {}))


async def _stop(desk: Desk, sms: Waiting, asked: Asked, *, answered: bool) -> Taken:
    """It beats any conversation, even one that cannot be reached just now: that lapses by itself.

    Who has an operator at hand means the operator: then only that is over, and the next STOP is about every SMS.
    """
    about_operator = await desk.end_consents(sms.number, sms.effect)
    if not about_operator:
        await desk.optouts.out(sms.number, "keyword")
    language = await _language(desk, sms, asked, await desk.conversations.standing(sms.number, sms.effect))
    with suppress(StoreDown):
        await desk.conversations.end(sms.number)
    said = desk.say(language, "consent_stopped", {}) if about_operator else desk.say(language, "stopped", {})
    return Taken("stop", said if answered else "")


async def _language(desk: Desk, sms: Waiting, meant: Asked | Meant | None, standing: Turn | None) -> str:
    """What they chose; else that of the letters they write, or wrote; else that of the conversation, or of the keyword.

    The letters are remembered: what we write in Bengali tells people to send MENU, START or HELP, which tell nothing.
    """
    if script := script_of(sms.text):
        return await desk.heard_in(sms.number, script)
    if language := await desk.known_language(sms.number):
        return language
    if standing is not None:
        return standing.place.language
    return meant.language if isinstance(meant, Asked) else desk.default_language
