"""The texts of `[sms]`: the kinds of the messages that they are, and which of their variables may be omitted.

An operator of India registers each variant of a text by itself, so the variants are listed here. A test sends every text of
the conversations and compares.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from services.messaging.kinds import MessageKind


class SmsTextRule(NamedTuple):
    """The kinds under which a text is sent, and groups of variables that may be omitted.

    Each group lists its alternatives, the fullest first: names of variables that are there together, or none. The variables
    of `sandbox` are never there in SMS to a real network. All others are always there.
    """

    kinds: tuple[MessageKind, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    sandbox: frozenset[str] = frozenset()

    def list_omissions(self, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Yield what each variant of a text with these variables omits, in the order of the text; first nothing, if possible."""
        optional = {name for group in self.groups for alternative in group for name in alternative.split()}
        seen = set()
        for chosen in product(*self.groups):
            present = {name for alternative in chosen for name in alternative.split()}
            left_out = (optional - present) | self.sandbox
            omitted = tuple(dict.fromkeys(name for name in names if name in left_out))
            if omitted not in seen:
                yield omitted
            seen.add(omitted)


def _rule(kinds: str, *groups: tuple[str, ...]) -> SmsTextRule:
    return SmsTextRule(tuple(kinds.split()), groups)  # type: ignore[arg-type]  # a test compares with the kinds


_NOTE: Final = ("note", "")
_RECEIPT: Final = ("receipt", "")
_PAY_BILL: Final = ("pay_bill pay_account", "")

TEXT_RULES: Final[Mapping[str, SmsTextRule]] = {
    "own_data": _rule("document"),
    "deleted": _rule("info"),
    "service": _rule("info", ("fee", "free"), ("days", ""), ("service_bring", "")),
    "centre": _rule("info"),
    "fee_paid": _rule("payment", _RECEIPT),
    "bill_paid": _rule("payment", ("biller_receipt", ""), _RECEIPT),
    "bill_waits": _rule("payment"),
    "amount_differs": _rule("payment"),
    "unpaid_fee": _rule("payment", _PAY_BILL),
    "unpaid_bill": _rule("payment", _PAY_BILL),
    "in_doubt": _rule("payment"),
    "refunded": _rule("payment", ("service+biller", ""), ("why", "")),
    "document": _rule(
        "document", ("document_number", ""), ("document_holder", ""), ("document_issued", ""), ("document_valid", "")
    )._replace(sandbox=frozenset({"sample"})),
    "code": _rule("code"),
    "pin": _rule("pin"),
    "pin_changed": _rule("info"),
    "pin_by_operator": _rule("pin"),
    "support_pin": _rule("pin"),
    "support_unfrozen": _rule("info"),
    "support_signed_out": _rule("info"),
    "support_questions": _rule("info"),
    "support_attached": _rule("info"),
    "pin_pending": _rule("info"),
    "pin_kept": _rule("info"),
    "questions_set": _rule("info"),
    "email_set": _rule("info"),
    "email_removed": _rule("info"),
    "account_frozen": _rule("info"),
    "account_locked": _rule("info"),
    "wrong_tries": _rule("info"),
    "received": _rule("receipt receipt_reply", ("bring_to bring", ""), ("due to_pay_at", "to_pay_here", "")),
    "applied_for_you": _rule("status"),
    "refused_for": _rule("status"),
    "status": _rule(
        "info link", _NOTE, ("promised late delivery", "promised delivery", "promised late", "promised", "")
    ),
    "moved": _rule("status", _NOTE),
    "moved_asking": _rule("status", _NOTE),
    "complaint_received": _rule("receipt"),
    "feedback_received": _rule("receipt"),
    "complaint_moved": _rule("status", _NOTE),
    "complaint_answered": _rule("status", _NOTE),
    "complaint_escalated": _rule("status"),
    "complaint_again": _rule("status"),
    "complaint_last": _rule("status"),
    "app": _rule("link"),
    "no_application": _rule("link"),
    "help": _rule("reply"),
    "by_call": _rule("reply menu"),
    "help_by_call": _rule("reply"),
    "help_registered": _rule("reply"),
    "not_understood_by_call": _rule("reply"),
    "started_by_call": _rule("reply"),
    "paused": _rule("reply"),
    "not_understood": _rule("reply"),
    "did_you_mean": _rule("reply"),
    "refuse_or_status": _rule("reply"),
    "stopped": _rule("reply"),
    "recovery_stopped": _rule("reply"),
    "started": _rule("reply"),
    "sorry": _rule("reply"),
    "abroad": _rule("reply link"),
    "consent_code": _rule("code"),
    "operator_pin": _rule("pin"),
    "visit_over": _rule("info"),
    "consent_stopped": _rule("reply"),
}
"""Every text that is sent as a message of its own."""

PARTS: Final = frozenset(
    {
        *("done_applied", "done_applied_due", "done_withdrawn", "done_complained", "done_paid", "done_paid_cash"),
        *("done_profile", "done_more", "done_nothing"),
    }
)
"""Texts that stand within another one, as the value of a variable."""
