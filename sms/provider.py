"""The interface to a provider of SMS: it sends, and it posts inbound SMS, delivery reports and opt-outs to us."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply
from services.messaging.delivery_status import DeliveryReport
from services.messaging.inbound import InboundSms
from services.messaging.provider import MessageProvider

KeyedHash: TypeAlias = Callable[[str, str], str]
"""A keyed hash of a value for a purpose, short and URL-safe."""


class SmsWebhooks(Protocol):
    """Parses a provider's webhooks. A webhook that gives None is stored for inspection and acknowledged."""

    @property
    def name(self) -> str:
        """The provider's name in routes, settings and logs."""

    @property
    def body_format(self) -> BodyFormat:
        """The format of its webhooks."""

    def parse_inbound_sms(self, fields: Fields, keyed_hash: KeyedHash) -> InboundSms | None:
        """The SMS that a webhook describes. An id that is missing is a hash of the fields: a repeat has the same one."""

    def parse_delivery_report(self, fields: Fields) -> DeliveryReport | None:
        """The delivery report that a webhook holds."""


@runtime_checkable
class OptOutParser(Protocol):
    """Parses the webhooks of a provider that reports opt-outs; one that does not has no such route."""

    def parse_opt_out(self, fields: Fields) -> str | None:
        """The number that wants no unsolicited messages any more, in E.164."""


@runtime_checkable
class AcknowledgingSmsWebhooks(Protocol):
    """Webhooks of a provider that wants more than an empty response to those that it need not repeat."""

    def render_acknowledgement(self) -> WebhookReply:
        """The response to every webhook that was processed or stored."""


@runtime_checkable
class BatchedSmsWebhooks(SmsWebhooks, Protocol):
    """Parses webhooks of which one may have several SMS or reports, and whose reports may have a format of their own."""

    @property
    def report_format(self) -> BodyFormat:
        """The format of the webhooks about delivery."""

    def split_inbound(self, fields: Fields) -> Sequence[Fields]:
        """The SMS in a webhook; each is parsed for itself."""

    def split_reports(self, fields: Fields) -> Sequence[Fields]:
        """The reports in a webhook; each is parsed for itself."""


class SmsProvider(MessageProvider, Protocol):
    """Sends SMS."""

    @property
    def send_deadline(self) -> float:
        """Seconds that one send may take."""

    @property
    def receives_replies(self) -> bool:
        """Whether a reply to one of its messages reaches us."""
