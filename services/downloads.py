"""The app's link by SMS, in a text that is of use to who cannot open it: the short code, and what to send by SMS."""

from datetime import timedelta
from typing import Final

from services.given import Say
from services.links import Links
from services.messages import Message, Messages
from services.records.database import Records

LIVES: Final = timedelta(days=30)
USES: Final = 100  # such an SMS is passed on in a family; but it is not to stand on a wall


class Downloads:
    """Sends it to who asks for it, on whatever channel."""

    def __init__(self, records: Records, links: Links, messages: Messages, say: Say) -> None:
        self._records = records
        self._links = links
        self._messages = messages
        self._say = say

    async def send(self, number: str, language: str, effect: str) -> None:
        """Send this number a link of its own; the same effect again sends nothing again."""
        effect = f"{effect}/app"
        async with self._records.transaction() as transaction:
            token = await self._links.write(transaction, "app", language, LIVES, USES, effect=effect)
            text = self._say(language, "app", {"link": self._links.address(token)})
            await self._messages.queue(transaction, Message(number, text, "link", effect))
