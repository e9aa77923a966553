"""A row of the registry: what one provider offers. It is quick to import; the builders import what they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from config.settings import ProviderSection, Settings
    from services.citizens.number_checks import SimSwapProvider
    from sms.provider import SmsProvider, SmsWebhooks
    from ussd.provider import PushUssdProvider, ResponseUssdProvider, ShortCodeConfig
    from voice.provider import VoiceProvider
    from web.simulator.wires import ProviderWire


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """One provider. A channel that it does not have is None.

    The webhooks of an entry are served where its settings say that it is in use, behind the guard of `[webhooks]`.
    `open_sms` is called for each entry that `sms.provider` or a route names; the context that it returns closes the
    provider's connections. With `sends_in_own_process`, the web processes do not call it, and run no outbox for it:
    `app.workers.build_sms_outbox` is for the process that does, and `receives_replies` says whether replies to its SMS reach us. `open_sim_swap` gives None where the settings of the
    provider do not ask for checks of SIM swaps. `build_wire` gives the simulator's way to call over it. `list_members`
    gives the providers of a family that are in use, each an entry of its own name: a family itself has settings, and no
    channel. `needs_dlt`: an SMS to a number of India is sent with the ids of `[dlt]`, and a text without an id waits; an
    operator drops what comes without.
    """

    name: str
    needs_dlt: bool = False
    settings: type[ProviderSection] | None = None
    build_ussd: Callable[[Settings, ShortCodeConfig], ResponseUssdProvider | PushUssdProvider] | None = None
    build_voice: Callable[[Settings], VoiceProvider] | None = None
    build_sms_webhooks: Callable[[Settings], SmsWebhooks] | None = None
    open_sms: Callable[[Settings], AbstractAsyncContextManager[SmsProvider]] | None = None
    sends_in_own_process: bool = False
    receives_replies: Callable[[Settings], bool] | None = None
    open_sim_swap: Callable[[Settings], AbstractAsyncContextManager[SimSwapProvider | None]] | None = None
    build_wire: Callable[[Settings, ShortCodeConfig], ProviderWire] | None = None
    list_members: Callable[[Settings], Sequence[ProviderEntry]] | None = None

    @property
    def sends_sms(self) -> bool:
        """Whether `sms.provider` and routes may name it."""
        return self.open_sms is not None or self.sends_in_own_process
