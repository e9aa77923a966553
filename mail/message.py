"""Build an e-mail message from a text: the first line is the subject, the rest the body."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from urllib.parse import quote

MAX_ADDRESS_BYTES = 254  # RFC 5321 with its erratum 1690
ADDRESS_PATTERN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")

Digest = Callable[[str], str]
"""A short hash of a text that reveals nothing about it."""


class InvalidAddressError(ValueError):
    """A text is not an e-mail address that mail can be sent to. The message does not quote it."""


@dataclass(frozen=True, slots=True)
class EmailTemplate:
    """The headers that all our messages share: the sender, and the address for replies."""

    sender: Address
    reply_to: str

    def build_message(self, to: str, text: str, sent_at: datetime, digest: Digest) -> EmailMessage:
        """The message. Its Message-ID depends on the address and the text only, so that a repeated send has the same one.

        Raises:
            InvalidAddressError: `to` is not an e-mail address.
        """
        subject, body = split_subject(text)
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = parse_address(to)
        message["Reply-To"] = self.reply_to
        message["Subject"] = subject
        message["Date"] = sent_at
        message["Message-ID"] = f"<{digest(f'{to} {text}')}@{self.sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: asks for no out-of-office reply
        message["List-Unsubscribe"] = f"<mailto:{quote(self.reply_to, safe='@')}?subject=unsubscribe>"  # RFC 2369
        message.set_content(body)
        return message


def split_subject(text: str) -> tuple[str, str]:
    """The subject, without control characters that could start another header, and the body. One line is both."""
    first, _, rest = text.strip().partition("\n")
    subject = "".join(" " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in first)
    return " ".join(subject.split()), f"{rest.strip() or first}\n"


def parse_address(text: str) -> Address:
    """An ASCII address without a display name, which every server accepts.

    Raises:
        InvalidAddressError: the text is not such an address.
    """
    if len(text) <= MAX_ADDRESS_BYTES and ADDRESS_PATTERN.fullmatch(text):
        with suppress(HeaderParseError, ValueError, IndexError):  # for example for two dots side by side
            return Address(addr_spec=text)
    raise InvalidAddressError("The text is not an e-mail address")


def parse_sender(text: str) -> Address:
    """The sender from `Ekdial <no-reply@example.org>` or from the address alone.

    Raises:
        InvalidAddressError: the text holds no such address.
    """
    name, spec = parseaddr(text)
    return Address(name, addr_spec=parse_address(spec).addr_spec)
