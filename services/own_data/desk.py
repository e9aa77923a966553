"""Sends a citizen a link to all that is kept of them, and closes an account for good.

Nothing is written down for the link: what it shows is looked up when it is opened, and after a deletion it shows nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.accounts import Accounts
from services.audit import Act, Audit, Who, act_of
from services.closed import still_open
from services.emails import Emails
from services.given import Clock, Say, utc_now
from services.links import Links
from services.messages import Message, Messages
from services.own_data.held import Held, Section, Whose
from services.records.database import Records

LIVES: Final = timedelta(hours=24)
USES: Final = 5


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for their data, from which MSISDN, in which language they are told, over which channel, under which effect."""

    account: int
    number: str = field(repr=False)
    language: str
    channel: str
    effect: str


@dataclass(frozen=True, slots=True)
class Collected:
    """All that is kept of a citizen at this moment."""

    whose: Whose
    language: str
    at: datetime
    sections: Sequence[Section] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Telling:
    """How a citizen is told: by SMS, by e-mail where that is verified, with a link."""

    messages: Messages
    links: Links
    emails: Emails
    say: Say
    write: Say


class OwnData:
    """All of it, in the parts of `held`."""

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        audit: Audit,
        telling: Telling,
        held: Sequence[Held],
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._audit = audit
        self._telling = telling
        self._held = held
        self._clock = clock

    async def send(self, asking: Asking) -> None:
        """Send a link to all of it by SMS, and to the e-mail address that is verified; once an effect.

        Raises:
            AccountClosed: it was deleted meanwhile.
        """
        whose = await self._whose(asking.account)
        if whose is None:
            await self._closed(asking)
            return
        once, subject = f"{asking.effect}/own_data", f"{asking.account} {asking.language}"
        links = self._telling.links
        async with self._records.transaction() as transaction:
            await still_open(transaction, asking.account, asking.effect)
            token = await links.write(transaction, "own_data", subject, LIVES, USES, effect=once)
            facts = {"link": links.address(token), "hours": LIVES // timedelta(hours=1), "uses": USES}
            for message in await self._letters(whose, asking.language, facts, once):
                await self._telling.messages.queue(transaction, message)
            await self._audit.note(transaction, _act(asking, "own_data_sent"))

    async def collected(self, subject: str) -> Collected | None:
        """What a link with this subject shows; None once the account is closed."""
        account, _, language = subject.partition(" ")
        whose = await self._whose(int(account))
        if whose is None:
            return None
        sections = [Section(one.name, await one.told(whose)) for one in self._held]
        return Collected(whose, language, self._clock(), [one for one in sections if one.records])

    async def delete(self, asking: Asking) -> None:
        """Close the account and forget all that need not stay, in one transaction, and confirm it by SMS; once an effect.

        A path that is heard again after that has chosen its language once more on the way here: that goes again.
        """
        whose = await self._whose(asking.account)
        if whose is None:
            await self._accounts.unhear(asking.number, asking.effect)
            return
        async with self._records.transaction() as transaction:
            if not await self._accounts.close(transaction, asking.account, asking.effect):
                return
            for one in self._held:
                await one.forget(transaction, whose)
            await self._audit.note(transaction, _act(asking, "account_deleted"))
            text = self._telling.say(asking.language, "deleted", {})
            message = Message(whose.number, text, "info", f"{asking.effect}/deleted")
            await self._telling.messages.queue(transaction, message)

    async def _closed(self, asking: Asking) -> None:
        """Raises where the account was not closed by the very session that asks."""
        async with self._records.transaction() as transaction:
            await still_open(transaction, asking.account, asking.effect)

    async def _whose(self, account: int) -> Whose | None:
        person = await self._accounts.person(account)
        if person is None:
            return None
        email = await self._telling.emails.of(account)
        return Whose(account, person.number, person.name, email.address if email else "")

    async def _letters(self, whose: Whose, language: str, facts: dict[str, object], once: str) -> Sequence[Message]:
        sms = Message(whose.number, self._telling.say(language, "own_data", facts), "document", once)
        email = await self._telling.emails.of(whose.account)
        if email is None or not email.verified:
            return [sms]
        letter = self._telling.write(language, "own_data", facts)
        return [sms, Message(email.address, letter, "document", f"{once}/email", "email")]


def _act(asking: Asking, act: str) -> Act:
    who = Who("citizen", str(asking.account), asking.channel)
    return act_of(who, act, "account", who.id, asking.effect)
