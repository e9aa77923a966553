"""Every row of the registry fits its interfaces, and an unsuitable provider of SMS is reported."""

import re

import pytest
from pydantic import SecretStr

from config.settings import Settings, UssdCode
from core.errors import CommandError
from menus.rendering.paging import ScreenBudget
from providers import registry
from providers.entry import ProviderEntry
from ussd.provider import PushUssdProvider, ResponseUssdProvider, ShortCodeConfig

CONFIG = ShortCodeConfig(["*123#"], ScreenBudget(), {})


@pytest.mark.parametrize("entry", registry.PROVIDERS.values(), ids=lambda entry: entry.name)
async def test_a_row_builds_channels_under_its_own_name(entry: ProviderEntry) -> None:
    settings = Settings()
    built = [
        entry.build_ussd and entry.build_ussd(settings, CONFIG),
        entry.build_voice and entry.build_voice(settings),
        entry.build_sms_webhooks and entry.build_sms_webhooks(settings),
    ]
    assert {channel.name for channel in built if channel} <= {entry.name}
    assert {channel.body_format for channel in built if channel} <= {"form", "json"}
    assert entry.settings is None or entry.settings.provider == entry.name


def test_a_ussd_provider_has_one_of_the_two_shapes() -> None:
    for entry in registry.PROVIDERS.values():
        if entry.build_ussd:
            provider = entry.build_ussd(Settings(), CONFIG)
            assert isinstance(provider, ResponseUssdProvider) != isinstance(provider, PushUssdProvider)


@pytest.mark.parametrize("name", [name for name, entry in registry.PROVIDERS.items() if entry.open_sms])
async def test_a_provider_of_sms_says_how_it_sends(name: str) -> None:
    settings = Settings().model_copy(update={"sms": Settings().sms.model_copy(update={"provider": name})})
    async with registry.open_sms_providers(settings) as providers:
        provider = providers[name]
        assert provider.name == name
        assert provider.send_deadline > 0
        assert provider.receives_replies is True


def test_settings_of_a_provider_that_name_a_secret_are_never_shown() -> None:
    for model in registry.SETTINGS_MODELS:
        for name, field in model.model_fields.items():
            if re.search(r"key|secret|token|password|pin", name):
                assert field.annotation is SecretStr, f"{model.provider}.{name}"


async def test_a_provider_that_sends_no_sms_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PROVIDERS", {"sandbox": ProviderEntry(name="sandbox")})
    (problem,) = registry.find_providers_without_sms(Settings())
    assert (problem.key, problem.problem) == ("sms.provider", "sandbox sends no SMS")
    with pytest.raises(CommandError, match="sandbox sends no SMS"):
        async with registry.open_sms_providers(Settings()):
            pass


def test_a_code_at_a_provider_without_ussd_is_refused() -> None:
    code = UssdCode(code="*213#", providers=("africastalking", "sandbox"))
    settings = Settings().model_copy(update={"ussd": Settings().ussd.model_copy(update={"codes": (code,)})})
    (problem,) = registry.find_providers_without_ussd(settings)
    assert (problem.key, problem.problem) == ("ussd.codes.0.providers.1", "nobody dials at sandbox")
    assert "africastalking" in problem.fix
