"""The settings of the systems that the gateway talks to for its services: `[documents]`, `[departments]`, `[payments]`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from config.section import Section
from config.types import HttpUrl, Seconds, SnsTopicArn, StrictFloat, StrictInt, WebhookSecret


class DocumentSettings(Section):
    """The issuer of documents, and the limits of links to them."""

    issuer: Literal["sandbox", "digilocker"] = "sandbox"
    base_url: HttpUrl = "https://digilocker.meripehchaan.gov.in/public"
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    deadline: Annotated[StrictFloat, Field(gt=0, le=4)] = 3.0
    max_bytes: Annotated[StrictInt, Field(ge=10_000, le=20_000_000)] = 3_000_000
    link_ttl_hours: Annotated[StrictInt, Field(ge=1, le=48)] = 24
    link_max_uses: Annotated[StrictInt, Field(ge=1, le=100)] = 5


class DepartmentSettings(Section):
    """The address of one department's own system, and how it and the gateway authenticate each other."""

    url: HttpUrl = ""
    token: SecretStr = SecretStr("")
    secret: WebhookSecret = SecretStr("")
    previous_secret: WebhookSecret = SecretStr("")
    deadline: Seconds = 10.0
    concurrency: Annotated[StrictInt, Field(ge=1, le=50)] = 4
    health_check_interval: Annotated[StrictFloat, Field(ge=0.01, le=600)] = 30.0
    poll_minutes: Annotated[StrictInt, Field(ge=0, le=10_080)] = 0

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The secrets that are valid for signatures, the newest first."""
        given = (self.secret.get_secret_value(), self.previous_secret.get_secret_value())
        return tuple(secret for secret in given if secret)


class BillerSettings(Section):
    """The address of a biller's system, and our key for it."""

    url: HttpUrl = ""
    key: SecretStr = SecretStr("")


class DarajaSettings(Section):
    """Our app at Safaricom's Daraja API, and the pay bill or till number that money goes to."""

    base_url: HttpUrl = "https://sandbox.safaricom.co.ke"
    consumer_key: SecretStr = SecretStr("")
    consumer_secret: SecretStr = SecretStr("")
    short_code: str = ""
    passkey: SecretStr = SecretStr("")
    till: str = ""
    c2b: bool = False

    @property
    def pay_bill(self) -> str:
        """The number to which anybody pays by reference; empty where nobody can."""
        return self.short_code if self.c2b else ""


class BkashSettings(Section):
    """The topics by which bKash tells of payments to our merchant numbers."""

    enabled: bool = False
    topics: tuple[SnsTopicArn, ...] = ()


class PaymentSettings(Section):
    """The wallet for fees and bills, and the billers' systems."""

    wallet: Literal["none", "sandbox", "daraja"] = "sandbox"
    push_delay: Annotated[StrictFloat, Field(ge=0, le=60)] = 3.0
    deadline: Annotated[StrictFloat, Field(gt=0, le=30)] = 10.0
    biller_deadline: Annotated[StrictFloat, Field(gt=0, le=4)] = 3.0
    lookups_per_caller_per_hour: Annotated[StrictInt, Field(ge=1)] = 10
    lookups_per_consumer_per_hour: Annotated[StrictInt, Field(ge=1)] = 10
    lookups_per_biller_per_hour: Annotated[StrictInt, Field(ge=1)] = 5000
    daraja: DarajaSettings = DarajaSettings()
    bkash: BkashSettings = BkashSettings()
    billers: Mapping[str, BillerSettings] = Field(default_factory=dict)
