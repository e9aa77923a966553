"""SMPP 3.4: SMS and USSD over binds at operators. See docs/providers/smpp.md."""

from typing import Final

from providers.entry import ProviderEntry
from providers.smpp.settings import SmppSettings

ENTRY: Final = ProviderEntry(
    name=SmppSettings.provider, needs_dlt=True, settings=SmppSettings, sends_in_own_process=True
)
