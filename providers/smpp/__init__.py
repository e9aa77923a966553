"""SMPP 3.4: SMS and USSD over binds at operators. See docs/providers/smpp.md."""

from typing import TYPE_CHECKING, Final

from config.settings import Settings
from providers.entry import ProviderEntry
from providers.smpp.settings import SmppSettings

if TYPE_CHECKING:
    from ussd.provider import ShortCodeConfig
    from web.simulator.wires import ProviderWire


def _build_wire(settings: Settings, config: "ShortCodeConfig") -> "ProviderWire":
    from providers.smpp.sms import build_text_rules
    from providers.smpp.wire import SimulatedBind, SmppWire

    smpp = settings.provider_section(SmppSettings)
    binds = [
        SimulatedBind(name, bind, dialect, build_text_rules(bind))
        for name, bind in smpp.binds.items()
        if bind.simulated and (dialect := smpp.find_dialect(bind.ussd)) is not None
    ]
    return SmppWire(binds, budget=config.default_budget, service_code=config.service_codes[0])


ENTRY: Final = ProviderEntry(
    name=SmppSettings.provider,
    needs_dlt=True,
    settings=SmppSettings,
    build_wire=_build_wire,
    sends_in_own_process=True,
    receives_replies=lambda settings: settings.provider_section(SmppSettings).receives_replies,
)
