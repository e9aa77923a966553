"""A text as a letter that mail programs read: its first line is the subject, the rest is what it says."""

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

LONGEST = 254  # octets, RFC 5321 with its erratum 1690
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")

Digest = Callable[[str], str]
"""Short text that follows from a longer one and tells nothing of it."""


class NoAddress(ValueError):
    """This is no e-mail address that mail can be sent to; the address is not in the message."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is the same on all our letters: whom they are from, and where an answer goes."""

    sender: Address
    reply_to: str

    def letter(self, to: str, text: str, at: datetime, digest: Digest) -> EmailMessage:
        """The letter; the same text to the same address is known by the same Message-ID, however often it is sent.

        Raises:
            NoAddress: nothing can be sent `to` there.
        """
        subject, body = parts(text)
        letter = EmailMessage(policy=SMTP)
        letter["From"] = self.sender
        letter["To"] = address(to)
        letter["Reply-To"] = self.reply_to
        letter["Subject"] = subject
        letter["Date"] = at
        letter["Message-ID"] = f"<{digest(f'{to} {text}')}@{self.sender.domain}>"
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office note in answer
        letter["List-Unsubscribe"] = f"<mailto:{quote(self.reply_to, safe='@')}?subject=unsubscribe>"  # RFC 2369
        letter.set_content(body)
        return letter


def parts(text: str) -> tuple[str, str]:
    """The subject, in which nothing can begin another header, and the body; a single line is both."""
    first, _, rest = text.strip().partition("\n")
    subject = "".join(" " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in first)
    return " ".join(subject.split()), f"{rest.strip() or first}\n"


def address(written: str) -> Address:
    """An address in plain letters, as any server takes it, and nothing round it.

    Raises:
        NoAddress: it is not.
    """
    if len(written) <= LONGEST and ADDRESS.fullmatch(written):
        with suppress(HeaderParseError, ValueError, IndexError):  # such as for two dots side by side
            return Address(addr_spec=written)
    raise NoAddress("This is no e-mail address")


def sender(written: str) -> Address:
    """Whom letters come from, out of `Ekdial <no-reply@example.org>` or the address alone; NoAddress as above."""
    name, spec = parseaddr(written)
    return Address(name, addr_spec=address(spec).addr_spec)
