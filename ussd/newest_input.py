"""USSD sessions of providers that send the newest input only.

The path of a session contains typed PINs and is never stored. A session without a path is handled as a conversation:
its position is stored after every input, and a repeated request gets the stored reply.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.citizens.models import LanguageChoice
from sessions.failures import explain_failure
from sessions.message_turns import ConversationHandler, IncomingMessage, Turn
from sessions.path_turns import UssdReply
from sessions.session import LANGUAGE_SCREEN, Reply
from sessions.shared_deadline import SharedDeadline
from ussd.provider import CHANNEL, UssdInput


@dataclass(frozen=True, slots=True)
class NewestInputHandler:
    """Answers the inputs of a USSD session one by one, within `deadline`."""

    conversations: ConversationHandler
    find_language: Callable[[str], Awaitable[LanguageChoice | None]]
    is_supported_number: Callable[[str], bool]
    default_language_of: Callable[[str], str]
    deadline: SharedDeadline

    async def handle(self, request: UssdInput) -> UssdReply:
        """The reply to one input; a failure of ours is a reply that says so and ends the session."""
        if not self.is_supported_number(request.caller):
            return self._build_final_reply(request, "abroad", "refused")
        try:
            with self.deadline:
                turn = await self._run_turn(request)
        except Exception as error:  # noqa: BLE001 - after any failure the caller still waits for a screen
            failure = explain_failure(error, CHANNEL)
            return self._build_final_reply(request, failure.text_key, failure.handled_as)
        return UssdReply(turn.reply, "answered")

    async def _run_turn(self, request: UssdInput) -> Turn:
        """The next turn. A session that is not stored, new or lost, starts at its first screen."""
        message = IncomingMessage(
            f"{request.session_id}/{request.message_id}",
            request.caller,
            CHANNEL,
            request.budget,
            caller_number_verified=request.caller_number_verified,
        )
        if not request.starts_session:
            prefix = f"{request.session_id}/"
            turn = await self.conversations.handle_input(message, request.text, session_prefix=prefix)
            if turn is not None:
                return turn
        known = await self.find_language(request.caller)
        screen = self.conversations.menu.home if known else LANGUAGE_SCREEN
        language = known.language if known else self.default_language_of(request.caller)
        return await self.conversations.enter(message, screen, language, is_new_session=True)

    def _build_final_reply(self, request: UssdInput, text_key: str, handled_as: str) -> UssdReply:
        language = self.default_language_of(request.caller)
        text = self.conversations.renderer.locale_for(language, request.budget).common[text_key]
        return UssdReply(Reply(text, ends=True), handled_as)
