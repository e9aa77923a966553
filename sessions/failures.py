"""What a caller is told whose key press failed, so that it is true."""

from typing import Literal, NamedTuple

import structlog

from core.deadline import NotRecordedError, OverloadedError, current_deadline
from core.logging import error_facts

log = structlog.get_logger()


class Failure(NamedTuple):
    """The key of the text among the common texts, and what the key press counts as."""

    text_key: Literal["sorry", "busy_go_on", "unsure"]
    handled_as: Literal["failed", "shed"]


def explain_failure(error: BaseException, channel: str) -> Failure:
    """What to tell the caller after `error`; it is logged, unless it is one of the many of an overload.

    Once a commit has begun for the request that is running, nobody may say that nothing was recorded.
    """
    deadline = current_deadline()
    may_have_recorded = deadline is not None and deadline.may_have_recorded
    if isinstance(error, OverloadedError):
        return Failure("unsure" if may_have_recorded else "busy_go_on", "shed")
    log.error("ussd_request_failed", channel=channel, **error_facts(error))
    return Failure("unsure" if may_have_recorded else "sorry", "failed")


def may_be_repeated(error: Exception) -> bool:
    """Whether the input failed because of an outage, with nothing recorded: the caller may type it again on the same screen."""
    if not isinstance(error, NotRecordedError) or isinstance(error, OverloadedError):
        return False
    deadline = current_deadline()
    return deadline is None or not deadline.may_have_recorded
