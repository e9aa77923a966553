"""E-mail put together out of the settings: the server it goes to, what it is written on, and the worker that takes it."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.headerregistry import Address
from functools import partial

from prometheus_client import CollectorRegistry

from faults import Broken, Place
from mail.letter import NoAddress, Paper, sender
from mail.smtp import Server, Smtp
from sealing import Seal
from services.given import utc_now
from services.messages import Messages
from settings import Mail, Settings
from sms.outbox import Outbox, at_work
from web.tallies import Tallies, Tally


@asynccontextmanager
async def posting(
    settings: Settings, messages: Messages, seal: Seal, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Letters going out inside, where there is a server for them; those in the air are finished afterwards.

    Raises:
        Broken: mail.certificates cannot be used, or what should be an address is none.
    """
    if not settings.mail.host:
        yield
        return
    smtp = _smtp(settings, seal)
    Tallies(registry, Tally("ekdial_mail_sends", "Tries to send a letter, by how they ended.", "end", smtp.ended))
    async with smtp, at_work(_outbox(settings.mail, messages, smtp)):
        yield


def _smtp(settings: Settings, seal: Seal) -> Smtp:
    mail = settings.mail
    password = mail.password.get_secret_value()
    server = Server(mail.host, mail.port, mail.security, mail.username, password, mail.certificates, mail.deadline)
    try:
        return Smtp(server, _paper(settings), partial(seal.name, "letter"), utc_now)
    except OSError as unusable:
        said = f"{mail.certificates} cannot be used: {unusable.strerror or unusable}", "name a PEM file of certificates"
        raise Broken([settings.fault(("mail", "certificates"), *said)]) from None


def _paper(settings: Settings) -> Paper:
    answers = ("mail", "reply_to") if settings.mail.reply_to else ("helpdesk", "email")
    reply_to = _mailbox(settings, answers, settings.mail.reply_to or settings.helpdesk.email)
    return Paper(_mailbox(settings, ("mail", "sender"), settings.mail.sender), reply_to.addr_spec)


def _mailbox(settings: Settings, place: Place, written: str) -> Address:
    try:
        return sender(written)
    except NoAddress:
        said = f"{written!r} is no e-mail address", "write one such as help@example.org"
        raise Broken([settings.fault(place, *said)]) from None


def _outbox(mail: Mail, messages: Messages, smtp: Smtp) -> Outbox:
    """The same rows as those of SMS, another medium, another way out."""
    worker = f"{socket.gethostname()}:{os.getpid()}:mail"
    grace = 2 * mail.deadline + 5  # a letter may take a second connection
    return Outbox(messages, smtp, worker=worker, medium="email", parallel=mail.parallel, grace=grace)
