"""Sends the app's link by SMS. The text also has the short code and the SMS keywords, for phones that open no links."""

from datetime import timedelta
from typing import Final

from core.types import TextRenderer
from db.database import Database
from services.messaging.links import Links
from services.messaging.messages import Messages
from services.messaging.models import Message

LINK_TTL: Final = timedelta(days=30)
LINK_MAX_USES: Final = 100  # a family passes such an SMS on; the limit keeps it off public walls


class AppLinkSender:
    """Sends the app's link, on any channel."""

    def __init__(self, database: Database, links: Links, messages: Messages, render_text: TextRenderer) -> None:
        self._database = database
        self._links = links
        self._messages = messages
        self._render_text = render_text

    async def send(self, msisdn: str, language: str, idempotency_key: str) -> None:
        """Send this number a link of its own; the same idempotency key sends nothing again."""
        idempotency_key = f"{idempotency_key}/app"
        async with self._database.transaction() as transaction:
            token = await self._links.create_in_transaction(
                transaction, "app", language, LINK_TTL, LINK_MAX_USES, idempotency_key=idempotency_key
            )
            text = self._render_text(language, "app", {"link": self._links.url(token)})
            await self._messages.enqueue(transaction, Message(msisdn, text, "link", idempotency_key))
