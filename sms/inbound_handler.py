"""Decide what one inbound SMS means (an input in a conversation, a keyword, or neither), act on it, and build the reply."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from core.languages import DEFAULT_LANGUAGE, LANGUAGE_CODES, language_by_script
from core.types import SmsText, TextKey, TextRenderer, UtcClock, in_latin_letters, utc_now
from core.verified_caller import unverified_caller
from menus.keywords import KEYWORD_BY_NAME, KEYWORD_NAMES
from services.citizens.unverified_sms import UnverifiedSmsLimiter
from services.messaging.inbound import DUPLICATE, ClaimedSms
from services.messaging.opt_outs import OptOuts
from sessions.message_turns import Turn
from sessions.store import StoreUnavailableError
from sms.conversation import SmsConversations, build_reply_text
from sms.keywords.parser import (
    KeywordRequest,
    KeywordSuggestions,
    is_number_only,
    parse_keyword,
    strip_service_request,
)
from sms.loop_guard import LoopGuard, LoopReason
from sms.reading import ParsedKeyword, decide_reading

REPEAT_LIMITED: Final = frozenset({"unknown", "near_miss", "service_name", "help"})
"""Outcomes of an automatic reply to our SMS. They are not repeated without end to the same number."""
COMMAND_TEXTS: Final = {"start": TextKey("started"), "help": TextKey("help")}
"""Keywords that are answered with a text alone."""
ONE_WAY_TEXTS: Final = {"start": TextKey("started_by_call"), "help": TextKey("help_by_call")}
"""The same for a person who cannot reply to the answer."""
ONE_WAY_KEYWORDS: Final = frozenset({"status", "complain", "answer", "feedback", "lang", "refuse", "app"})
"""Keywords that one SMS can say all of; the others begin a conversation."""
REGISTERED_TEXTS: Final = {"start": TextKey("started_by_call"), "help": TextKey("help_registered")}
"""The same for a person whose operators deliver registered texts alone."""
STATUS_SCREENS: Final = frozenset({"status_texted", "status_texted_waiting"})
"""What the keyword STATUS shows of an application."""
HANDLED_AS: Final = (
    *("answer", "resumed", *KEYWORD_NAMES),
    *("service_name", "near_miss", "unknown", "failed", "given_up"),
    *(DUPLICATE, "loop", "limited", "abroad", "ignored"),
)
"""Every outcome of an inbound SMS, as metrics count them."""

log = structlog.get_logger()


class Handled(NamedTuple):
    """The outcome of an SMS, one of HANDLED_AS, and the text of the reply, empty where the caller sends none.

    `erase_text`: the SMS contained a secret, or may have contained one, and its text must not be stored any longer.
    """

    handled_as: str
    reply: str = ""
    erase_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSmsHandler:
    """Handles inbound SMS. The functions take an E.164 number first, `is_service_name` a text.

    `is_repeat` tells whether an SMS repeats the one before it. `find_language` returns the known language of a number, or
    None. `remember_script` takes the language of the script that a person wrote in, and returns the language that they
    chose, else the given one. `default_language_of` returns the language of a number's country, `format_time` a moment on
    the number's clock. `build_language_hint` says, in a language and for an SMS with a text, how to get another language;
    nothing where it does not fit. `send_app_links` and `end_consents` take an idempotency key last; `end_consents` ends what an operator asked this number for or may do for it,
    and returns whether there was anything to end. `needs_registered_text` tells whether the operators of a number deliver
    registered texts alone; `send_status` sends it the status of the application with a tracking number, in a language, and
    returns whether there is one.
    """

    conversations: SmsConversations
    loop_guard: LoopGuard
    sms_limiter: UnverifiedSmsLimiter
    opt_outs: OptOuts
    render_text: TextRenderer
    is_repeat: Callable[[ClaimedSms], Awaitable[bool]]
    is_supported_number: Callable[[str], bool]
    is_service_name: Callable[[str], bool]
    find_language: Callable[[str], Awaitable[str | None]]
    remember_script: Callable[[str, str], Awaitable[str]]
    send_app_links: Callable[[str, str, str], Awaitable[object]]
    end_consents: Callable[[str, str], Awaitable[bool]]
    cancel_recovery: Callable[[str, str], Awaitable[bool]]
    format_time: Callable[[datetime, str], str]
    build_language_hint: Callable[[str, str], str]
    needs_registered_text: Callable[[str], Awaitable[bool]]
    send_status: Callable[[str, str, str, str], Awaitable[bool]]
    clock: UtcClock = utc_now
    default_language_of: Callable[[str], str] = lambda _: DEFAULT_LANGUAGE
    offered_languages: Collection[str] = LANGUAGE_CODES

    async def handle(self, sms: ClaimedSms) -> Handled:
        """Do everything that `sms` asks for; the caller sends the reply.

        Raises:
            StoreUnavailableError: the session store is down.
            ConcurrentUpdateError: other messages of the same person were saved first, each time.
        """
        if await self.is_repeat(sms):
            return Handled(DUPLICATE, erase_text=True)
        with unverified_caller():  # the sender of an SMS can be forged
            handled = await self._handle_within_limits(sms)
        return handled._replace(erase_text=True) if is_number_only(sms.text) else handled

    async def apology_for(self, sms: ClaimedSms) -> str:
        """The text that apologizes for an error of ours; empty for a number that got it too often. Raises nothing."""
        language = self._detect_language(sms)
        with suppress(Exception):  # the database may be what is broken; the language is the least of what is lost
            language = await self.find_language(sms.msisdn) or language
        text = self.render_text(language, "sorry", {})
        with suppress(Exception):
            if await self.loop_guard.is_repeated_too_often(sms.msisdn, text):
                log.warning("inbound_sms_not_apologized_for", reason="too_often")
                return ""
        return text

    async def _handle_within_limits(self, sms: ClaimedSms) -> Handled:
        """Count the reply before anything is done for the SMS. Without a reply it is not counted."""
        loop = await self.loop_guard.detect_loop(sms.msisdn, sms.text)
        is_counted = loop in (None, "too_many") and await self.sms_limiter.try_take(sms.msisdn)
        handled = await self._apply_guards(sms, loop, may_reply=is_counted)
        if is_counted and not handled.reply:
            await self.sms_limiter.release(sms.msisdn)
        return handled

    async def _apply_guards(self, sms: ClaimedSms, loop: LoopReason | None, *, may_reply: bool) -> Handled:
        """Accept STOP from everybody, and everything else from supported numbers that are within their limits."""
        parsed = parse_keyword(sms.text)
        if isinstance(parsed, KeywordRequest) and parsed.name == "stop":
            return await self._handle_stop(sms, parsed, send_reply=may_reply)
        if loop:
            return await self._announce_pause(sms, parsed) if loop == "too_many" and may_reply else _ignore_loop(loop)
        if not may_reply:
            return Handled("limited")
        if not self.is_supported_number(sms.msisdn):
            return await self._reject_unsupported_country(sms)
        handled = await self._respond(sms, parsed)
        if handled.reply and await self.loop_guard.is_repeated_too_often(sms.msisdn, handled.reply):
            return _ignore_loop("too_often") if handled.handled_as in REPEAT_LIMITED else handled
        return handled

    async def _announce_pause(self, sms: ClaimedSms, parsed: ParsedKeyword) -> Handled:
        """The last word to a number that got too many answers: when it is answered again. Once a pause."""
        pause = await self.loop_guard.begin_pause(sms.msisdn)
        if pause is None:
            return _ignore_loop("paused")
        log.warning("inbound_sms_not_answered", reason="too_many")
        running = await self.conversations.find_running_turn(sms.msisdn, sms.idempotency_key)
        language = await self._choose_language(sms, parsed, running)
        again = self.format_time(self.clock() + pause, sms.msisdn)
        return Handled("loop", self.render_text(language, "paused", {"again": again}), erase_text=True)

    async def _add_language_hint(self, sms: ClaimedSms, parsed: ParsedKeyword, handled: Handled) -> Handled:
        """Say once a day how to change the language, where neither the sender nor the words of the SMS told one."""
        is_told = self._detect_script(sms) or (parsed and parsed.language)
        if not handled.reply or is_told or await self.find_language(sms.msisdn):
            return handled
        hint = self.build_language_hint(self.default_language_of(sms.msisdn), handled.reply)
        if not hint or not await self.loop_guard.is_first_today(sms.msisdn, "languages"):
            return handled
        # No template: what a first answer is may be any text, and no hint is added where texts are registered.
        with_hint = SmsText(f"{handled.reply}\n{hint}", f"{in_latin_letters(handled.reply)}\n{hint}")
        return handled._replace(reply=with_hint)

    async def _reject_unsupported_country(self, sms: ClaimedSms) -> Handled:
        """Say once a day that the country is not supported."""
        if not await self.loop_guard.is_first_today(sms.msisdn):
            return Handled("abroad")
        language = self._detect_language(sms)
        return Handled("abroad", self.render_text(language, "abroad", {}))

    async def _respond(self, sms: ClaimedSms, parsed: ParsedKeyword) -> Handled:
        if await self.needs_registered_text(sms.msisdn):
            return await self._answer_registered(sms, parsed)
        if not await self.conversations.takes_replies(sms.msisdn, "reply"):
            return await self._add_language_hint(sms, parsed, await self._answer_one_way(sms, parsed))
        running = await self.conversations.find_running_turn(sms.msisdn, sms.idempotency_key)
        handled = await self._answer(sms, parsed, running)
        return handled if running else await self._add_language_hint(sms, parsed, handled)

    async def _answer(self, sms: ClaimedSms, parsed: ParsedKeyword, running: Turn | None) -> Handled:
        if running and running.message_id == sms.idempotency_key:  # handled by a process that died before it noted so
            return Handled("answer", build_reply_text(running), erase_text=True)
        reading = decide_reading(self.conversations, running, parsed, sms.text, self._names_service) if running else ""
        if isinstance(parsed, KeywordRequest) and reading != "answer":
            return await self._run_keyword(sms, parsed, await self._choose_language(sms, parsed, running))
        if running and reading == "alone":
            handled = await self._handle_without_keyword(sms, parsed, running)
            return handled._replace(erase_text=self.conversations.expects_secret(running))
        turn = await self.conversations.handle_input(sms.msisdn, sms.idempotency_key, sms.text)
        if turn is not None:
            if running and not turn.is_refusal and self.conversations.expects_text(running):
                await self.loop_guard.record_taken_answer(sms.msisdn)
            may_be_secret = running is None or self.conversations.expects_secret(running)
            return Handled("answer", build_reply_text(turn), erase_text=may_be_secret)
        if parsed is None and not self._names_service(sms.text):
            turn = await self.conversations.offer_resume(sms.msisdn, sms.idempotency_key)
            if turn is not None:
                return Handled("resumed", turn.reply.text)
        return await self._handle_without_keyword(sms, parsed, None)

    async def _answer_one_way(self, sms: ClaimedSms, parsed: ParsedKeyword) -> Handled:
        """Answer a person who cannot reply to the answer: no conversation begins, and none is offered."""
        language = await self._choose_language(sms, parsed, None)
        if not isinstance(parsed, KeywordRequest):
            return self._explain_not_understood(parsed, language, one_way=True)
        if parsed.name in ONE_WAY_TEXTS:
            return await self._run_command(sms, parsed, language, ONE_WAY_TEXTS[parsed.name])
        by_call = Handled(parsed.name, self.render_text(language, "by_call", {}))
        if parsed.name not in ONE_WAY_KEYWORDS:
            return by_call
        handled = await self._run_keyword(sms, parsed, language)
        if await self.conversations.find_running_turn(sms.msisdn, sms.idempotency_key) is None:
            return handled
        await self.conversations.end(sms.msisdn)
        return by_call

    async def _answer_registered(self, sms: ClaimedSms, parsed: ParsedKeyword) -> Handled:
        """Answer a person whose operators deliver registered texts alone: no screen is one, so none is entered but for a status."""
        language = await self._choose_language(sms, parsed, None)
        if not isinstance(parsed, KeywordRequest):
            return self._explain_not_understood(parsed, language, one_way=True)
        if parsed.name in REGISTERED_TEXTS:
            return await self._run_command(sms, parsed, language, REGISTERED_TEXTS[parsed.name])
        if parsed.name == "app":
            return await self._run_keyword(sms, parsed, language)
        if parsed.name == "status" and await self._send_status(sms, parsed, language):
            return Handled("status")
        return Handled(parsed.name, self.render_text(language, "by_call", {}))

    async def _send_status(self, sms: ClaimedSms, keyword: KeywordRequest, language: str) -> bool:
        """Send the status of the application that the SMS names, within the limits of its screen; False where there is none."""
        turn = await self._enter(sms, keyword, language)
        await self.conversations.end(sms.msisdn)
        if turn.position.screen not in STATUS_SCREENS:
            return False
        number = str(turn.position.facts["number"])
        return await self.send_status(sms.msisdn, number, language, sms.idempotency_key)

    async def _handle_without_keyword(self, sms: ClaimedSms, parsed: ParsedKeyword, running: Turn | None) -> Handled:
        """List the services that the text names; else say which keyword may be meant, or that nothing was understood."""
        language = await self._choose_language(sms, parsed, running)
        if self._names_service(sms.text):
            services = KeywordRequest("services", strip_service_request(sms.text), language)
            return (await self._run_keyword(sms, services, language))._replace(handled_as="service_name")
        return self._explain_not_understood(parsed, language)

    async def _run_keyword(self, sms: ClaimedSms, keyword: KeywordRequest, language: str) -> Handled:
        if keyword.name in COMMAND_TEXTS:
            return await self._run_command(sms, keyword, language, COMMAND_TEXTS[keyword.name])
        if keyword.name == "app":
            await self.send_app_links(sms.msisdn, language, sms.idempotency_key)
            return Handled("app")
        if keyword.name == "menu":
            turn = await self.conversations.offer_resume(sms.msisdn, sms.idempotency_key)
            if turn is not None:
                return Handled("resumed", turn.reply.text)
        return Handled(keyword.name, build_reply_text(await self._enter(sms, keyword, language)))

    async def _enter(self, sms: ClaimedSms, keyword: KeywordRequest, language: str) -> Turn:
        """The turn that enters the screen of a keyword, which sees what the SMS says after it."""
        screen, entry_data = KEYWORD_BY_NAME[keyword.name].screen, {"rest": keyword.rest}
        return await self.conversations.enter(sms.msisdn, sms.idempotency_key, screen, language, entry_data)

    async def _run_command(self, sms: ClaimedSms, keyword: KeywordRequest, language: str, text: TextKey) -> Handled:
        """Answer a keyword that enters no screen with a text."""
        if keyword.name == "start":
            await self.opt_outs.opt_in(sms.msisdn)
        return Handled(keyword.name, self.render_text(language, text, {}))

    def _explain_not_understood(self, parsed: ParsedKeyword, language: str, *, one_way: bool = False) -> Handled:
        if isinstance(parsed, KeywordSuggestions) and parsed.number:
            return Handled("near_miss", self.render_text(language, "refuse_or_status", {"number": parsed.number}))
        if isinstance(parsed, KeywordSuggestions):
            return Handled("near_miss", self.render_text(language, "did_you_mean", {"words": ", ".join(parsed.words)}))
        text = TextKey("not_understood_by_call") if one_way else TextKey("not_understood")
        return Handled("unknown", self.render_text(language, text, {}))

    def _names_service(self, text: str) -> bool:
        return self.is_service_name(strip_service_request(text))

    async def _handle_stop(self, sms: ClaimedSms, keyword: KeywordRequest, *, send_reply: bool) -> Handled:
        """Cancel a recovered PIN that does not work yet, and end an operator's consent; where there is neither, opt out of SMS.

        STOP ends the conversation in every case. One that cannot be reached now expires by itself.
        """
        recovery_cancelled = await self.cancel_recovery(sms.msisdn, sms.idempotency_key)
        consent_ended = await self.end_consents(sms.msisdn, sms.idempotency_key)
        if not consent_ended and not recovery_cancelled:
            await self.opt_outs.opt_out(sms.msisdn, "keyword")
        running = await self.conversations.find_running_turn(sms.msisdn, sms.idempotency_key)
        language = await self._choose_language(sms, keyword, running)
        with suppress(StoreUnavailableError):
            await self.conversations.end(sms.msisdn)
        if recovery_cancelled:
            text = self.render_text(language, "recovery_stopped", {})
        elif consent_ended:
            text = self.render_text(language, "consent_stopped", {})
        else:
            text = self.render_text(language, "stopped", {})
        return Handled("stop", text if send_reply else "")

    async def _choose_language(self, sms: ClaimedSms, parsed: ParsedKeyword, running: Turn | None) -> str:
        """The chosen language; else that of the script, now or before; else that of the conversation, or of the words.

        Where the words are of no language, it is that of the number's country. The script is remembered: our SMS in Bengali ask for MENU, START or HELP, whose letters tell no language.
        """
        if language := self._detect_script(sms):
            return await self.remember_script(sms.msisdn, language)
        if known := await self.find_language(sms.msisdn):
            return known
        if running is not None:
            return running.position.language
        worded = parsed.language if parsed else ""
        return worded if worded in self.offered_languages else self.default_language_of(sms.msisdn)

    def _detect_language(self, sms: ClaimedSms) -> str:
        """The language of the script, else of the number's country: for a sender of whom nothing is looked up."""
        return self._detect_script(sms) or self.default_language_of(sms.msisdn)

    def _detect_script(self, sms: ClaimedSms) -> str:
        """The offered language whose script the SMS contains, or an empty text.

        Of languages in one script that the words do not tell apart, it is that of the sender's country.
        """
        language = language_by_script(sms.text, preferred=self.default_language_of(sms.msisdn))
        return language if language in self.offered_languages else ""


def _ignore_loop(reason: LoopReason) -> Handled:
    log.warning("inbound_sms_not_answered", reason=reason)
    return Handled("loop")
