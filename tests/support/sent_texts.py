"""Which texts of `[sms]` a test sends, and whether the list of texts to register has them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.types import SmsText, Template
from menus.rendering.message_templates import list_variables
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.messaging.sms_texts import PARTS, TEXT_RULES
from tests.support.menu_facts import conversation

Sent = tuple[str, Template]
"""The kind of a message, and the template of its text."""


@contextmanager
def recorded_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sent]]:
    """The texts of every SMS that is queued while the block lasts."""
    sent: list[Sent] = []
    enqueue = Messages.enqueue

    async def record(self: Messages, transaction: object, message: Message) -> None:
        if message.medium == "sms" and isinstance(message.text, SmsText):
            sent.extend((message.kind, one) for one in (message.text.template, message.text.latin_template) if one)
        await enqueue(self, transaction, message)  # type: ignore[arg-type]  # a test passes no other

    monkeypatch.setattr(Messages, "enqueue", record)
    yield sent


def check_listed(sent: list[Sent]) -> None:
    """Fail for a text that nobody would register: of an unknown kind, or without a line that is always there."""
    for kind, template in sent:
        if template.key not in conversation().locales["en"].sms:
            continue  # a text of a test
        assert template.key not in PARTS, f"{template.key} is a part of another text"
        rule = TEXT_RULES[template.key]
        assert kind in rule.kinds, f"{template.key} is sent as {kind}: add it to TEXT_RULES"
        locale = conversation().locales.get(template.form)
        if locale is not None:
            names = [variable.name for variable in list_variables(locale.sms[template.key])]
            listed = set(rule.list_omissions(names))
            omitted = tuple(name for name in dict.fromkeys(names) if name in rule.sandbox or name in template.omitted)
            assert omitted in listed, f"{template.name} is not among the variants of TEXT_RULES"
