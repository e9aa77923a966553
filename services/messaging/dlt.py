"""What operators of India ask of every SMS: the ids of the sender's entity and of the registered text, and the header.

TRAI's regulation of commercial communications (TCCCPR 2018) asks for them in every SMS to a number of India. DLT is the
register of the operators.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from core.phone_numbers import find_country
from core.types import Template
from services.messaging.kinds import RULES, URGENT, MessageKind
from services.messaging.models import DltIds, OutgoingMessage
from services.messaging.outcomes import Rejected, SendOutcome, Suspended

COUNTRY: Final = "IN"
DEFAULT_HEADER: Final = "default"
NOT_REGISTERED: Final = "TemplateNotRegistered"
"""Why a message waits whose text has no id in `[dlt.templates]`."""
NO_TEMPLATE: Final = "NoTemplate"
"""Why a message fails that is not rendered from one text, so that no text can be registered for it."""

Category: TypeAlias = Literal["transactional", "service implicit", "service explicit"]


def find_category(kind: MessageKind) -> Category:
    """The category in which the texts of a kind are registered, by the rule of the kind.

    Codes and PINs are transactional, what nobody asked for is service explicit, and the rest follows from what the citizen did.
    """
    rule = RULES[kind]
    if rule.secret and rule.priority == URGENT:
        return "transactional"
    return "service explicit" if rule.proactive else "service implicit"


@dataclass(frozen=True, slots=True, kw_only=True)
class DltRegistry:
    """What is registered. `templates` has the id of each text by `Template.name`, `headers` the header of each kind.

    `sends_menus`: a message without a template is sent with the entity alone, else it fails.
    """

    entity: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    sends_menus: bool = False

    def applies_to(self, msisdn: str) -> bool:
        """Whether an operator of India delivers to this number."""
        return find_country(msisdn) == COUNTRY

    def find_id(self, name: str) -> str:
        """The id of a text by `Template.name`; empty while it, or the entity, is not registered."""
        return self.templates.get(name, "") if self.entity else ""

    def find_ids(self, msisdn: str, template: Template | None) -> DltIds | None:
        """The ids of a message; None for a number of another country."""
        if not self.applies_to(msisdn):
            return None
        return DltIds(self.entity, self.find_id(template.name) if template else "")

    def find_header(self, kind: MessageKind) -> str:
        """The registered sender of a kind; empty where none is named."""
        return self.headers.get(kind, "") or self.headers.get(DEFAULT_HEADER, "")


def check_dlt(registry: DltRegistry, message: OutgoingMessage) -> SendOutcome | None:
    """Why an operator would drop this message, so that it is not sent at all; None where it can be sent."""
    if message.dlt is None or message.dlt.template:
        return None
    if message.template:
        return Suspended(NOT_REGISTERED, template_only=True)
    return None if registry.sends_menus else Rejected(NO_TEMPLATE)
