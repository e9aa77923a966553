"""Build the items of the lists from their rows."""

from typing import Any, Final, cast

from sqlalchemy import Row

from core.crypto import Cipher
from core.idempotency import channel_from_key
from services.assisted.models import list_purposes
from services.assisted.operators import decrypt_operator_name
from services.helpdesk.masking import mask_name
from services.helpdesk.models import (
    ActLine,
    ApplicationLine,
    ComplaintLine,
    ConsentLine,
    DraftLine,
    PaymentLine,
    SignInLine,
)
from services.payments.fees import fee_state_from_row

LINK_KEY_PREFIX: Final = "link-"


def application_line(row: Row[Any]) -> ApplicationLine:
    """An application, from its row with FEE_COLUMNS."""
    return ApplicationLine(
        tracking_number=row.tracking_number,
        service=row.service,
        status=row.status,
        received_at=row.created_at,
        changed_at=row.changed_at,
        promised=row.promised,
        fee_minor=row.fee_minor,
        currency=row.currency,
        fee=fee_state_from_row(row),
    )


def complaint_line(row: Row[Any]) -> ComplaintLine:
    """A complaint."""
    return ComplaintLine(row.complaint_number, row.service, row.status, row.created_at, row.changed_at, row.promised)


def consent_line(cipher: Cipher, row: Row[Any]) -> ConsentLine:
    """A consent, from its row with the operator's columns."""
    return ConsentLine(
        operator=row.operator,
        operator_name=mask_name(decrypt_operator_name(cipher, row)),
        centre=row.centre,
        purposes=list_purposes(row),
        requested_at=row.requested_at,
        given_at=row.given_at,
        until=row.ended_at or row.lapses_at,
        ended_by=row.ended_by or "",
    )


def draft_line(row: Row[Any]) -> DraftLine:
    """An unfinished form."""
    return DraftLine(row.service, row.begun, row.ends_at)


def payment_line(row: Row[Any]) -> PaymentLine:
    """A payment. The reference of a bill is a hash, and tells nothing."""
    return PaymentLine(
        payment=row.id,
        purpose=row.purpose,
        reference=row.reference if row.purpose == "fee" else "",
        subject=row.subject,
        amount_minor=row.amount_minor,
        currency=row.currency,
        status=row.status,
        reason=row.reason or "",
        receipt=row.receipt or "",
        requested_at=row.created_at,
    )


def sign_in_line(row: Row[Any]) -> SignInLine:
    """An attempt to sign in; its key says over which channel."""
    key = cast("str", row.idempotency_key)
    channel = "link" if key.startswith(LINK_KEY_PREFIX) else channel_from_key(key)
    return SignInLine(row.kind, channel, row.outcome, row.created_at)


def act_line(row: Row[Any]) -> ActLine:
    """An act, from the audit log."""
    actor = row.actor if row.actor_kind == "staff" else ""
    return ActLine(row.act, row.actor_kind, actor, row.channel, row.at)
