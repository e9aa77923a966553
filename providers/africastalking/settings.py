"""The table `[providers.africastalking]` of config.toml."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from config.settings import Contradiction, ProviderSection, Settings
from config.sms import SANDBOX
from config.types import HttpUrl, Seconds, StrictFloat, StrictInt


class AfricasTalkingSettings(ProviderSection):
    """The account at Africa's Talking."""

    provider: ClassVar[str] = "africastalking"

    username: str = "sandbox"
    api_key: SecretStr = SecretStr("")
    base_url: HttpUrl = ""
    sender_id: str = ""
    deadline: Seconds = 10.0
    sim_swap: bool = False
    sim_swap_days: Annotated[StrictInt, Field(ge=1, le=365)] = 14
    sim_swap_deadline: Annotated[StrictFloat, Field(gt=0, le=5)] = 3.0

    def is_in_use(self, settings: Settings) -> bool:
        """Return whether the webhooks are served. The sandbox has this provider's format: the simulator posts in it."""
        return settings.sms.provider == SANDBOX or super().is_in_use(settings)

    def find_contradictions(self, settings: Settings) -> Iterator[Contradiction]:
        """Yield a missing API key if SMS are to be sent, or SIM swaps checked, by this provider."""
        if self.api_key.get_secret_value():
            return
        if self.provider in settings.sms.providers:
            yield (
                ("providers", self.provider, "api_key"),
                "sending SMS needs it",
                "give the account's key, or set sms.provider to sandbox",
            )
        if self.sim_swap:
            yield (
                ("providers", self.provider, "sim_swap"),
                "checking SIM swaps needs api_key",
                "give the account's key, or set sim_swap to false",
            )
