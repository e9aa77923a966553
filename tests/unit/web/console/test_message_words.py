"""The words for what becomes of a message: one for every kind, stage, reason and outcome that the services have."""

from typing import get_args

import pytest

from services.assisted.models import PURPOSES, EndReason
from services.citizens.account_support import PinResetOutcome
from services.citizens.models import SignInOutcome
from services.helpdesk.explanations import BY_REASON, INSTEAD
from services.helpdesk.models import AccountState, FoundBy, ReferenceKind
from services.helpdesk.resends import ResendOutcome
from services.messaging.kinds import Medium, MessageKind
from services.messaging.message_status import Stage
from services.messaging.models import Resolution
from services.payments.models import PaymentStatus
from web.console.messages.routes import STATES
from web.console.words import load_words

SENT = {"changed", "pending", "registering"}
NEEDED = {
    "messages.kind": get_args(MessageKind),
    "messages.medium": get_args(Medium),
    "messages.stage": get_args(Stage),
    "messages.explained": get_args(Stage),
    "messages.reason": tuple(BY_REASON),
    "messages.instead": tuple(INSTEAD),
    "messages.resolution": get_args(Resolution),
    "messages.resend_refused": tuple(one for one in get_args(ResendOutcome) if one != "sent"),
    "messages.list": STATES,
    "messages.nothing": STATES,
    "citizens.state": get_args(AccountState),
    "citizens.found_by": tuple(one for one in get_args(FoundBy) if one != "number"),
    "citizens.problem.unknown": get_args(ReferenceKind),
    "citizens.refused": tuple(one for one in get_args(PinResetOutcome) if one not in SENT),
    "citizens.done": tuple(f"pin_{one}" for one in get_args(PinResetOutcome) if one in SENT),
    "citizens.payment": get_args(PaymentStatus),
    "citizens.outcome": get_args(SignInOutcome),
    "citizens.purpose": PURPOSES,
    "citizens.ended_by": get_args(EndReason),
}


@pytest.mark.parametrize("table", sorted(NEEDED))
def test_there_are_words_for_every_code(table):
    words = load_words("en")
    assert [code for code in NEEDED[table] if f"{table}.{code}" not in words] == []
