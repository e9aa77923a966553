"""Which messages are offered to be sent again, and why one was not."""

from services.helpdesk.resends import RESENDABLE_KINDS, STAGES_ON_ITS_WAY, ResendOutcome
from services.messaging.message_status import MessageState
from web.console.requests import ConsoleRequest, FormError


def is_resendable(message: MessageState) -> bool:
    """Whether it makes sense to offer to send the message again. The service knows better, and says why not."""
    return message.kind in RESENDABLE_KINDS and message.stage not in STAGES_ON_ITS_WAY


def refuse_resend(request: ConsoleRequest, outcome: ResendOutcome) -> FormError:
    """The error that says why a message was not sent again."""
    return FormError(request.translate(f"messages.resend_refused.{outcome}"))
