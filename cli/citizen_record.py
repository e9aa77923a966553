"""Print what `server.py citizen` finds, for a person at a terminal or as JSON."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

import msgspec

from core.amounts import format_money

if TYPE_CHECKING:
    from services.helpdesk.models import (
        AccountSummary,
        ActLine,
        ApplicationLine,
        CitizenRecord,
        ComplaintLine,
        ConsentLine,
        DraftLine,
        LockOut,
        Newest,
        PaymentLine,
        SignInLine,
    )
    from services.messaging.message_status import MessageState

GROUP: Final = 4
"""Digits of a group of a tracking number."""
CASES: Final = ("application", "complaint", "feedback")


class RecordPrinter:
    """Prints with the times of a time zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def print_record(self, record: "CitizenRecord") -> None:
        """Print all that is known, list by list."""
        if record.found_by != "number":
            reference = _group(record.reference) if record.found_by in CASES else record.reference
            print(f"found by: {record.found_by} {reference}")
        account = record.account
        facts = self._account_facts(account) if account else {"account": "none", "number": record.number}
        for label, value in {**facts, **self._number_facts(record)}.items():
            print(f"{label}: {value}")
        lists: Sequence[tuple[str, Newest[Any], Callable[[Any], Sequence[str]]]] = (
            ("applications", record.applications, self._application),
            ("applications by others for this number", record.applications_by_others, self._application),
            ("complaints", record.complaints, self._complaint),
            ("messages", record.messages, self._message),
            ("payments", record.payments, self._payment),
            ("consents to operators", record.consents, self._consent),
            ("unfinished forms", record.drafts, self._draft),
            ("sign-ins", record.sign_ins, self._sign_in),
            ("changes of the account", record.acts, self._act),
        )
        for label, newest, cells in lists:
            self._print_list(label, newest, cells)
        if record.messages.more:
            print(f"Earlier messages: citizen messages WHAT --before {record.messages.items[-1].id}")

    def print_messages(self, newest: "Newest[MessageState]") -> None:
        """Print messages, and how to see earlier ones."""
        self._print_list("messages", newest, self._message)
        if newest.more:
            print(f"Earlier ones: citizen messages WHAT --before {newest.items[-1].id}")

    def _account_facts(self, account: "AccountSummary") -> dict[str, object]:
        return {
            "account": account.account,
            "number": account.number,
            "name": account.name,
            "state": account.state,
            "registered": self._day(account.registered_at),
            "last used": self._day(account.last_used_at) if account.last_used_at else "never",
            **self._locks(account.lock_outs),
            **({"new PIN works from": self._time(account.new_pin_at)} if account.new_pin_at else {}),
            "security questions": account.questions,
            "verified e-mail": "yes" if account.has_email else "no",
            "operator": "yes" if account.is_operator else "no",
        }

    def _locks(self, lock_outs: "Sequence[LockOut]") -> dict[str, object]:
        if not lock_outs:
            return {"locked": "no"}
        names = {"pin": "PIN", "answers": "security answers", "calls": "by call", "sms": "by SMS"}
        return {f"{names[one.secret]} locked {names[one.channels]} until": self._time(one.until) for one in lock_outs}

    def _number_facts(self, record: "CitizenRecord") -> dict[str, object]:
        facts: dict[str, object] = {"language": record.language or "not chosen"}
        out = record.opted_out_at
        facts["news by SMS"] = f"off since {self._day(out)} (STOP)" if out else "on"
        if record.registration_until:
            facts["registration waits for its PIN until"] = self._time(record.registration_until)
        if record.former_accounts:
            facts["former accounts"] = "; ".join(
                f"account {one.account} until {self._day(one.released_at)}" for one in record.former_accounts
            )
        return facts

    def _print_list(self, label: str, newest: "Newest[Any]", cells: Callable[[Any], Sequence[str]]) -> None:
        if not newest.items:
            print(f"{label}: none")
            return
        print(f"{label}:")
        rows = [cells(item) for item in newest.items]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
            print(f"  {line.rstrip()}")
        if newest.more:
            print(f"  and {_count(newest)} more")

    def _application(self, one: "ApplicationLine") -> Sequence[str]:
        state = "not paid" if one.fee == "due" else one.fee
        fee = f"fee {format_money(one.fee_minor, one.currency)} {state}" if one.fee_minor else "no fee"
        changed = f"{one.status} {self._day(one.changed_at)}"
        promised = f"promised {one.promised}" if one.promised else ""
        return (
            _group(one.tracking_number),
            one.service,
            f"received {self._day(one.received_at)}",
            changed,
            promised,
            fee,
        )

    def _complaint(self, one: "ComplaintLine") -> Sequence[str]:
        promised = f"answer by {one.promised}" if one.promised else ""
        changed = f"{one.status} {self._day(one.changed_at)}"
        return (_group(one.complaint_number), one.service, f"received {self._day(one.received_at)}", changed, promised)

    def _message(self, one: "MessageState") -> Sequence[str]:
        from services.helpdesk.explanations import explain_message

        tries = f"{one.attempts} attempts" if one.attempts != 1 else "1 attempt"
        repeats = f", {one.repeats} repeats" if one.repeats else ""
        segments = f"{one.segments} segments" if one.segments != 1 else "1 segment"
        why = f"{one.stage}: {explain_message(one)}"
        return (str(one.id), self._time(one.created_at), one.kind, one.medium, tries + repeats, segments, why)

    def _payment(self, one: "PaymentLine") -> Sequence[str]:
        about = _group(one.reference) if one.reference else one.subject
        status = f"{one.status} {one.reason}".rstrip()
        amount = format_money(one.amount_minor, one.currency)
        return (str(one.payment), self._time(one.requested_at), one.purpose, about, amount, status, one.receipt)

    def _consent(self, one: "ConsentLine") -> Sequence[str]:
        who = f"operator {one.operator} ({one.operator_name}), {one.centre}"
        if not one.given_at:
            return (who, ", ".join(one.purposes), f"asked {self._time(one.requested_at)}", "not agreed to")
        ended = f" (by {one.ended_by})" if one.ended_by else ""
        until = f"until {self._time(one.until)}{ended}" if one.until else ""
        return (who, ", ".join(one.purposes), f"from {self._time(one.given_at)}", until)

    def _draft(self, one: "DraftLine") -> Sequence[str]:
        return (one.service, f"begun {one.begun}", f"kept until {self._day(one.ends_at)}")

    def _sign_in(self, one: "SignInLine") -> Sequence[str]:
        return (self._time(one.at), one.channel, one.method, one.outcome)

    def _act(self, one: "ActLine") -> Sequence[str]:
        return (self._time(one.at), one.act, f"by {one.by} {one.actor}".rstrip(), one.channel)

    def _day(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%Y-%m-%d}"

    def _time(self, moment: datetime | None) -> str:
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}" if moment else ""


def print_json(value: object) -> None:
    """Print a value of the service as JSON, with times in UTC."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _group(number: str) -> str:
    return " ".join(number[start : start + GROUP] for start in range(0, len(number), GROUP))


def _count(newest: "Newest[Any]") -> str:
    from services.helpdesk.queries import MAX_COUNTED

    return f"{newest.more} or" if newest.more + len(newest.items) >= MAX_COUNTED else str(newest.more)
