"""Sends a citizen a link to all data about them, and deletes an account.

The link stores no data: the export is read when the link is opened. After a deletion the link shows nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor, AuditEntry
from services.citizens.accounts import Accounts
from services.citizens.closed_accounts import ensure_account_open
from services.citizens.emails import Emails
from services.messaging.links import Links
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.privacy.models import (
    DataExport,
    DataRequest,
    DataSubject,
    PinVerification,
    SectionContent,
    account_of_subject,
    build_link_subject,
    language_of_subject,
)
from services.privacy.sections import DataSection

LINK_TTL: Final = timedelta(hours=24)
LINK_MAX_USES: Final = 5
PIN_OUTCOMES: Final = ("in", "wrong", "locked")
"""The outcomes of a sign-in after which the page of a link stays; after any other one the link leads nowhere."""


@dataclass(frozen=True, slots=True)
class PrivacyMessaging:
    """What the messages to a citizen need: SMS, e-mail to a verified address, links, and the renderers of the texts."""

    messages: Messages
    links: Links
    emails: Emails
    render_sms: TextRenderer
    render_email: TextRenderer


class PrivacyService:
    """Exports and deletes the data of one citizen, section by section."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        audit: AuditLog,
        messaging: PrivacyMessaging,
        sections: Sequence[DataSection],
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._audit = audit
        self._messaging = messaging
        self._sections = sections
        self._clock = clock

    async def send_link(self, request: DataRequest) -> None:
        """Send a link to the export by SMS, and by e-mail to a verified address; once for an idempotency key.

        Raises:
            AccountClosedError: another session has deleted the account.
        """
        data_subject = await self._find_subject(request.account)
        if data_subject is None:
            await self._check_account_open(request)
            return
        message_key = f"{request.idempotency_key}/own_data"
        link_subject = build_link_subject(request.account, request.language)
        links = self._messaging.links
        async with self._database.transaction() as transaction:
            await ensure_account_open(transaction, request.account, request.idempotency_key)
            token = await links.create_in_transaction(
                transaction, "own_data", link_subject, LINK_TTL, LINK_MAX_USES, idempotency_key=message_key
            )
            facts = {"link": links.url(token), "hours": LINK_TTL // timedelta(hours=1), "uses": LINK_MAX_USES}
            for message in await self._build_messages(data_subject, request.language, facts, message_key):
                await self._messaging.messages.enqueue(transaction, message)
            await self._audit.record(transaction, _audit_entry(request, "own_data_sent"))

    async def collect(self, link_subject: str) -> DataExport | None:
        """The export for a link with this subject; None after the account is closed."""
        data_subject = await self._find_subject(account_of_subject(link_subject))
        if data_subject is None:
            return None
        language = language_of_subject(link_subject)
        sections = [SectionContent(section.name, await section.read(data_subject)) for section in self._sections]
        return DataExport(data_subject, language, self._clock(), [one for one in sections if one.records])

    async def is_account_open(self, link_subject: str) -> bool:
        """Whether the account that a link is about still exists."""
        return await self._accounts.find_holder(account_of_subject(link_subject)) is not None

    async def verify_pin(self, link_subject: str, pin: str) -> PinVerification | None:
        """The result of a PIN typed on the page of a link; None after the account is closed. A wrong PIN is counted."""
        holder = await self._accounts.find_holder(account_of_subject(link_subject))
        if holder is None:
            return None
        attempt = f"link-{secrets.token_hex(16)}:1"
        result = await self._accounts.sign_in(holder.msisdn, pin, attempt, vouched=False)
        if result.outcome not in PIN_OUTCOMES:
            return None
        return PinVerification(result.outcome == "in", holder.msisdn, result.tries_left, result.locked_until)

    async def delete_account(self, request: DataRequest) -> None:
        """Close the account and delete all that need not stay, in one transaction, and confirm it by SMS; once for a key.

        When the path of the session is replayed after the deletion, it has stored the caller's language again: that is
        deleted once more.
        """
        data_subject = await self._find_subject(request.account)
        if data_subject is None:
            await self._accounts.forget_session_language(request.msisdn, request.idempotency_key)
            return
        async with self._database.transaction() as transaction:
            if not await self._accounts.close(transaction, request.account, request.idempotency_key):
                return
            for section in self._sections:
                await section.forget(transaction, data_subject)
            await self._audit.record(transaction, _audit_entry(request, "account_deleted"))
            text = self._messaging.render_sms(request.language, "deleted", {})
            message = Message(data_subject.msisdn, text, "info", f"{request.idempotency_key}/deleted")
            await self._messaging.messages.enqueue(transaction, message)

    async def _check_account_open(self, request: DataRequest) -> None:
        """Raise unless this session itself closed the account."""
        async with self._database.transaction() as transaction:
            await ensure_account_open(transaction, request.account, request.idempotency_key)

    async def _find_subject(self, account: int) -> DataSubject | None:
        holder = await self._accounts.find_holder(account)
        if holder is None:
            return None
        email = await self._messaging.emails.get(account)
        return DataSubject(account, holder.msisdn, holder.name, email.address if email else "")

    async def _build_messages(
        self, subject: DataSubject, language: str, facts: dict[str, object], idempotency_key: str
    ) -> Sequence[Message]:
        sms = Message(
            subject.msisdn, self._messaging.render_sms(language, "own_data", facts), "document", idempotency_key
        )
        email = await self._messaging.emails.get(subject.account)
        if email is None or not email.verified:
            return [sms]
        text = self._messaging.render_email(language, "own_data", facts)
        return [sms, Message(email.address, text, "document", f"{idempotency_key}/email", "email")]


def _audit_entry(request: DataRequest, act: str) -> AuditEntry:
    subject = str(request.account)
    actor = request.by or Actor("citizen", subject, request.channel)
    return build_audit_entry(actor, act, "account", subject, request.idempotency_key)
