"""Providers that are described by rows of TOML: USSD and SMS over JSON, forms and queries. See docs/providers/json.md."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from config.settings import Settings
from core.errors import ValidationFailedError
from providers.entry import ProviderEntry
from providers.json_http.provider_rows import Row, find_rows, load_row
from providers.json_http.settings import JsonSettings

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from sms.provider import SmsProvider, SmsWebhooks
    from ussd.provider import ResponseUssdProvider, ShortCodeConfig
    from web.simulator.wires import ProviderWire


def _build_entry(row: Row) -> ProviderEntry:
    """The entry of one row in use. A channel whose table the row does not have is None."""

    def build_ussd(_: Settings, config: "ShortCodeConfig") -> "ResponseUssdProvider":
        from providers.json_http.ussd import build_provider
        from providers.json_http.ussd_sample import find_sample_problems

        if problems := find_sample_problems(row):
            raise ValidationFailedError(problems)
        return build_provider(row, config)

    def build_wire(settings: Settings, config: "ShortCodeConfig") -> "ProviderWire":
        from providers.json_http.wire import JsonWire

        return JsonWire(row, config, token=settings.webhooks.first_token)

    def build_sms_webhooks(_: Settings) -> "SmsWebhooks":
        from providers.json_http.sms import build_sms_webhooks

        return build_sms_webhooks(row)

    def open_row_sms(settings: Settings) -> "AbstractAsyncContextManager[SmsProvider]":
        from providers.json_http.sms import open_sms

        values = settings.provider_section(JsonSettings).find_values(row)
        return open_sms(row, values, public_url=settings.server.public_url, token=settings.webhooks.first_token)

    return ProviderEntry(
        name=row.name,
        needs_dlt=row.sms is not None and bool(row.sms.get("dlt")),
        build_ussd=build_ussd if row.ussd is not None else None,
        build_sms_webhooks=build_sms_webhooks if row.sms and {"inbound", "report"} & row.sms.keys() else None,
        build_wire=build_wire if row.ussd is not None else None,
        open_sms=open_row_sms if row.sms is not None else None,
    )


def _list_members(settings: Settings) -> Sequence[ProviderEntry]:
    """An entry for each row in use.

    Raises:
        ValidationFailedError: a row is not valid.
    """
    section = settings.provider_section(JsonSettings)
    files = find_rows(section.folder) if section.enabled_rows else {}
    return [_build_entry(load_row(files[name])) for name in section.enabled_rows]


ENTRY: Final = ProviderEntry(name=JsonSettings.provider, settings=JsonSettings, list_members=_list_members)
